package api_test

import (
	"slices"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, _ := s.Project(t)
	viewer := member(t, s, owner, models.RoleViewer)
	stranger(t, s)
	var all, first, second api.TeamMemberList
	viewer.Get("/api/v1/members?count=true", 200).JSON(&all)
	if len(all.Items) != 2 || *all.Total != 2 || all.Items[0].Role != models.RoleOwner || all.Items[1].Role != models.RoleViewer || all.Items[1].Name == "" {
		t.Fatalf("members = %+v, want the owner and the viewer, not the stranger", all)
	}
	viewer.Get("/api/v1/members?limit=1", 200).JSON(&first)
	viewer.Get("/api/v1/members?limit=1&cursor="+*first.NextCursor, 200).JSON(&second)
	if second.NextCursor != nil || second.Items[0].ID != all.Items[1].ID {
		t.Errorf("the second page is %+v, want the viewer alone", second)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	base := "/api/v1/projects/" + string(project.ID)
	tag := func(id models.ID, rev int64, tags ...string) {
		owner.Patch("/api/v1/feedback/"+string(id), map[string]any{"tags": tags, "rev": rev}, 200)
	}
	want := func(tags ...string) {
		t.Helper()
		var list api.TagList
		owner.Get(base+"/tags", 200).JSON(&list)
		if !slices.Equal(list.Items, tags) {
			t.Errorf("tags = %q, want %q", list.Items, tags)
		}
	}
	want()
	one, two := s.Submit(t, project, "one").ID, s.Submit(t, project, "two").ID
	tag(one, 1, "cart", "übersicht")
	tag(two, 1, "cart")
	want("cart", "übersicht")
	var list api.FeedbackList
	if owner.Get(base+"/feedback?tag=cart&count=true", 200).JSON(&list); len(list.Items) != 2 || *list.Total != 2 {
		t.Errorf("%d items have the tag, want 2", len(list.Items))
	}
	tag(one, 2, "übersicht")
	if owner.Get(base+"/feedback?tag=cart", 200).JSON(&list); len(list.Items) != 1 || list.Items[0].ID != two {
		t.Errorf("items = %+v, want the second alone", list.Items)
	}
	owner.Delete("/api/v1/feedback/" + string(two))
	want("übersicht")
}

// ids are submissions in a project, revision 1 each.
func ids(t *testing.T, s *apitest.Server, project api.Project, n int) []models.ID {
	t.Helper()
	made := make([]models.ID, n)
	for i := range made {
		made[i] = s.Submit(t, project, "item").ID
	}
	return made
}

func TestBulk(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	var second api.Project
	owner.Post("/api/v1/projects", `{"name":"Second"}`, 201).JSON(&second)
	elsewhere := s.Submit(t, second, "elsewhere").ID
	agent := member(t, s, owner, models.RoleAgent)
	path := "/api/v1/projects/" + string(project.ID) + "/feedback/bulk"
	item := ids(t, s, project, 4)
	owner.Patch("/api/v1/feedback/"+string(item[3]), map[string]any{"tags": []string{"old", "slow"}, "rev": 1}, 200)
	change := func(id models.ID, rev int64, changes map[string]any) map[string]any {
		asked := map[string]any{"id": id, "changes": changes}
		if rev > 0 {
			asked["rev"] = rev
		}
		return asked
	}
	var answer api.BulkAnswer
	agent.Post(path, map[string]any{"items": []any{
		change(item[0], 1, map[string]any{"status": "resolved", "priority": "high"}),
		change(item[1], 0, map[string]any{"status": "new"}),
		change(item[2], 7, map[string]any{"status": "resolved"}),
		change(item[3], 2, map[string]any{"add_tags": []string{"cart"}, "remove_tags": []string{"slow", "none"}}),
		change(elsewhere, 0, map[string]any{"status": "resolved"}),
		change(models.NewID(), 0, map[string]any{"status": "resolved"}),
		change(item[1], 0, map[string]any{}),
		change(item[1], 0, map[string]any{"assignee_id": models.NewID()}),
	}}, 200).JSON(&answer)
	var outcomes []string
	for _, result := range answer.Items {
		outcomes = append(outcomes, strings.TrimSuffix(result.Outcome+" "+string(result.Code), " "))
	}
	want := []string{"changed", "unchanged", "refused conflict", "changed", "refused not_found", "refused not_found",
		"refused invalid_field", "refused invalid_field"}
	if !slices.Equal(outcomes, want) {
		t.Fatalf("outcomes = %q, want %q", outcomes, want)
	}
	if now := answer.Items[3].Item; !slices.Equal(now.Tags, []string{"cart", "old"}) || now.Rev != 3 {
		t.Errorf("the item has %q at %d, want cart and old at 3", now.Tags, now.Rev)
	}
	if now := answer.Items[2].Item; now == nil || now.Rev != 1 {
		t.Errorf("the conflict does not show what the item is by now: %+v", now)
	}
	var log eventPage
	owner.Get("/api/v1/projects/"+string(project.ID)+"/events?since=0", 200).JSON(&log)
	if updates := len(log.Events) - len(item); updates != 3 { // the tags before, and the two changes
		t.Errorf("%d updates in the log, want 3", updates)
	}
	undone := undo(t, agent, path, answer.Items)
	if undone[0].Outcome != "changed" || undone[0].Item.Status != models.StatusNew || undone[0].Item.Priority != models.PriorityNormal ||
		!slices.Equal(undone[1].Item.Tags, []string{"old", "slow"}) {
		t.Errorf("undone = %+v, want all as it was", undone)
	}
}

// undo asks for what an answer says was there before.
func undo(t *testing.T, c *apitest.Client, path string, done []api.BulkResult) []api.BulkResult {
	t.Helper()
	var back []any
	for _, result := range done {
		if result.Before != nil {
			back = append(back, map[string]any{"id": result.ID, "rev": result.Item.Rev, "changes": result.Before})
		}
	}
	var answer api.BulkAnswer
	c.Post(path, map[string]any{"items": back}, 200).JSON(&answer)
	return answer.Items
}

// The way back leaves alone what somebody else has changed since.
func TestBulkUndoKeepsWhatOthersDid(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/feedback/bulk"
	item := ids(t, s, project, 2)
	var me api.Me
	owner.Get("/api/v1/me", 200).JSON(&me)
	var answer api.BulkAnswer
	owner.Post(path, map[string]any{"items": []any{
		map[string]any{"id": item[0], "changes": map[string]any{"assignee_id": me.User.ID}},
		map[string]any{"id": item[1], "changes": map[string]any{"assignee_id": me.User.ID}},
	}}, 200).JSON(&answer)
	member(t, s, owner, models.RoleAgent).Patch("/api/v1/feedback/"+string(item[1]), map[string]any{"status": "closed", "rev": 2}, 200)
	undone := undo(t, owner, path, answer.Items)
	if undone[0].Outcome != "changed" || undone[0].Item.AssigneeID != nil || undone[1].Code != models.CodeConflict ||
		undone[1].Item.Status != models.StatusClosed {
		t.Errorf("undone = %+v, want the first back and the second left alone", undone)
	}
}

func TestBulkRefusals(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/feedback"
	one := `{"id":"` + string(s.Submit(t, project, "one").ID) + `","changes":{"status":"closed"}}`
	run(t, owner, []call{
		{name: "nothing", method: post, path: path + "/bulk", body: `{"items":[]}`, status: 422, code: "invalid_field"},
		{name: "too many", method: post, path: path + "/bulk", body: `{"items":[` + strings.Repeat(one+",", 200) + one + `]}`, status: 422, code: "invalid_field"},
		{name: "unknown field", method: post, path: path + "/bulk", body: `{"items":[{"id":"x","changes":{"state":"closed"}}]}`, status: 422, code: "invalid_field"},
		{name: "unknown status", method: post, path: path + "/bulk", body: strings.Replace(`{"items":[`+one+`]}`, "closed", "done", 1), status: 422, code: "invalid_field"},
		{name: "no ids", method: post, path: path + "/read", body: `{"ids":[],"read":true}`, status: 422, code: "invalid_field"},
	})
	run(t, member(t, s, owner, models.RoleViewer), []call{
		{name: "by a viewer", method: post, path: path + "/bulk", body: `{"items":[` + one + `]}`, status: 403, code: "forbidden"},
	})
}

func TestMarkingSeveral(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	item := ids(t, s, project, 3)
	path := "/api/v1/projects/" + string(project.ID) + "/feedback"
	unread := func() (n int) {
		var list api.FeedbackList
		owner.Get(path, 200).JSON(&list)
		for _, shown := range list.Items {
			if shown.Unread {
				n++
			}
		}
		return n
	}
	for _, tc := range []struct {
		ids  []models.ID
		read bool
		want int
	}{{item[:2], true, 1}, {item[1:], true, 0}, {append(item, models.NewID()), false, 3}} {
		owner.Post(path+"/read", map[string]any{"ids": tc.ids, "read": tc.read}, 204)
		if got := unread(); got != tc.want {
			t.Errorf("%d unread, want %d", got, tc.want)
		}
	}
}
