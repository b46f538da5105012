package operator_test

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"earshot/api/operator"
)

func TestOneServerAFolder(t *testing.T) {
	dir := t.TempDir()
	data := operator.Data{Dir: dir, Out: io.Discard, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if err := data.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	release, err := data.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string]func() error{
		"a second server": func() error { _, err := data.Lock(); return err },
		"migrate up":      func() error { return data.MigrateUp(t.Context()) },
		"migrate down":    func() error { return data.MigrateDown(t.Context(), false) },
	} {
		if err := command(); err == nil || !strings.Contains(err.Error(), "another process uses the data folder") {
			t.Errorf("%s beside a server gives %v", name, err)
		}
	}
	// What does not touch the schema goes on beside a server.
	if err := data.Backup(t.Context(), operator.Backup{File: t.TempDir() + "/copy.zip"}, "", "test"); err != nil {
		t.Errorf("backup beside a server: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := data.MigrateDown(t.Context(), false); err != nil {
		t.Errorf("migrate down after the server: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) == 0 {
		t.Errorf("the folder has %d files (%v)", len(entries), err)
	}
}
