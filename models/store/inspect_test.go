package store

import (
	"strings"
	"testing"
	"time"
)

// A look at a database that is as it should be, and at one that was never migrated.
func TestInspect(t *testing.T) {
	t.Parallel()
	found, err := Inspect(t.Context(), newDatabase(t))
	if err != nil || len(found.Damage) > 0 || found.Durable != nil && !onPostgres || found.Version == 0 || found.Version != found.Newest {
		t.Errorf("found %+v, %v", found, err)
	}
	if onPostgres && time.Since(found.Now).Abs() > time.Minute {
		t.Errorf("its clock shows %v", found.Now)
	}
	// Servers of tests run without syncs, and that is what is to be found.
	if onPostgres && found.Durable != nil && !strings.Contains(found.Durable.Error(), "fsync") {
		t.Errorf("durable: %v", found.Durable)
	}
	if !onPostgres {
		return
	}
	if found, err = Inspect(t.Context(), emptyDatabase(t)); err != nil || found.Version != 0 {
		t.Errorf("an empty database: %+v, %v", found, err)
	}
	_, err = Inspect(t.Context(), "postgres://us:sEcret@127.0.0.1:1/earshot")
	if err == nil || strings.Contains(err.Error(), "sEcret") {
		t.Errorf("nobody there: %v, want an error without the password", err)
	}
}
