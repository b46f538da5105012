package operator

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"earshot/models/store"
	"earshot/models/store/postgrestest"
)

// A database that was last used with another secret is told of in one line, with what
// to do, and stays the other's.
func TestDoctorKnowsWhoseSecretADatabaseHas(t *testing.T) {
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			d := patient(t)
			driver, dsn := "sqlite3", d.Path()
			if name == "PostgreSQL" {
				wanted, _, err := postgrestest.Wanted()
				if err != nil {
					t.Fatal(err)
				}
				if !wanted {
					t.Skip("there is no PostgreSQL; EARSHOT_TEST_POSTGRES=required makes this a failure")
				}
				d.Database = postgrestest.Database(t, "", nil)
				driver, dsn = "pgx", d.Database
			}
			d.Configured = strings.Repeat("the first ", 4)
			// none is told of where nobody has used it yet, whatever the secret.
			if err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			ofSecret(t, d, 0)
			if err := d.withStore(t.Context(), func(*store.Store) error { return nil }); err != nil {
				t.Fatal(err)
			}
			ofSecret(t, d, 0)
			before := secretNoted(t, driver, dsn)
			other := d
			other.Configured = strings.Repeat("another ", 5)
			ofSecret(t, other, 1)
			if after := secretNoted(t, driver, dsn); before == "" || after != before {
				t.Errorf("the note was %q and is %q", before, after)
			}
			if err := other.withStore(t.Context(), func(*store.Store) error { return nil }); !errors.Is(err, store.ErrOtherSecret) {
				t.Errorf("the other secret opens it: %v", err)
			}
			if err := other.AdoptSecret(t.Context()); err != nil {
				t.Fatal(err)
			}
			ofSecret(t, other, 0)
			ofSecret(t, d, 1)
		})
	}
}

// ofSecret wants so many findings of another secret.
func ofSecret(t *testing.T, d Doctor, want int) {
	t.Helper()
	n := 0
	for _, finding := range d.Examine(t.Context()) {
		if !strings.Contains(finding.Found, "another secret") {
			continue
		}
		n++
		if finding.Check != "database" || finding.Status != Bad || !strings.Contains(finding.Advice, "earshot secret adopt") ||
			!strings.Contains(finding.Found, "EARSHOT_SECRET") || strings.Contains(finding.Found+finding.Advice, "\n") {
			t.Errorf("found %+v", finding)
		}
	}
	if n != want {
		t.Errorf("another secret is told of %d times, want %d", n, want)
	}
}

// secretNoted is the note in the database.
func secretNoted(t *testing.T, driver, dsn string) (note string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err == nil {
		err = db.QueryRowContext(t.Context(), "SELECT value FROM meta WHERE name = 'secret'").Scan(&note)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return note
}
