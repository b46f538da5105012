package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

func TestRestoredBackupHasAnotherEpoch(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "copies of PostgreSQL are pg_dump's; TestPostgresEpoch is of restored ones")
	s := openTest(t, nil)
	_, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "kept"))
	target := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(t.Context(), s.path, target); err != nil {
		t.Fatal(err)
	}
	restored := reopenTest(t, target, nil)
	if restored.Epoch() == s.Epoch() || restored.Epoch() == "" {
		t.Errorf("the copy's epoch is %q, the original's %q: want another", restored.Epoch(), s.Epoch())
	}
	again := reopenTest(t, s.path, nil)
	if again.Epoch() != s.Epoch() {
		t.Errorf("the original's epoch is %q after opening it again, was %q", again.Epoch(), s.Epoch())
	}
}

func TestDatabaseIsPrivate(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "PostgreSQL's files are its server's")
	path := filepath.Join(t.TempDir(), "earshot.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	migrateTest(t, path)
	s := reopenTest(t, path, nil)
	newProject(t, s)
	for _, file := range []string{path, path + "-wal", searchPath(path), searchPath(path) + "-wal"} {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", filepath.Base(file), info.Mode(), err)
		}
	}
}

func TestErasedWordsLeaveTheFiles(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "PostgreSQL's files are its server's, and go with VACUUM")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	const word = "zanzibarquux"
	accepted := mustSubmit(t, s, newFeedback(p, "I live in "+word))
	waitIndexed(t, s, scope, p, word)
	if err := s.Erase(t.Context(), scope, accepted.ID); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found := ""
		for _, file := range []string{s.path, s.path + "-wal", searchPath(s.path), searchPath(s.path) + "-wal"} {
			content, err := os.ReadFile(file)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if strings.Contains(string(content), word) {
				found = filepath.Base(file)
			}
		}
		if found == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still has an erased word", found)
		}
	}
}

func TestClockSetBackDoesNotSpareAStolenRefreshToken(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := openTest(t, nil)
	s.writer.now = func() time.Time { return now }
	user, org, err := s.CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	first, second, third := models.HashToken("1"), models.HashToken("2"), models.HashToken("3")
	if _, err := s.CreateSession(t.Context(), user.ID, org.ID, models.SignIn{}, first, time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RotateRefreshToken(t.Context(), first, second, time.Hour, ""); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Minute)
	rotation, err := s.RotateRefreshToken(t.Context(), first, third, time.Hour, "")
	if err != nil || !rotation.Reused {
		t.Errorf("rotation is %+v (%v), want it seen as reuse", rotation, err)
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "copies of PostgreSQL are pg_dump's")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	first := mustSubmit(t, s, newFeedback(p, "before the backup"))
	folder := t.TempDir()
	target := filepath.Join(folder, "odd name?#%.db")
	if _, err := Backup(t.Context(), s.path, target); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, s, newFeedback(p, "after the backup"))
	info, err := os.Stat(target)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the copy has mode %o, want 600: it holds everybody's feedback", mode)
	}
	copied := reopenTest(t, target, nil)
	log, err := copied.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil || len(log) != 1 || log[0].FeedbackID != first.ID {
		t.Errorf("the copy's log is %+v (%v), want the one item from before", log, err)
	}

	for name, args := range map[string][2]string{
		"no database":     {filepath.Join(folder, "none.db"), filepath.Join(folder, "x.db")},
		"target is there": {s.path, target},
		"no folder":       {s.path, filepath.Join(folder, "none", "x.db")},
	} {
		if _, err := Backup(t.Context(), args[0], args[1]); err == nil {
			t.Errorf("%s: Backup succeeds", name)
		}
		if _, err := os.Stat(filepath.Join(folder, "x.db")); err == nil {
			t.Errorf("%s: Backup leaves something behind", name)
		}
	}
}

func TestDamagedCopyIsNoticed(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "copies of PostgreSQL are pg_dump's")
	s := openTest(t, nil)
	_, p := newProject(t, s)
	for i := range 200 {
		mustSubmit(t, s, newFeedback(p, fmt.Sprint("some text to fill pages ", i)))
	}
	target := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(t.Context(), s.path, target); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	for page := 4; page < len(content)/4096; page++ {
		copy(content[page*4096:], "garbage garbage garbage")
	}
	if err := os.WriteFile(target, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Examine(t.Context(), target); err == nil {
		t.Error("a damaged copy passes the check")
	}
}
