package store

import (
	"os"
	"path/filepath"
	"testing"
)

// putBack replaces a closed database by the bytes of an older one.
func putBack(t *testing.T, path string, older []byte) {
	t.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, older, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEpochOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "the record lies beside the file; TestPostgresEpoch is of the other")
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, path string, older []byte)
		same  bool
	}{
		{"opened again", func(*testing.T, string, []byte) {}, true},
		{"an older one put back", putBack, false},
		{"without a record", func(t *testing.T, path string, _ []byte) {
			if err := os.Remove(headsPath(path)); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"a record that cannot be read", func(t *testing.T, path string, _ []byte) {
			if err := os.WriteFile(headsPath(path), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "earshot.db")
			s := openAt(t, path)
			_, p := newProject(t, s)
			mustSubmit(t, s, newFeedback(p, "first"))
			epoch := s.Epoch()
			closeStore(t, s)
			older, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s = openAt(t, path)
			mustSubmit(t, s, newFeedback(p, "second"))
			closeStore(t, s)
			c.spoil(t, path, older)
			if s = openAt(t, path); (s.Epoch() == epoch) != c.same {
				t.Errorf("the epoch is %s after %s, want the same: %v", s.Epoch(), epoch, c.same)
			}
			renewed := s.Epoch()
			closeStore(t, s)
			if s = openAt(t, path); s.Epoch() != renewed {
				t.Error("the epoch changes at each start")
			}
		})
	}
}

// What was acknowledged is in the record by then: a server that is killed says
// nothing more.
func TestHeadsAreRecordedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "the record lies beside the file")
	path := filepath.Join(t.TempDir(), "earshot.db")
	s := openAt(t, path)
	scope, p := newProject(t, s)
	_, other := newProject(t, s)
	for i := range int64(20) {
		mustSubmit(t, s, newFeedback(p, "first"))
		mustSubmit(t, s, newFeedback(other, "first"))
		heads, err := readHeads(headsPath(path))
		if err != nil || heads.epoch != s.Epoch() || heads.last[p.ID] != i+1 || heads.last[other.ID] != i+1 {
			t.Fatalf("recorded %+v (%v) after %d submissions to each project", heads, err, i+1)
		}
	}
	if err := s.DeleteProject(t.Context(), scope, p.ID); err != nil {
		t.Fatal(err)
	}
	if heads, err := readHeads(headsPath(path)); err != nil || heads.last[p.ID] != 0 || heads.last[other.ID] != 20 {
		t.Errorf("recorded %+v (%v) after one project was deleted", heads, err)
	}
	epoch := s.Epoch()
	closeStore(t, s)
	if s = openAt(t, path); s.Epoch() != epoch {
		t.Error("a deleted project is taken for an older database")
	}
}
