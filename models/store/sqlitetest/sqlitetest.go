// Package sqlitetest makes SQLite databases for tests.
package sqlitetest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// template is the content of a database to which nobody has written yet.
type template struct {
	once    sync.Once
	content []byte
	err     error
}

var migrated template //nolint:gochecknoglobals // one a process

// Database is where a fresh database is, in a folder of the test's own. migrate gives the
// one at path our schema, and closes it; it is called once a process, for what all get
// copies of.
func Database(t testing.TB, migrate func(path string) error) string {
	t.Helper()
	migrated.once.Do(func() { migrated.content, migrated.err = contentOf(migrate) })
	if migrated.err != nil {
		t.Fatal(migrated.err)
	}
	path := filepath.Join(t.TempDir(), "earshot.db")
	if err := os.WriteFile(path, migrated.content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func contentOf(migrate func(path string) error) ([]byte, error) {
	folder, err := os.MkdirTemp("", "earshot-schema-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	path := filepath.Join(folder, "earshot.db")
	if err := migrate(path); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("a closed database is one file, and not %v", files)
	}
	return os.ReadFile(path) //nolint:gosec // of our own folder
}
