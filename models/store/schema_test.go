package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm/schema"

	"earshot/models"
)

// The migrations are the truth about the schema and the rows are a second
// account of it: each column has a field and each field a column.
func TestRowsMatchTheSchema(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	known := map[string]bool{"goose_db_version": true}
	for _, row := range []any{
		&organizationRow{}, &userRow{}, &memberRow{}, &sessionRow{}, &refreshTokenRow{}, &oneTimeTokenRow{}, &metaRow{}, &projectRow{},
		&removalRow{}, &visitorSessionRow{}, &feedbackRow{}, messageRow{}, &jobRow{}, &readRow{}, &eventRow{}, &searchRemovalRow{},
		&tagRow{}, &cannedReplyRow{}, &insightRow{}, &volumeRow{}, &auditRow{}, &letterRow{}, &apiKeyRow{}, &inviteRow{}, &recoveryCodeRow{}, &identityRow{}, &failureRow{}, &mailRow{}, &notificationRow{}, &mailPreferencesRow{}, &mailAddressRow{}, &viewRow{}, &blockRow{}, &attachmentRow{}, &attachmentRemovalRow{},
	} {
		parsed, err := schema.Parse(row, &sync.Map{}, s.read.NamingStrategy)
		if err != nil {
			t.Fatal(err)
		}
		known[parsed.Table] = true
		var columns []struct {
			Name string
			PK   int `gorm:"column:pk"`
		}
		if err := s.read.Raw(either("SELECT name, pk FROM pragma_table_info(?)", postgresColumns), parsed.Table).Scan(&columns).Error; err != nil {
			t.Fatal(err)
		}
		var have, keys []string
		for _, column := range columns {
			have = append(have, column.Name)
			if column.PK > 0 {
				keys = append(keys, column.Name)
			}
		}
		want := slices.Clone(parsed.DBNames)
		wantKeys := slices.Clone(parsed.PrimaryFieldDBNames)
		for _, list := range [][]string{have, want, keys, wantKeys} {
			slices.Sort(list)
		}
		if !slices.Equal(have, want) {
			t.Errorf("%s: the schema has the columns\n%v, %T has\n%v", parsed.Table, have, row, want)
		}
		if !slices.Equal(keys, wantKeys) {
			t.Errorf("%s: the schema's key is %v, that of %T is %v", parsed.Table, keys, row, wantKeys)
		}
		for _, field := range parsed.Fields {
			if field.AutoCreateTime != 0 || field.AutoUpdateTime != 0 {
				t.Errorf("%T.%s is set by gorm's clock; times are ours", row, field.Name)
			}
		}
	}
	var tables []string
	err := s.read.Raw(either("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", postgresTableNames)).Scan(&tables).Error
	if err != nil {
		t.Fatal(err)
	}
	known["goqite"] = true // the library's own
	known["search_items"], known["search_progress"], known["writers"] = onPostgres, onPostgres, onPostgres
	for _, table := range tables {
		if !known[table] {
			t.Errorf("the table %s has no row type", table)
		}
	}
}

