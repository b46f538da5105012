package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"earshot/models"
)

// triage sets an item's status and gives the seq of the change.
func triage(t testing.TB, s *Store, scope models.Scope, id models.ID, change models.Triage) {
	t.Helper()
	item, err := s.Feedback(t.Context(), scope, id)
	if err != nil {
		t.Fatal(err)
	}
	change.Rev = item.Rev
	if _, err := s.Triage(t.Context(), scope, id, change, models.Actor{}); err != nil {
		t.Fatal(err)
	}
}

func statusTo(status models.Status) models.Triage { return models.Triage{Status: &status} }

func TestVisitorLogIsTheVisitorsOwn(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	elsewhere, other := newProject(t, s)
	mine := []NewFeedback{newFeedback(p, "a"), newFeedback(p, "b"), newFeedback(p, "to be erased")}
	for i := range mine {
		mine[i].ResumeHash, mine[i].SessionID = mine[0].ResumeHash, mine[0].SessionID
		mustSubmit(t, s, mine[i]) // 1 to 3
	}
	theirs, far := newFeedback(p, "theirs"), newFeedback(other, "far")
	far.SessionID = mine[0].SessionID // as nobody can bring about
	mustSubmit(t, s, theirs)          // 4
	mustSubmit(t, s, far)
	id := func(in NewFeedback) models.ID { return in.Submission.ID }
	triage(t, s, scope, id(theirs), statusTo(models.StatusOpen))    // 5
	triage(t, s, scope, id(mine[1]), statusTo(models.StatusOpen))   // 6
	triage(t, s, scope, id(mine[0]), statusTo(models.StatusClosed)) // 7
	triage(t, s, scope, id(mine[2]), statusTo(models.StatusOpen))   // 8
	triage(t, s, scope, id(mine[1]), statusTo(models.StatusNew))    // 9
	triage(t, s, elsewhere, id(far), statusTo(models.StatusOpen))
	if err := s.Erase(t.Context(), scope, id(mine[2])); err != nil { // 10
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		scope   models.Scope
		project models.ID
		session models.ID
		since   int64
		limit   int
		want    []int64
	}{
		{"all", scope, p.ID, mine[0].SessionID, 0, 10, []int64{6, 7, 9}},
		{"since", scope, p.ID, mine[0].SessionID, 6, 10, []int64{7, 9}},
		{"page", scope, p.ID, mine[0].SessionID, 0, 2, []int64{6, 7}},
		{"end", scope, p.ID, mine[0].SessionID, 9, 10, nil},
		{"another's", scope, p.ID, theirs.SessionID, 0, 10, []int64{5}},
		{"nobody's", scope, p.ID, "", 0, 10, nil},
		{"another project", elsewhere, other.ID, mine[0].SessionID, 0, 10, []int64{2}},
		{"a foreign scope", elsewhere, p.ID, mine[0].SessionID, 0, 10, nil},
	} {
		entries, err := s.ReadVisitorLog(t.Context(), tc.scope, tc.project, tc.session, tc.since, tc.limit)
		var got []int64
		for _, entry := range entries {
			got = append(got, entry.Seq)
			if entry.Type != models.EventFeedbackUpdated || entry.Update == nil || entry.SessionID != tc.session || entry.ProjectID != tc.project {
				t.Errorf("%s: entry %+v, want an update of the session's", tc.name, entry)
			}
		}
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: seqs %v (%v), want %v", tc.name, got, err, tc.want)
		}
	}
	if err := s.DeleteProject(t.Context(), scope, p.ID); err != nil {
		t.Fatal(err)
	}
	entries, err := s.ReadVisitorLog(t.Context(), scope, p.ID, mine[0].SessionID, 0, 10)
	if len(entries) > 0 {
		t.Errorf("a deleted project shows %v (%v), want nothing", entries, err)
	}
}

// What a visitor's read costs must not depend on how much others write.
func TestVisitorLogIsReadAlongItsIndexes(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "TestPostgresPlans looks at the other's plans")
	s := openTest(t, nil)
	var plan []struct{ Detail string }
	if err := s.read.Raw("EXPLAIN QUERY PLAN "+visitorLog(dialectOf(s.read)), "s", "p", "o", 0, 10).Scan(&plan).Error; err != nil {
		t.Fatal(err)
	}
	details := fmt.Sprint(plan)
	for _, step := range []string{
		"SEARCH f USING INDEX feedback_by_session (session_id=?)",
		"SEARCH e USING INDEX events_by_feedback (feedback_id=? AND project_id=? AND seq>?)",
	} {
		if !strings.Contains(details, step) {
			t.Errorf("the plan is %s, want %s", details, step)
		}
	}
	if strings.Contains(details, "SCAN f") || strings.Contains(details, "SCAN e") {
		t.Errorf("the plan is %s: something is read from end to end", details)
	}
}
