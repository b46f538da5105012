package store

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"earshot/models/store/postgrestest"
	"earshot/models/store/sqlitetest"
)

// onPostgres says on which of the two databases the tests are run at the moment.
var onPostgres bool //nolint:gochecknoglobals // set by TestMain, between its two runs

// TestMain runs every test twice: on SQLite and, where there is a server or has to be
// one, on PostgreSQL. Benchmarks and fuzzing are run on SQLite alone, or with
// EARSHOT_TEST_POSTGRES=only on PostgreSQL alone.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	wanted, only, err := postgrestest.Wanted()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := 0
	if !only {
		code = m.Run()
	}
	measures := flag.Lookup("test.bench").Value.String() != "" || flag.Lookup("test.fuzz").Value.String() != ""
	switch {
	case only || wanted && !measures:
		onPostgres = true
		fmt.Println("=== the same on PostgreSQL")
		code = max(code, m.Run())
	case !measures:
		fmt.Println("=== not run on PostgreSQL: there is no server, or EARSHOT_TEST_POSTGRES=off")
	}
	return code
}

// newDatabase is where a fresh database is, with our schema.
func newDatabase(t testing.TB) string {
	t.Helper()
	if onPostgres {
		t.Log("on PostgreSQL")
		return postgrestest.Database(t, "schema", migrate)
	}
	return sqlitetest.Database(t, migrate)
}

func migrate(address string) error {
	schema, err := OpenSchema(context.Background(), address)
	if err != nil {
		return err
	}
	_, err = schema.Up(context.Background())
	return errors.Join(err, schema.Close())
}

// emptyDatabase is where one may be made.
func emptyDatabase(t testing.TB) string {
	t.Helper()
	if onPostgres {
		return postgrestest.Database(t, "", nil)
	}
	return filepath.Join(t.TempDir(), "earshot.db")
}

// ofSQLite ends a test on PostgreSQL that is about SQLite: its files, its pragmas, its
// plans. why says what there is instead.
func ofSQLite(t testing.TB, why string) {
	t.Helper()
	if onPostgres {
		t.Skip("is about SQLite: " + why)
	}
}

// either is what a test asks one of the two databases.
func either(sqlite, postgres string) string {
	if onPostgres {
		return postgres
	}
	return sqlite
}
