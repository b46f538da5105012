package store

import (
	"fmt"
	"testing"

	"earshot/models"
)

// leftOf counts what a deleted project still has, and how many ids stay taken.
func leftOf(t *testing.T, s *Store, p *models.Project) (left, taken int64) {
	t.Helper()
	indexed := either("search.feedback_search", "search_items")
	for query, into := range map[string]*int64{
		`SELECT (SELECT count(*) FROM ` + indexed + `) + (SELECT count(*) FROM events WHERE project_id = @p)
			+ (SELECT count(*) FROM visitor_sessions WHERE project_id = @p) + (SELECT count(*) FROM removals) + (SELECT count(*) FROM search_removals)
			+ (SELECT count(*) FROM messages WHERE project_id = @p AND body <> '')
			+ (SELECT count(*) FROM feedback WHERE project_id = @p AND message <> '')`: &left,
		"SELECT count(*) FROM feedback WHERE project_id = @p": &taken,
	} {
		if err := s.read.Raw(query, map[string]any{"p": p.ID}).Scan(into).Error; err != nil {
			t.Fatal(err)
		}
	}
	return left, taken
}

func TestDeletedProjectsAreRemovedSomeRowsAtATime(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	s := openAt(t, path)
	scope, p := newProject(t, s)
	_, other := newProject(t, s)
	const items = removalBatch + 20
	var first NewFeedback
	for i := range items {
		in := newFeedback(p, fmt.Sprintf("ephemeral words %d", i))
		if i == 0 {
			first = in
		}
		mustSubmit(t, s, in)
	}
	awaitIndexed(t, s)
	if _, err := s.PostMessage(t.Context(), scope, models.NewMessage{
		ID: models.NewID(), FeedbackID: first.Submission.ID, Visibility: models.VisibilityInternal, Body: "note",
		Author: models.Author{Kind: models.AuthorMember, UserID: models.NewID()},
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteProject(t.Context(), scope, p.ID); err != nil {
		t.Fatal(err)
	}
	_, err := s.Feedback(t.Context(), scope, first.Submission.ID)
	wantCode(t, "an item of a deleted project", err, models.CodeNotFound)
	wantCode(t, "erasing it", s.Erase(t.Context(), scope, first.Submission.ID), models.CodeNotFound)
	// The removal goes on where a restart stopped it.
	closeStore(t, s)
	s = openAt(t, path)
	await(t, func() bool { left, _ := leftOf(t, s, p); return left == 0 })
	if _, taken := leftOf(t, s, p); taken != items {
		t.Errorf("%d ids stay taken, want %d", taken, items)
	}
	again := newFeedback(other, first.Submission.Message)
	again.Submission.ID = first.Submission.ID
	_, err = s.Submit(t.Context(), again)
	wantCode(t, "an id of a deleted project", err, models.CodeIDConflict)
}

// A submission that shares its transaction with the deletion of its project, and
// comes behind it, is refused; one before it is deleted with the rest.
func TestSubmissionBesideADeletion(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	release := holdWriter(t, s)
	results := make(chan error, 3)
	queued := func(call func() error) {
		before := len(s.writer.queue)
		go func() { results <- call() }()
		await(t, func() bool { return len(s.writer.queue) == before+1 })
	}
	submit := func() error { _, err := s.Submit(t.Context(), newFeedback(p, "words")); return err }
	queued(submit)
	queued(func() error { return s.DeleteProject(t.Context(), scope, p.ID) })
	queued(submit)
	release()
	refused := 0
	for range cap(results) {
		if err := <-results; models.CodeOf(err) == models.CodeNotFound {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused != 1 {
		t.Errorf("%d were refused, want 1", refused)
	}
	await(t, func() bool { left, _ := leftOf(t, s, p); return left == 0 })
}
