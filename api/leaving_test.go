package api_test

import (
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// whoIs is a signed-in member's address in the API.
func whoIs(c *apitest.Client) string {
	var me api.Me
	c.Get("/api/v1/me", 200).JSON(&me)
	return "/api/v1/members/" + string(me.User.ID)
}

// Who is lowered or removed cannot have left themselves a door: what they invited with
// the higher role ends, and with them the keys, where that is asked for.
func TestNoDoorStaysOpen(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner := s.Owner(t)
	demoted, removed, second := member(t, s, owner, models.RoleAdmin), member(t, s, owner, models.RoleViewer), member(t, s, owner, models.RoleAgent)
	owner.Patch(whoIs(second), map[string]any{"role": "owner"}, 200)
	owner.Patch(whoIs(removed), map[string]any{"role": "admin"}, 200)
	_, admins := invite(t, demoted, map[string]any{"role": "admin"})
	_, anybodys := invite(t, removed, map[string]any{"role": "viewer"})
	_, owners := invite(t, second, map[string]any{"role": "owner"})
	_, agents := invite(t, second, map[string]any{"role": "agent"})
	_, kept := apiKey(t, s, demoted, map[string]any{"name": "kept", "scopes": []string{"feedback:read"}})
	key, ended := apiKey(t, s, removed, map[string]any{"name": "ended", "scopes": []string{"feedback:read"}})
	socket := dashboardSocket(t, s, ended)
	show := func(name, token string, status int) {
		t.Helper()
		if got := s.Client(t).Do(post, "/api/v1/auth/invites/show", map[string]any{"token": token}); got.Status != status {
			t.Errorf("%s: the invitation is answered %d, want %d", name, got.Status, status)
		}
	}

	removedPath := whoIs(removed)
	run(t, removed, []call{{name: "a question that is none", method: del, path: removedPath + "?revoke_api_keys=perhaps", status: 422, code: "invalid_field"}})
	owner.Patch(whoIs(second), map[string]any{"role": "admin"}, 200)
	show("an admin, who was an owner, invited an owner", owners, 401)
	show("an admin, who was an owner, invited an agent", agents, 200)
	owner.Patch(whoIs(demoted), map[string]any{"role": "agent"}, 200)
	show("an agent, who was an admin, invited an admin", admins, 401)
	owner.Delete(removedPath + "?revoke_api_keys=true")
	show("somebody who is gone invited a viewer", anybodys, 401)
	ended.Get("/api/v1/projects", 401)
	closedWith(t, socket, 4502)
	kept.Get("/api/v1/jobs", 200)

	var log api.AuditList
	owner.Get("/api/v1/audit?limit=50", 200).JSON(&log)
	var revoked []string
	for _, entry := range log.Items {
		if strings.HasSuffix(string(entry.Action), ".revoked") {
			revoked = append(revoked, string(entry.Action))
		}
	}
	if len(revoked) != 4 || key.ID == "" {
		t.Errorf("noted as taken back: %v, want three invitations and a key", revoked)
	}

	// Who leaves by themselves and may not manage keeps their hands off the keys.
	run(t, demoted, []call{{name: "leave with keys", method: del, path: whoIs(demoted) + "?revoke_api_keys=true", status: 403, code: "forbidden"}})
}

// A program that may write and not read learns nothing of what visitors said: not from
// what it changed, not from what it failed to, not from a finished export.
func TestWritingIsNotReading(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	receipt := s.Submit(t, project, "Nobody may know this")
	owner.Patch("/api/v1/feedback/"+string(receipt.ID), map[string]any{"rev": 1, "priority": "high"}, 200)
	_, writer := apiKey(t, s, owner, map[string]any{"name": "writer", "scopes": []string{"feedback:write"}})
	item, inbox := "/api/v1/feedback/"+string(receipt.ID), "/api/v1/projects/"+string(project.ID)
	bulk := func(rev int) map[string]any {
		return map[string]any{"items": []map[string]any{{"id": receipt.ID, "rev": rev, "changes": map[string]any{"status": "open"}}}}
	}
	for name, answer := range map[string]*apitest.Response{
		"a stale revision":         writer.Patch(item, map[string]any{"rev": 1, "status": "closed"}, 409),
		"a change":                 writer.Patch(item, map[string]any{"rev": 2, "status": "closed"}, 200),
		"several, stale":           writer.Post(inbox+"/feedback/bulk", bulk(1), 200),
		"several":                  writer.Post(inbox+"/feedback/bulk", bulk(3), 200),
		"a list that is not its's": writer.Do(get, inbox+"/feedback", nil).Want(403),
	} {
		if strings.Contains(string(answer.Body), "Nobody may know") || strings.Contains(string(answer.Body), "example.com") {
			t.Errorf("%s shows what was said: %s", name, answer.Body)
		}
	}
	if stale := owner.Patch(item, map[string]any{"rev": 1, "status": "open"}, 409); !strings.Contains(string(stale.Body), "Nobody may know") {
		t.Errorf("who may read is not shown the present item: %s", stale.Body)
	}

	_, exporter := apiKey(t, s, owner, map[string]any{"name": "exporter", "scopes": []string{"jobs:write"}})
	var job api.Job
	exporter.Post(inbox+"/exports", map[string]any{"format": "csv"}, 202).JSON(&job)
	path := "/api/v1/jobs/" + string(job.ID)
	for end := time.Now().Add(10 * time.Second); job.DownloadURL == nil; time.Sleep(20 * time.Millisecond) {
		if owner.Get(path, 200).JSON(&job); time.Now().After(end) {
			t.Fatalf("the export does not end: %+v", job)
		}
	}
	var told api.Job
	if exporter.Post(path+"/cancel", nil, 200).JSON(&told); told.DownloadURL != nil {
		t.Errorf("who may not read is given %s", *told.DownloadURL)
	}
}
