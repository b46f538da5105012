package api_test

import (
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// What is unread is each member's own.
func TestUnread(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	old := s.Submit(t, project, "before the agent joined")
	agent, viewer := member(t, s, owner, models.RoleAgent), member(t, s, owner, models.RoleViewer)
	fresh := s.Submit(t, project, "since then")
	unread := func(c *apitest.Client) (unread []models.ID) {
		t.Helper()
		var list api.FeedbackList
		c.Get("/api/v1/projects/"+string(project.ID)+"/feedback?sort=created_at", 200).JSON(&list)
		for _, item := range list.Items {
			var one api.Feedback
			c.Get("/api/v1/feedback/"+string(item.ID), 200).JSON(&one)
			if one.Unread != item.Unread {
				t.Errorf("%s is unread %t in the list, %t by itself", item.ID, item.Unread, one.Unread)
			}
			if item.Unread {
				unread = append(unread, item.ID)
			}
		}
		return unread
	}
	want := func(what string, c *apitest.Client, ids ...models.ID) {
		t.Helper()
		got := unread(c)
		if len(got) != len(ids) {
			t.Fatalf("%s: unread are %v, want %v", what, got, ids)
		}
		for i := range ids {
			if got[i] != ids[i] {
				t.Errorf("%s: unread are %v, want %v", what, got, ids)
			}
		}
	}
	want("the owner was there before", owner, old.ID, fresh.ID)
	want("the agent came later", agent, fresh.ID)
	path := "/api/v1/feedback/" + string(fresh.ID) + "/read"
	agent.Do("PUT", path, nil).Want(204)
	want("read", agent)
	want("by one", viewer, fresh.ID)
	agent.Post("/api/v1/feedback/"+string(fresh.ID)+"/messages", `{"body":"hi","visibility":"public"}`, 201)
	want("a reply of staff", agent)
	s.Client(t).Post(strings.TrimPrefix(fresh.ReceiptURL, s.URL)+"/messages", `{"body":"and?"}`, 201)
	want("the visitor again", agent, fresh.ID)
	agent.Do("PUT", path, nil).Want(204)
	agent.Do(del, path, nil).Want(204)
	want("taken back", agent, fresh.ID)
	stranger(t, s).Do("PUT", path, nil).Want(404)
}
