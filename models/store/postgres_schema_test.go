package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
	"earshot/models"
)

// execute runs statements in a database behind the store's back.
func execute(t *testing.T, address string, statements ...string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// A migration has the same number in both folders, so that a version says the same of
// both.
func TestMigrationsAreNumberedAlike(t *testing.T) {
	t.Parallel()
	versions := func(folder fs.FS) (numbers []int64) {
		files, err := fs.Glob(folder, "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			number, err := goose.NumericComponent(file)
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, number)
		}
		return numbers
	}
	postgres := versions(migrations.Postgres())
	sqlite := slices.DeleteFunc(versions(migrations.SQLite()), func(n int64) bool { return n < postgres[0] })
	if !slices.Equal(sqlite, postgres) {
		t.Errorf("SQLite's are %v, PostgreSQL's %v", sqlite, postgres)
	}
}

// The parts that the schema has by its migrations' text are those that it has: a
// migration that says it in a way that the reader does not know is found here.
func TestPostgresPartsAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	db, err := connectPostgres(t.Context(), newDatabase(t), "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	there, err := partsOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range postgresParts(math.MaxInt64) {
		if !there[p] {
			t.Errorf("the migrations say %v, and it is not there", p)
		}
		delete(there, p)
	}
	for p := range there {
		if p.table != "goose_db_version" {
			t.Errorf("there is %v, and the migrations do not say so", p)
		}
	}
}

// withoutConstraints is what a dump leaves behind that was restored without its last
// section: no key, no index, no trigger.
var withoutConstraints = []string{ //nolint:gochecknoglobals // constant
	`DO $$ DECLARE r record; BEGIN
		FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND contype IN ('f', 'p', 'u')
			ORDER BY contype LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname); END LOOP;
		FOR r IN SELECT indexrelid::regclass AS i FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = current_schema()::regnamespace
			LOOP EXECUTE format('DROP INDEX %s', r.i); END LOOP;
		FOR r IN SELECT tgrelid::regclass AS t, tgname FROM pg_trigger WHERE NOT tgisinternal LOOP EXECUTE format('DROP TRIGGER %I ON %s', r.tgname, r.t); END LOOP;
	END $$`,
}

// What this program must not touch it refuses in one line, and changes nothing.
func TestPostgresSchemaIsRefused(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	for _, tc := range []struct {
		name, want string
		spoil      []string
	}{
		{"a newer one", "use a newer earshot", []string{"INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"}},
		{"one with a table less", `no table "reads"`, []string{"DROP TABLE reads"}},
		{"one with a primary key less", `no index "events_pkey": restore`, []string{"ALTER TABLE events DROP CONSTRAINT events_pkey"}},
		{"one with an index less", `no index "members_by_user": restore`, []string{"DROP INDEX members_by_user"}},
		{"one with a foreign key less", `no foreign key "views_organization_id_user_id_fkey": restore`, []string{"ALTER TABLE views DROP CONSTRAINT views_organization_id_user_id_fkey"}},
		{"one with a trigger less", `no trigger "audit_no_update": restore`, []string{"DROP TRIGGER audit_no_update ON audit"}},
		{"tables and data alone", ` more of its parts: restore the database from a backup`, withoutConstraints},
		{"half restored", "no record of our migrations", []string{"DROP TABLE goose_db_version"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := newDatabase(t)
			execute(t, path, tc.spoil...)
			before := postgresSchemaOf(t, path)
			s, err := OpenSchema(t.Context(), path)
			if err == nil {
				err = errors.Join(errors.New("it is opened"), s.Close())
			}
			if !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the refusal is %q, want one line with %q", err, tc.want)
			}
			if after := postgresSchemaOf(t, path); after != before {
				t.Error("the schema that was refused changed")
			}
		})
	}
}

// A migration that fails leaves nothing behind of what it did before it failed.
func TestPostgresMigrationFailsAsAWhole(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	path := newDatabase(t)
	before := postgresSchemaOf(t, path)
	s := openSchema(t, path)
	with := func(name, sql string) (err error) {
		files := fstest.MapFS{name: {Data: []byte(sql)}}
		names, err := fs.Glob(migrations.Postgres(), "*.sql")
		if err != nil {
			return err
		}
		for _, name := range names {
			data, err := fs.ReadFile(migrations.Postgres(), name)
			if err != nil {
				return err
			}
			files[name] = &fstest.MapFile{Data: data}
		}
		s.provider, err = goose.NewProvider(goose.DialectPostgres, s.db, files)
		return err
	}
	if err := with("00010_older.sql", "-- +goose Up\nSELECT 1;\n"); err != nil {
		t.Fatal(err)
	}
	if err := s.checkPostgres(t.Context()); err == nil || !strings.Contains(err.Error(), "lacks migration 10") {
		t.Errorf("a database that lacks a migration: %v", err)
	}
	bad := "-- +goose Up\nCREATE TABLE half (n BIGINT);\nINSERT INTO half VALUES (1);\nSELECT 1 / 0;\n"
	if err := with("90000_bad.sql", bad); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "migration 90000 failed") {
		t.Errorf("Up gives %v, want it to name the migration", err)
	}
	if after := postgresSchemaOf(t, path); after != before {
		t.Errorf("the schema is\n%s, was\n%s", after, before)
	}
	if err := reopenTest(t, path, nil).Ping(t.Context()); err != nil {
		t.Errorf("the database as it was: %v", err)
	}
}

