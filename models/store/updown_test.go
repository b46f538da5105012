package store

import (
	"fmt"
	"testing"

	"earshot/models"
)

// An operator goes back to an older version and comes again: what was acknowledged and
// what was said about it is as it was, and the log goes on where it was.
func TestDataOutlivesDownAndUp(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	s := openAt(t, path)
	scope, p := newProject(t, s)
	for i := range 5 {
		in := newFeedback(p, fmt.Sprintf("acknowledged %d", i))
		in.Submission.Rating, in.Submission.Email = 4, "jane@example.com"
		mustSubmit(t, s, in)
		if _, err := s.PostMessage(t.Context(), scope, models.NewMessage{
			ID: models.NewID(), FeedbackID: in.Submission.ID, Visibility: models.VisibilityPublic, Body: fmt.Sprintf("answered %d", i),
			Author: models.Author{Kind: models.AuthorMember, UserID: models.NewID(), Name: "Ann"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	const tables = `SELECT (SELECT count(*) FROM feedback WHERE message LIKE 'acknowledged%') * 10000
		+ (SELECT count(*) FROM messages WHERE body LIKE 'answered%') * 100 + (SELECT count(*) FROM events)`
	said := func(s *Store) (text string) {
		t.Helper()
		log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range log {
			text += fmt.Sprintln(entry.Seq, entry.Type, entry.FeedbackID)
			if entry.Feedback != nil {
				text += fmt.Sprintln(entry.Feedback.Message, entry.Feedback.Rating, entry.Feedback.Email)
			}
			if entry.Message != nil {
				text += fmt.Sprintln(entry.Message.Body)
			}
		}
		return text
	}
	before := said(s)
	closeStore(t, s)

	schema := openSchema(t, path)
	// The oldest version with conversations; PostgreSQL begins with a newer one.
	down := map[bool]int{false: 14, true: 1}[onPostgres]
	for range down {
		undone, _, err := schema.Down(t.Context())
		if err != nil || undone == nil {
			t.Fatalf("Down undid %v: %v", undone, err)
		}
		var n int
		if err := schema.db.QueryRowContext(t.Context(), tables).Scan(&n); err != nil || n != 5*10000+5*100+10 {
			t.Fatalf("after %s was undone there is %d of 50510: %v", undone.Name, n, err)
		}
	}
	if _, err := schema.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, path)
	if after := said(s); after != before {
		t.Errorf("the log says\n%s, said\n%s", after, before)
	}
	mustSubmit(t, s, newFeedback(p, "goes on"))
	if head, err := s.LogHead(t.Context(), scope, p.ID); err != nil || head.Last != 11 {
		t.Errorf("the log's end is %+v (%v), want 11", head, err)
	}
}
