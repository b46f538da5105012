package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

// TestAudit tampers with a database in each way that an audit must find out.
func TestAudit(t *testing.T) {
	untouched := filepath.Join(t.TempDir(), database)
	l := newLedger()
	db := open(t, untouched)
	execute(t, db, "CREATE TABLE feedback (id TEXT, n INTEGER)", "CREATE INDEX feedback_n ON feedback (n)",
		"CREATE TABLE events (project_id TEXT, seq INTEGER, type TEXT, feedback_id TEXT)")
	for n := range 3 {
		id := models.NewID()
		l.send(id)
		l.acknowledge(id, time.Now())
		if _, err := db.ExecContext(t.Context(), "INSERT INTO feedback VALUES (?, ?)", id, n+1); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, db, "INSERT INTO events SELECT 'p', n, 'FeedbackReceived', id FROM feedback")
	l.send(models.NewID()) // never acknowledged, so it need not be stored
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, tamper, found string }{
		{"nothing", "SELECT 1", ""},
		{"a row is gone", "DELETE FROM feedback WHERE n = 2", "lost 1"},
		{"a row is there twice", "INSERT INTO feedback SELECT id, 4 FROM feedback WHERE n = 2", "twice 1"},
		{"an event is there twice", "INSERT INTO events SELECT project_id, 4, type, feedback_id FROM events WHERE seq = 2", "twice 1"},
		{"a stranger's row", "INSERT INTO feedback VALUES ('0192f0c1-0000-7000-8000-000000000000', 4)", "never sent 1"},
		{"an event is gone", "DELETE FROM events WHERE seq = 3", "unannounced 1"},
		{"an event is missing in between", "DELETE FROM events WHERE seq = 2", "gaps in seq 1"},
		{"an event has another's seq", "UPDATE events SET seq = 1 WHERE seq = 2", "gaps in seq 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			whole, err := os.ReadFile(untouched)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, database), whole, 0o600); err != nil {
				t.Fatal(err)
			}
			db := open(t, filepath.Join(folder, database))
			execute(t, db, c.tamper)
			found, err := l.compare(t.Context(), folder)
			if err != nil {
				t.Fatal(err)
			}
			if err = found.holds(); (err == nil) != (c.found == "") || !strings.Contains(found.String(), c.found) {
				t.Errorf("%s: want %q, got %s", c.tamper, c.found, found)
			}
		})
	}
}

// TestAuditOfNothing shows that silence is not taken for a promise kept.
func TestAuditOfNothing(t *testing.T) {
	if err := (audit{integrity: "ok"}).holds(); err == nil {
		t.Error("an audit without an acknowledgement holds")
	}
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
