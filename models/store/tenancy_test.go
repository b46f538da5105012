package store

import (
	"errors"
	"testing"

	"earshot/models"
)

// Every method that takes a scope finds nothing of another organisation, and
// refuses the zero scope with an error that is our own fault.
func TestScopesAreWalls(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	stranger, _ := newProject(t, s)
	item := mustSubmit(t, s, newFeedback(p, "ours"))
	status := models.StatusOpen
	triage := models.Triage{Status: &status, Rev: 1}

	member, err := s.CreateMember(t.Context(), scope, models.User{Email: "views@example.com", PasswordHash: "x"}, models.RoleAgent)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.CreateView(t.Context(), scope, models.View{ID: models.NewID(), ProjectID: p.ID, UserID: member.ID, Name: "Ours", Shared: true})
	if err != nil {
		t.Fatal(err)
	}

	type outcome struct {
		code  models.Code // for the stranger
		empty bool        // or nothing, without an error
	}
	for name, tc := range map[string]struct {
		call func(models.Scope) (empty bool, err error)
		want outcome
	}{
		"Project": {func(sc models.Scope) (bool, error) {
			got, err := s.Project(t.Context(), sc, p.ID)
			return got == nil, err
		}, outcome{code: models.CodeNotFound}},
		"Projects": {func(sc models.Scope) (bool, error) {
			list, err := s.Projects(t.Context(), sc, Page{Limit: 10, Count: CountExact}, "created_at")
			for _, other := range list.Items {
				if other.ID == p.ID {
					return false, err
				}
			}
			return true, err
		}, outcome{empty: true}},
		"UpdateProject": {func(sc models.Scope) (bool, error) {
			_, err := s.UpdateProject(t.Context(), sc, p.ID, func(p *models.Project) error { p.Name = "taken over"; return nil })
			return false, err
		}, outcome{code: models.CodeNotFound}},
		"DeleteProject": {func(sc models.Scope) (bool, error) { return false, s.DeleteProject(t.Context(), sc, p.ID) },
			outcome{code: models.CodeNotFound}},
		"Feedback": {func(sc models.Scope) (bool, error) {
			got, err := s.Feedback(t.Context(), sc, item.ID)
			return got == nil, err
		},
			outcome{code: models.CodeNotFound}},
		"FeedbackList": {func(sc models.Scope) (bool, error) {
			list, err := s.FeedbackList(t.Context(), sc, p.ID, Filter{}, Page{Limit: 10, Count: CountExact})
			return len(list.Items) == 0 && list.Total == nil, err
		}, outcome{code: models.CodeNotFound}},
		"Views": {func(sc models.Scope) (bool, error) {
			views, err := s.Views(t.Context(), sc, p.ID, member.ID)
			return len(views) == 0, err
		}, outcome{code: models.CodeNotFound}},
		"CountViews": {func(sc models.Scope) (bool, error) {
			_, err := s.CountViews(t.Context(), sc, p.ID, []Filter{{}})
			return false, err
		}, outcome{code: models.CodeNotFound}},
		"CreateView": {func(sc models.Scope) (bool, error) {
			_, err := s.CreateView(t.Context(), sc, models.View{ID: models.NewID(), ProjectID: p.ID, UserID: member.ID, Name: "Theirs"})
			return false, err
		}, outcome{code: models.CodeNotFound}},
		"UpdateView": {func(sc models.Scope) (bool, error) {
			_, err := s.UpdateView(t.Context(), sc, member.ID, kept.ID, func(v *models.View) error { v.Name = "taken over"; return nil })
			return false, err
		}, outcome{code: models.CodeNotFound}},
		"DeleteView": {func(sc models.Scope) (bool, error) {
			return false, s.DeleteView(t.Context(), sc, member.ID, kept.ID, func(models.View) error { return nil })
		}, outcome{code: models.CodeNotFound}},
		"Triage": {func(sc models.Scope) (bool, error) {
			got, err := s.Triage(t.Context(), sc, item.ID, triage, models.Actor{})
			return got == nil, err
		}, outcome{code: models.CodeNotFound}},
		"Triage at another revision": {func(sc models.Scope) (bool, error) {
			// A conflict would show the present item.
			got, err := s.Triage(t.Context(), sc, item.ID, models.Triage{Status: &status, Rev: 9}, models.Actor{})
			return got == nil, err
		}, outcome{code: models.CodeNotFound}},
		"Erase": {func(sc models.Scope) (bool, error) { return false, s.Erase(t.Context(), sc, item.ID) },
			outcome{code: models.CodeNotFound}},
		"LogHead": {func(sc models.Scope) (bool, error) {
			head, err := s.LogHead(t.Context(), sc, p.ID)
			return head == Head{}, err
		}, outcome{code: models.CodeNotFound}},
		"ReadLog": {func(sc models.Scope) (bool, error) {
			log, err := s.ReadLog(t.Context(), sc, p.ID, 0, 10)
			return len(log) == 0, err
		}, outcome{empty: true}},
	} {
		t.Run(name, func(t *testing.T) {
			empty, err := tc.call(stranger)
			if models.CodeOf(err) != tc.want.code || (tc.want.empty && !empty) {
				t.Errorf("a stranger gets %v and nothing else: %v; want code %q", err, empty, tc.want.code)
			}
			if _, err := tc.call(models.Scope{}); err == nil || errors.As(err, new(*models.Error)) {
				t.Errorf("the zero scope gets %v, want an error of our own", err)
			}
		})
	}
	if _, err := s.CreateMember(t.Context(), models.Scope{}, models.User{Email: "a@example.com"}, models.RoleOwner); models.CodeOf(err) != models.CodeInternal {
		t.Errorf("CreateMember without a scope: %v", err)
	}
	if err := s.CreateProject(t.Context(), models.Scope{}, &models.Project{}); models.CodeOf(err) != models.CodeInternal {
		t.Errorf("CreateProject without a scope: %v", err)
	}
	if got, err := s.Project(t.Context(), scope, p.ID); err != nil || got.Name != p.Name {
		t.Errorf("after all that the project is %+v (%v)", got, err)
	}
	if got, err := s.Feedback(t.Context(), scope, item.ID); err != nil || got.Rev != 1 || got.Status != models.StatusNew {
		t.Errorf("after all that the item is %+v (%v)", got, err)
	}
}

