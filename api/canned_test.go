package api_test

import (
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestCannedReplies(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	agent, viewer := member(t, s, owner, models.RoleAgent), member(t, s, owner, models.RoleViewer)
	path := "/api/v1/projects/" + string(project.ID) + "/canned-replies"
	var made, changed api.CannedReply
	agent.Post(path, `{"name":" Thanks ","body":"Hello {{visitor.name|there}}, {{ member.name }} here."}`, 201).JSON(&made)
	if made.Name != "Thanks" || made.Rev != 1 || made.ProjectID != project.ID {
		t.Errorf("made %+v", made)
	}
	one := "/api/v1/canned-replies/" + string(made.ID)
	owner.Patch(one, `{"body":"Hi.","rev":1}`, 200).JSON(&changed)
	if changed.Name != "Thanks" || changed.Body != "Hi." || changed.Rev != 2 {
		t.Errorf("changed to %+v", changed)
	}
	run(t, agent, []call{
		{name: "stale", method: "PATCH", path: one, body: `{"name":"X","rev":1}`, status: 409, code: "conflict"},
		{name: "no name", method: post, path: path, body: `{"name":" ","body":"x"}`, status: 422, code: "invalid_field", field: "name"},
		{name: "no body", method: post, path: path, body: `{"name":"x","body":" "}`, status: 422, code: "invalid_field", field: "body"},
		{name: "too long", method: post, path: path, body: `{"name":"x","body":"` + strings.Repeat("x", 5001) + `"}`, status: 422, code: "invalid_field", field: "body"},
		{name: "unknown placeholder", method: post, path: path, body: `{"name":"x","body":"{{visitor.age}}"}`, status: 422, code: "invalid_field", field: "body"},
	})
	run(t, viewer, []call{
		{name: "by a viewer", method: post, path: path, body: `{"name":"x","body":"x"}`, status: 403, code: "forbidden"},
		{name: "changed by a viewer", method: "PATCH", path: one, body: `{"name":"x","rev":2}`, status: 403, code: "forbidden"},
		{name: "deleted by a viewer", method: del, path: one, status: 403, code: "forbidden"},
	})
	var list api.CannedReplyList
	if viewer.Get(path+"?count=true", 200).JSON(&list); len(list.Items) != 1 || *list.Total != 1 || list.Items[0] != changed {
		t.Errorf("list = %+v", list)
	}
	agent.Delete(one)
	agent.Do(del, one, nil).Want(404)
}
