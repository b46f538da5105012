package operator

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrepareKeepsTheFolderPrivate: what is ours alone is closed to others; what
// holds other things is left as it is, and said.
func TestPrepareKeepsTheFolderPrivate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		files  []string
		mode   fs.FileMode
		want   fs.FileMode
		warned bool
	}{
		{"empty", nil, 0o755, 0o700, false},
		{"ours", []string{"earshot.db", "earshot.db-wal", "earshot.db-shm", "secret"}, 0o755, 0o700, false},
		{"ours with copies", []string{"earshot.db", "earshot.db.before-1-20260102T030405.000", "lost+found/"}, 0o770, 0o700, false},
		{"private already", []string{"earshot.db", "notes.txt"}, 0o700, 0o700, false},
		{"somebody's home", []string{".bashrc", "Documents/"}, 0o755, 0o755, true},
		{"somebody's home with our database", []string{"earshot.db", "secret", ".bashrc"}, 0o755, 0o755, true},
		{"a secret of something else", []string{"secret"}, 0o755, 0o755, true},
		{"for everybody's temporary files", nil, 0o777 | fs.ModeSticky, 0o777 | fs.ModeSticky, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range tc.files {
				path := filepath.Join(dir, name)
				var err error
				if strings.HasSuffix(name, "/") {
					err = os.Mkdir(path, 0o700)
				} else {
					err = os.WriteFile(path, []byte("x"), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, tc.mode); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			data := Data{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))}
			if err := data.Prepare(); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode() &^ fs.ModeDir; got != tc.want {
				t.Errorf("mode is %v, want %v", got, tc.want)
			}
			if n := strings.Count(log.String(), "level=WARN"); n > 1 || (n == 1) != tc.warned {
				t.Errorf("%d warnings, want one: %v\n%s", n, tc.warned, log.String())
			}
		})
	}
}

func TestPrepareMakesThePrivateFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	data := Data{Dir: dir, Log: slog.New(slog.DiscardHandler)}
	if err := data.Prepare(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v (%v), want mode 0700", info, err)
	}
}
