package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestViews(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	agent, viewer := member(t, s, owner, models.RoleAgent), member(t, s, owner, models.RoleViewer)
	foreign := stranger(t, s)
	path := "/api/v1/projects/" + string(project.ID) + "/views"
	s.Submit(t, project, "one")
	s.Submit(t, project, "two")

	create := func(who *apitest.Client, status int, body map[string]any) (view api.View) {
		t.Helper()
		if answer := who.Post(path, body, status); status == 201 {
			answer.JSON(&view)
		}
		return view
	}
	list := func(who *apitest.Client) api.ViewList {
		t.Helper()
		var views api.ViewList
		who.Get(path+"?count=true", 200).JSON(&views)
		return views
	}
	own := create(viewer, 201, map[string]any{"name": " Mine ", "query": map[string]any{"status": "new,open", "sort": "-rating"}})
	if own.Name != "Mine" || own.Shared || string(own.Query) != `{"status":["new","open"],"sort":"-rating"}` {
		t.Errorf("the view is %+v with %s", own, own.Query)
	}
	create(viewer, 403, map[string]any{"name": "Ours", "shared": true, "query": map[string]any{}})
	shared := create(agent, 201, map[string]any{"name": "Ours", "shared": true, "query": map[string]any{"q": "one"}})
	if views := list(viewer); len(views.Items) != 2 || *views.Items[0].Total != 2 || views.Items[1].ID != shared.ID {
		t.Errorf("the viewer sees %+v, want their own with 2 items and the shared one", views.Items)
	}
	if views := list(owner); len(views.Items) != 1 {
		t.Errorf("the owner sees %+v, want the shared one alone", views.Items)
	}
	if views := list(owner); len(views.BuiltIn) != 7 || *views.BuiltIn[0].Total != 2 || *views.BuiltIn[4].Total != 0 {
		t.Errorf("built in are %+v, want 2 in the inbox and none resolved", views.BuiltIn)
	}
	foreign.Get(path, 404)

	at := func(view api.View) string { return "/api/v1/views/" + string(view.ID) }
	viewer.Patch(at(own), map[string]any{"name": "Mine too"}, 200)
	viewer.Patch(at(own), map[string]any{"shared": true}, 403)
	owner.Patch(at(own), map[string]any{"name": "Not mine"}, 404)
	viewer.Patch(at(shared), map[string]any{"name": "Not mine"}, 403)
	foreign.Patch(at(shared), map[string]any{"name": "Not mine"}, 404)
	owner.Patch(at(shared), map[string]any{"name": "Everybody's", "query": map[string]any{"unread": true}}, 200)
	agent.Patch(at(shared), map[string]any{"shared": false}, 200)
	if views := list(owner); len(views.Items) != 0 {
		t.Errorf("the owner sees %+v, which is not shared any more", views.Items)
	}
	viewer.Do("DELETE", at(shared), nil).Want(404)
	agent.Do("DELETE", at(shared), nil).Want(204)
	viewer.Do("DELETE", at(own), nil).Want(204)
}

// What is not understood is refused by its name, and nothing is left out.
func TestViewsAreReadStrictly(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/views"
	for query, field := range map[string]string{
		`{"colour":"red"}`: "query.colour", `{"Status":"new"}`: "query.Status", `{"status":"done"}`: "query.status", `{"status":7}`: "query.status",
		`{"rating":9}`: "query.rating", `{"priority":"huge"}`: "query.priority", `{"from":"yesterday"}`: "query.from", `{"unread":"yes"}`: "query.unread",
		`{"sort":"colour"}`: "query.sort", `{"sort":"relevance"}`: "query.sort", `{"assignee":"them"}`: "query.assignee", `{"limit":5}`: "query.limit",
		`{"q":"` + strings.Repeat("a", 501) + `"}`: "query.q",
	} {
		answer := owner.Post(path, map[string]any{"name": "A view", "query": json.RawMessage(query)}, 422)
		if text := string(answer.Body); !strings.Contains(text, `"invalid_field"`) || !strings.Contains(text, `"`+field+`"`) {
			t.Errorf("%s is answered %s, want %s named", query, text, field)
		}
	}
	owner.Post(path, map[string]any{"name": " ", "query": map[string]any{}}, 422)
	owner.Post(path, map[string]any{"name": "A view"}, 422)
	for range models.MaxViews {
		owner.Post(path, map[string]any{"name": "A view", "query": map[string]any{"kind": []string{"bug"}, "tag": "vip", "quarantined": false}}, 201)
	}
	owner.Post(path, map[string]any{"name": "One more", "query": map[string]any{}}, 403)
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/feedback"
	id := s.Submit(t, project, "one").ID
	s.Submit(t, project, "two")
	owner.Patch("/api/v1/feedback/"+string(id), map[string]any{"priority": "high", "rev": 1}, 200)
	owner.Do("PUT", "/api/v1/feedback/"+string(id)+"/read", nil).Want(204)
	for query, want := range map[string]int{
		"priority=high": 1, "priority=high,normal": 2, "priority=urgent": 0, "unread=true": 1, "unread=true&priority=high": 0,
	} {
		var list api.FeedbackList
		if owner.Get(path+"?count=true&"+query, 200).JSON(&list); len(list.Items) != want || *list.Total != int64(want) {
			t.Errorf("%s gives %d items of %d, want %d", query, len(list.Items), *list.Total, want)
		}
	}
	owner.Get(path+"?sort=relevance", 422)
	owner.Get(path+"?priority=huge", 422)
	owner.Get(path+"?q=one&sort=relevance", 200)
}