// Commits wait for the disk, whatever the database's own setting is.
func TestPostgresIsDurable(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	path := newDatabase(t)
	database := path[strings.LastIndex(path, "/")+1 : strings.Index(path, "?")]
	execute(t, path, "ALTER DATABASE "+database+" SET synchronous_commit = off")
	s := reopenTest(t, path, nil)
	var commits string
	if err := s.writer.conn.QueryRowContext(t.Context(), "SHOW synchronous_commit").Scan(&commits); err != nil || commits != "on" {
		t.Errorf("synchronous_commit is %q (%v), want on", commits, err)
	}
	if err := s.read.Exec("DELETE FROM meta").Error; err == nil {
		t.Error("the readers' connections can write")
	}
}

// Another database under the same address numbers new events as others have seen old
// ones: it has another epoch.
func TestPostgresEpoch(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	path := newDatabase(t)
	s := reopenTest(t, path, nil)
	epoch := s.Epoch()
	if other := reopenTest(t, path, nil).Epoch(); other != epoch || epoch == "" {
		t.Errorf("two nodes have the epochs %q and %q", epoch, other)
	}
	closeStore(t, s)
	execute(t, path, "UPDATE meta SET value = 'another/1/2' WHERE name = 'epoch_of'") // as a dump of one has it
	s = reopenTest(t, path, nil)
	if s.Epoch() == epoch {
		t.Error("a restored database has the epoch of the one that was dumped")
	}
	renewed := s.Epoch()
	if again := reopenTest(t, path, nil).Epoch(); again != renewed {
		t.Errorf("the epoch changes at each start: %q after %q", again, renewed)
	}
}

// One bad row among many that share their statements fails alone, and the others
// still share theirs.
func TestPostgresBadRowAmongMany(t *testing.T) {
	t.Parallel()
	s := nodes(t, 1)[0]
	scope, p := newProject(t, s)
	release := holdWriter(t, s)
	const many, bad = 200, 77
	errs := make([]chan error, many)
	for i := range errs {
		errs[i] = make(chan error, 1)
		in := newFeedback(p, strconv.Itoa(i))
		if i == bad {
			in.Submission.Rating = 9 // breaks a CHECK
		}
		go func() {
			_, err := s.Submit(t.Context(), in)
			errs[i] <- err
		}()
		await(t, func() bool { return len(s.writer.queue) == i+1 })
	}
	before := number(t, s, "SELECT count(DISTINCT xmin::text) FROM feedback")
	release()
	for i := range errs {
		if err := <-errs[i]; (err != nil) != (i == bad) {
			t.Errorf("submission %d: %v", i, err)
		}
	}
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, many)
	if err != nil || len(log) != many-1 || log[many-2].Seq != many-1 {
		t.Fatalf("the log has %d entries (%v), want %d without a hole", len(log), err, many-1)
	}
	for i, entry := range log {
		if want := i + map[bool]int{true: 1}[i >= bad]; entry.Feedback.Message != strconv.Itoa(want) {
			t.Errorf("entry %d is of submission %s, want %d", i, entry.Feedback.Message, want)
		}
	}
	// Each statement that wrote has a number of its own: those of the halves.
	if n := number(t, s, "SELECT count(DISTINCT xmin::text) FROM feedback") - before; n > 8 {
		t.Errorf("%d statements wrote %d rows, want a logarithm of them", n, many-1)
	}
}

// Failures that the server names have answers that clients can do something about.
func TestPostgresFailuresAreNamed(t *testing.T) {
	t.Parallel()
	server, address := ownServer(t, "max_connections=20")
	s := reopenTest(t, address, nil)
	_, p := newProject(t, s)
	for code, want := range map[string]models.Code{"53100": models.CodeStorageFull, "53200": models.CodeUnavailable, "23514": models.CodeInternal} {
		raise := fmt.Sprintf(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '%s'; END $$;
			CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON feedback FOR EACH ROW EXECUTE FUNCTION refuse()`, code)
		if err := server.Exec("earshot", raise); err != nil {
			t.Fatal(err)
		}
		_, err := s.Submit(t.Context(), newFeedback(p, "refused"))
		wantCode(t, code, err, want)
	}
	if err := server.Exec("earshot", "DROP TRIGGER refuse ON feedback"); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, s, newFeedback(p, "there is room again"))
}
