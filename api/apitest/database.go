package apitest

import (
	"context"
	"errors"
	"testing"

	"earshot/api"
	"earshot/models/store"
	"earshot/models/store/postgrestest"
)

// onPostgres gives the server a fresh PostgreSQL database where the environment asks
// for that: EARSHOT_TEST_POSTGRES=only runs any test of a server there.
func onPostgres(t testing.TB, config *api.Config) {
	t.Helper()
	_, only, err := postgrestest.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	if !only || config.Database != "" {
		return
	}
	config.Database = postgrestest.Database(t, "schema", func(address string) error {
		schema, err := store.OpenSchema(context.Background(), address)
		if err != nil {
			return err
		}
		_, err = schema.Up(context.Background())
		return errors.Join(err, schema.Close())
	})
}