func schemaOf(t *testing.T, path string) string {
	t.Helper()
	if onPostgres {
		return postgresSchemaOf(t, path)
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query("SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var b strings.Builder
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, name, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func openSchema(t *testing.T, path string) *Schema {
	t.Helper()
	s, err := OpenSchema(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMigrationsGoUpAndDownAndUp(t *testing.T) {
	t.Parallel()
	path := emptyDatabase(t)
	s := openSchema(t, path)
	if _, err := s.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	up := schemaOf(t, path)
	states, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range states {
		if state.AppliedAt.IsZero() {
			t.Errorf("%s is pending after Up", state.Name)
		}
	}
	for range states {
		if undone, _, err := s.Down(t.Context()); err != nil || undone == nil {
			t.Fatalf("Down undid %v (%v), want a migration", undone, err)
		}
	}
	if undone, _, err := s.Down(t.Context()); err != nil || undone != nil {
		t.Fatalf("Down undid %v (%v) with nothing left", undone, err)
	}
	if down := schemaOf(t, path); strings.Contains(down, "feedback") || strings.Contains(down, "users") {
		t.Errorf("after Down there is still\n%s", down)
	}
	if _, err := s.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := schemaOf(t, path); again != up {
		t.Errorf("up, down and up again gives\n%s, want\n%s", again, up)
	}
	if backup, err := s.Up(t.Context()); backup != "" || err != nil {
		t.Errorf("Up with nothing to do copies to %q (%v)", backup, err)
	}
}

func TestUpKeepsACopyOfData(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "a migration of PostgreSQL that fails is undone as a whole")
	path := filepath.Join(t.TempDir(), "earshot.db")
	migrateTest(t, path)
	s := openSchema(t, path)
	if _, err := s.db.Exec("INSERT INTO meta VALUES ('a', 'b'); DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version) AND version_id > 1"); err != nil {
		t.Fatal(err)
	}
	pending, err := s.provider.HasPending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !pending {
		t.Skip("there is one migration only, and so no database that has data and a pending one")
	}
	backup, err := s.Up(t.Context())
	if backup == "" || !Exists(backup) {
		t.Errorf("Up keeps %q (%v), want a copy", backup, err)
	}
}

func hashFiles(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", entry.Name(), sha256.Sum256(content))
	}
	return b.String()
}

func TestNewerDatabaseIsRefusedUnchanged(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "it compares files; TestPostgresSchemaIsRefused is of the other")
	folder := t.TempDir()
	path := filepath.Join(folder, "earshot.db")
	migrateTest(t, path)
	db, err := sql.Open("sqlite3", writerDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1); PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := hashFiles(t, folder)
	s, err := OpenSchema(t.Context(), path)
	if err == nil {
		_ = s.Close()
		t.Fatal("a newer database is opened")
	}
	if !strings.Contains(err.Error(), "99999") {
		t.Errorf("the refusal is %q, want it to name the version", err)
	}
	if after := hashFiles(t, folder); after != before {
		t.Errorf("the refused database changed:\n%s, before\n%s", after, before)
	}
}

func TestDurabilityIsReadBack(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "it is about pragmas; TestPostgresIsDurable is of the other")
	s := openTest(t, nil)
	var secure, foreign int
	if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA secure_delete").Scan(&secure); err != nil || secure != 1 {
		t.Errorf("secure_delete is %d (%v), want 1: erased text must not stay in free pages", secure, err)
	}
	if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA foreign_keys").Scan(&foreign); err != nil || foreign != 1 {
		t.Errorf("foreign_keys is %d (%v), want 1", foreign, err)
	}
	if err := s.read.Exec("DELETE FROM meta").Error; err == nil {
		t.Error("the readers' connections can write")
	}
	for _, tc := range []struct {
		name, options string
		durable       bool
	}{
		{"as the writer opens it", "_journal_mode=WAL&_synchronous=FULL", true},
		{"the driver's default under WAL", "_journal_mode=WAL", false},
		{"NORMAL", "_journal_mode=WAL&_synchronous=NORMAL", false},
		{"OFF", "_journal_mode=WAL&_synchronous=OFF", false},
		{"no WAL", "_journal_mode=DELETE&_synchronous=FULL", false},
		{"in memory", "_journal_mode=MEMORY&_synchronous=FULL", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db, err := sql.Open("sqlite3", "file:"+filepath.Join(t.TempDir(), "a.db")+"?"+tc.options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if err := checkDurability(t.Context(), conn); (err == nil) != tc.durable {
				t.Errorf("checkDurability gives %v, want durable %v", err, tc.durable)
			}
		})
	}
}

func TestOpenRefusesADatabaseWithoutSchema(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: emptyDatabase(t), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err == nil {
		_ = s.Close()
		t.Fatal("an empty database is opened")
	}
}

func TestEpochStays(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	if !onPostgres {
		path = filepath.Join(t.TempDir(), "a?b#c%d.db")
		migrateTest(t, path)
	}
	one := reopenTest(t, path, nil)
	epoch := one.Epoch()
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if again := reopenTest(t, path, nil).Epoch(); again != epoch || epoch == "" {
		t.Errorf("the epoch is %q after a restart, was %q", again, epoch)
	}
	if other := openTest(t, nil).Epoch(); other == epoch {
		t.Errorf("two databases have the epoch %q", epoch)
	}
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	s := reopenTest(t, path, nil)
	scope, p := newProject(t, s)
	const waiting = 50
	release := holdWriter(t, s)
	errs := make(chan error, waiting)
	for range waiting {
		go func() {
			_, err := s.Submit(context.Background(), newFeedback(p, "waits"))
			errs <- err
		}()
	}
	await(t, func() bool { return len(s.writer.queue) == waiting })
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	await(t, func() bool {
		s.writer.mu.RLock()
		defer s.writer.mu.RUnlock()
		return s.writer.closed
	})
	if _, err := s.Submit(t.Context(), newFeedback(p, "too late")); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("a write after Close gives %v, want unavailable", err)
	}
	release()
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	for range waiting {
		if err := <-errs; err != nil {
			t.Errorf("a write that waited at Close: %v", err)
		}
	}
	log, err := reopenTest(t, path, nil).ReadLog(t.Context(), scope, p.ID, 0, 2*waiting)
	if err != nil || len(log) != waiting {
		t.Errorf("%d entries are on disk (%v), want %d", len(log), err, waiting)
	}
}
