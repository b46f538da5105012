package store

import (
	"reflect"
	"testing"

	"earshot/models"
)

// What is read as others committed it is what was published where it was committed.
func TestCommittedIsWhatWasPublished(t *testing.T) {
	t.Parallel()
	var published []models.LogEntry
	s := openTest(t, func(entries []models.LogEntry) { published = append(published, entries...) })
	scope, p := newProject(t, s)
	item := newFeedback(p, "The total is wrong")
	mustSubmit(t, s, item)
	mustSubmit(t, s, newFeedback(p, "And the voucher"))
	open := models.StatusOpen
	if _, err := s.Triage(t.Context(), scope, item.Submission.ID, models.Triage{Status: &open, Rev: 1}, models.Actor{UserID: models.NewID(), Name: "Bo"}); err != nil {
		t.Fatal(err)
	}
	heads, err := s.LogHeads(t.Context(), []models.ID{p.ID, models.NewID()})
	if err != nil || len(heads) != 1 || heads[p.ID] != 3 {
		t.Errorf("heads = %v, %v, want 3 of one project", heads, err)
	}
	read, err := s.Committed(t.Context(), p.ID, 0, 10)
	if err != nil || len(read) != 3 || len(published) != 3 {
		t.Fatalf("read %d entries, published %d, %v; want 3", len(read), len(published), err)
	}
	for i := range read {
		a, b := read[i], published[i]
		if a.Seq != b.Seq || a.Type != b.Type || a.FeedbackID != b.FeedbackID || a.SessionID != b.SessionID || a.At.UnixMilli() != b.At.UnixMilli() ||
			(a.Feedback == nil) != (b.Feedback == nil) || !reflect.DeepEqual(a.Update, b.Update) {
			t.Errorf("read %+v, published %+v", a, b)
		}
	}
	if rest, err := s.Committed(t.Context(), p.ID, 2, 10); err != nil || len(rest) != 1 || rest[0].Seq != 3 {
		t.Errorf("after 2: %+v, %v", rest, err)
	}
}

// However many projects a server follows, it is told how far their logs reach:
// PostgreSQL takes 65,535 parameters in a query, SQLite 32,766.
func TestLogHeadsOfManyProjects(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	_, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "one of many"))
	projects := make([]models.ID, 70_000)
	for i := range projects {
		projects[i] = models.NewID()
	}
	projects[len(projects)-1] = p.ID
	heads, err := s.LogHeads(t.Context(), projects)
	if err != nil || len(heads) != 1 || heads[p.ID] != 1 {
		t.Errorf("heads = %v, %v, want 1 of one project", heads, err)
	}
}
