package operator_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/api/operator"
	"earshot/models/store/postgrestest"
)

// A database that is elsewhere is migrated without a data folder, and none is made. One
// that is there is still locked: its server runs on the schema.
func TestMigrateElsewhere(t *testing.T) {
	if wanted, _, err := postgrestest.Wanted(); err != nil {
		t.Fatal(err)
	} else if !wanted {
		t.Skip("there is no PostgreSQL server")
	}
	data := operator.Data{
		Dir: filepath.Join(t.TempDir(), "missing"), Database: postgrestest.Database(t, "", nil), Configured: strings.Repeat("s", 32),
		Out: io.Discard, Log: slog.New(slog.DiscardHandler),
	}
	if err := errors.Join(data.MigrateUp(t.Context()), data.MigrateDown(t.Context(), true), data.MigrateStatus(t.Context()), data.MigrateUp(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(data.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a data folder: %v", err)
	}
	data.Dir = t.TempDir()
	release, err := data.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = release() }()
	if err := data.MigrateDown(t.Context(), true); err == nil || !strings.Contains(err.Error(), "another process uses the data folder") {
		t.Errorf("beside a server: %v", err)
	}
}
