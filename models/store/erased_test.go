package store

import (
	"testing"

	"earshot/models"
)

func TestErasureLeavesNoTrace(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	in := newFeedback(p, "hello")
	in.Submission.PageURL = "https://shop.example/users/jane.doe"
	in.Submission.Email = "jane@example.com"
	mustSubmit(t, s, in)
	if _, err := s.PostMessage(t.Context(), scope, models.NewMessage{
		ID: models.NewID(), FeedbackID: in.Submission.ID, Visibility: models.VisibilityPublic, Body: "yes",
		Author: models.Author{Kind: models.AuthorMember, UserID: models.NewID(), Name: "Ann"},
	}); err != nil {
		t.Fatal(err)
	}
	count := func(query string) (n int64) {
		t.Helper()
		if err := s.read.Raw(query).Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	const pages = "SELECT count(*) FROM insights WHERE dimension LIKE 'page%'"
	const prints = "SELECT count(*) FROM messages WHERE length(fingerprint) > 0"
	await(t, func() bool { return count(pages) > 0 })
	if count(prints) != 1 {
		t.Error("the message has no fingerprint")
	}
	if _, err := s.EraseAll(t.Context(), scope, p.ID, models.Erasure{Email: "jane@example.com"}); err != nil {
		t.Fatal(err)
	}
	if n := count(pages); n != 0 {
		t.Errorf("%d counts keep the page's address", n)
	}
	if n := count(prints); n != 0 {
		t.Errorf("%d messages keep the fingerprint of their text", n)
	}
}

// A visitor's session outlives the erasure of some of its items, and begins anew
// where it was erased and they still have their socket.
func TestSessionsAfterAnErasure(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	first := newFeedback(p, "one")
	first.Submission.Email = "jane@example.com"
	session := mustSubmit(t, s, first).SessionID
	bySocket := func(message string) {
		t.Helper()
		in := newFeedback(p, message)
		in.ResumeHash, in.SessionID, in.SessionStored = first.ResumeHash, session, true
		mustSubmit(t, s, in)
	}
	erase := func(of models.Erasure, want int64) {
		t.Helper()
		report, err := s.EraseAll(t.Context(), scope, p.ID, of)
		if err != nil {
			t.Fatal(err)
		}
		if report.Sessions != want {
			t.Errorf("%d sessions were erased, want %d", report.Sessions, want)
		}
	}
	find := func() (models.ID, error) { return s.VisitorSession(t.Context(), p.ID, first.ResumeHash) }

	bySocket("two, without an address")
	erase(models.Erasure{Email: "jane@example.com"}, 0)
	if got, err := find(); err != nil || got != session {
		t.Errorf("the token of an item that stays leads to %q, %v; want %q", got, err, session)
	}
	erase(models.Erasure{SessionID: session}, 1)
	_, err := find()
	wantCode(t, "the token of an erased session", err, models.CodeNotFound)
	bySocket("three, over the open socket")
	if got, err := find(); err != nil || got != session {
		t.Errorf("the token of what was acknowledged leads to %q, %v; want %q", got, err, session)
	}
}

func TestErasedSessionsAreBounded(t *testing.T) {
	t.Parallel()
	var e erasedSessions
	some := models.NewID()
	e.add([]models.ID{some})
	if other := models.NewID(); !e.has(some) || e.has(other) {
		t.Error("it does not tell an erased session from another")
	}
	many := make([]models.ID, maxErased)
	for i := range many {
		many[i] = models.NewID()
	}
	e.add(many)
	if len(e.ids) != 0 || !e.has(some) || !e.has(models.NewID()) {
		t.Errorf("past its bound it keeps %d and trusts others, want none", len(e.ids))
	}
}
