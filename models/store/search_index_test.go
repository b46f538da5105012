package store

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Whatever became of the index's file between two runs, search finds what is in
// the database and nothing else.
func TestSearchIndexIsBuiltAnew(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "the index is a file of its own; TestPostgresSearchIndexIsBuiltAnew is of the other")
	elsewhere := openTest(t, nil)
	_, p := newProject(t, elsewhere)
	for range 3 {
		mustSubmit(t, elsewhere, newFeedback(p, "words of another database"))
	}
	awaitIndexed(t, elsewhere)
	closeStore(t, elsewhere)
	for name, spoil := range map[string]func(t *testing.T, index string){
		"missing": func(t *testing.T, index string) {
			if err := os.Remove(index); err != nil {
				t.Fatal(err)
			}
		},
		"empty":     func(t *testing.T, index string) { write(t, index, nil) },
		"no index":  func(t *testing.T, index string) { write(t, index, bytes.Repeat([]byte("nonsense"), 1024)) },
		"truncated": func(t *testing.T, index string) { write(t, index, read(t, index)[:5000]) },
		"of another database": func(t *testing.T, index string) {
			write(t, index, read(t, searchPath(elsewhere.path)))
		},
		"of another version": func(t *testing.T, index string) {
			db, err := sql.Open("sqlite3", index)
			if err == nil {
				_, err = db.Exec("UPDATE progress SET version = version + 1; DROP TABLE feedback_search")
			}
			if err = errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "earshot.db")
			s := openAt(t, path)
			scope, p := newProject(t, s)
			mustSubmit(t, s, newFeedback(p, "findable words"))
			awaitIndexed(t, s)
			closeStore(t, s)
			spoil(t, searchPath(path))
			s = openAt(t, path)
			mustSubmit(t, s, newFeedback(p, "further words"))
			awaitIndexed(t, s)
			if got, want := found(t, s, scope, p, "words"), []string{"findable words", "further words"}; !slices.Equal(got, want) {
				t.Errorf("search finds %q, want %q", got, want)
			}
		})
	}
}

// A page of the index that turns out broken while the server runs is no reason
// for an operator to act.
func TestSearchIndexThatBreaksIsMended(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "PostgreSQL's indexes are its server's to look after")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "findable words"))
	awaitIndexed(t, s)
	// A segment that is no list of words.
	if _, err := s.index.db.Exec("UPDATE feedback_search_segdir SET root = x'ffffffff'"); err != nil {
		t.Fatal(err)
	}
	other := mustSubmit(t, s, newFeedback(p, "further words"))
	if err := s.Erase(t.Context(), scope, other.ID); err != nil { // merges all segments
		t.Fatal(err)
	}
	awaitIndexed(t, s)
	if got, want := found(t, s, scope, p, "words"), []string{"findable words"}; !slices.Equal(got, want) {
		t.Errorf("search finds %q, want %q", got, want)
	}
}

// A command beside a running server leaves that one's files alone: it has them
// open, and would write on into one that is gone.
func TestBesideAServer(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "it is about files")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	before := fileOf(t, headsPath(s.path))
	index := fileOf(t, searchPath(s.path))
	beside, err := Open(t.Context(), Options{Path: s.path, Log: s.log, Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beside.Projects(t.Context(), scope, Page{Limit: 1}, "created_at"); err != nil {
		t.Error(err)
	}
	closeStore(t, beside)
	if !os.SameFile(before, fileOf(t, headsPath(s.path))) || !os.SameFile(index, fileOf(t, searchPath(s.path))) {
		t.Error("the server's files were replaced")
	}
	mustSubmit(t, s, newFeedback(p, "after it"))
	heads, err := readHeads(headsPath(s.path))
	if err != nil || heads.last[p.ID] != 1 {
		t.Errorf("recorded %+v (%v), want the submission after it", heads, err)
	}
}

func fileOf(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
