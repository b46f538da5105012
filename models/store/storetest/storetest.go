//go:build unix

// Package storetest makes databases for the tests of who uses a store.
package storetest

import (
	"context"
	"errors"
	"testing"

	"earshot/models/store"
	"earshot/models/store/postgrestest"
	"earshot/models/store/sqlitetest"
)

// Database is where a fresh database with our schema is, for as long as the test
// runs: a file, or with EARSHOT_TEST_POSTGRES=only an address in PostgreSQL.
func Database(t testing.TB) string {
	t.Helper()
	_, only, err := postgrestest.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	if only {
		return postgrestest.Database(t, "schema", migrate)
	}
	return sqlitetest.Database(t, migrate)
}

func migrate(path string) error {
	schema, err := store.OpenSchema(context.Background(), path)
	if err != nil {
		return err
	}
	_, err = schema.Up(context.Background())
	return errors.Join(err, schema.Close())
}