func TestAssigneesAreMembers(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	other, _ := newProject(t, s)
	colleague, err := s.CreateMember(t.Context(), scope, models.User{Email: "a@example.com"}, models.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := s.CreateMember(t.Context(), other, models.User{Email: "b@example.com"}, models.RoleOwner)
	if err != nil {
		t.Fatal(err)
	}
	item := mustSubmit(t, s, newFeedback(p, "item"))
	nobody, unknown := models.ID(""), models.NewID()
	rev := int64(1)
	for _, tc := range []struct {
		name string
		id   models.ID
		code models.Code
	}{
		{"a member of another organisation", stranger.ID, models.CodeInvalidField},
		{"an unknown id", unknown, models.CodeInvalidField},
		{"a member", colleague.ID, ""},
		{"nobody", nobody, ""},
	} {
		got, err := s.Triage(t.Context(), scope, item.ID, models.Triage{AssigneeID: &tc.id, Rev: rev}, models.Actor{})
		wantCode(t, tc.name, err, tc.code)
		if err == nil {
			rev = got.Rev
			if got.AssigneeID != tc.id {
				t.Errorf("%s: assigned to %q, want %q", tc.name, got.AssigneeID, tc.id)
			}
		}
	}
}

func TestReceiptsReadAcrossScopes(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	item := mustSubmit(t, s, newFeedback(p, "item"))
	feedback, project, err := s.FeedbackByReceipt(t.Context(), item.ID)
	if err != nil || feedback.ID != item.ID || project.ID != p.ID {
		t.Errorf("the receipt reads %+v of %+v (%v)", feedback, project, err)
	}
	if err := s.Erase(t.Context(), scope, item.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.FeedbackByReceipt(t.Context(), item.ID)
	wantCode(t, "the receipt of an erased item", err, models.CodeNotFound)
}
