package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/store"
)

// apiKey makes an API key and a client that holds it.
func apiKey(t *testing.T, s *apitest.Server, owner *apitest.Client, body map[string]any) (api.CreatedAPIKey, *apitest.Client) {
	t.Helper()
	var key api.CreatedAPIKey
	owner.Post("/api/v1/api-keys", body, 201).JSON(&key)
	c := s.Client(t)
	c.Token = key.Key
	return key, c
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	receipt := s.Submit(t, project, "Broken")
	key, c := apiKey(t, s, owner, map[string]any{"name": " CI ", "scopes": []string{"feedback:read", "projects:read"}})
	if !models.ValidAPIKey(key.Key) || key.Name != "CI" || !strings.HasSuffix(key.Key, key.Hint) || key.ProjectID != nil {
		t.Errorf("key = %+v", key)
	}
	item := "/api/v1/feedback/" + string(receipt.ID)
	run(t, c, []call{
		{name: "list projects", method: get, path: "/api/v1/projects", status: 200},
		{name: "read", method: get, path: item, status: 200},
		{name: "read the log", method: get, path: "/api/v1/projects/" + string(project.ID) + "/events?since=0", status: 200},
		{name: "change without the scope", method: patch, path: item, body: map[string]any{"rev": 1, "status": "open"}, status: 403, code: "forbidden"},
		{name: "erase without the scope", method: del, path: item, status: 403, code: "forbidden"},
		{name: "make a project without the scope", method: post, path: "/api/v1/projects", body: map[string]any{"name": "X"}, status: 403, code: "forbidden"},
		{name: "what is people's alone", method: get, path: "/api/v1/me", status: 403, code: "forbidden"},
		{name: "make another key", method: post, path: "/api/v1/api-keys", body: map[string]any{"name": "X", "scopes": []string{"feedback:write"}}, status: 403, code: "forbidden"},
		{name: "invite", method: post, path: "/api/v1/invites", body: map[string]any{"role": "owner"}, status: 403, code: "forbidden"},
	})
	_, writer := apiKey(t, s, owner, map[string]any{"name": "bot", "scopes": []string{"feedback:read", "feedback:write"}})
	writer.Patch(item, map[string]any{"rev": 1, "status": "open"}, 200)
	writer.Post(item+"/messages", map[string]any{"body": "Thank you", "visibility": "public"}, 201)
	var messages struct{ Items []api.Message }
	owner.Get(item+"/messages", 200).JSON(&messages)
	if len(messages.Items) != 1 || messages.Items[0].Author.Name != "bot" {
		t.Errorf("messages = %+v, want one of the bot's", messages.Items)
	}

	list := owner.Get("/api/v1/api-keys", 200)
	var keys api.APIKeyList
	list.JSON(&keys)
	if len(keys.Items) != 2 || strings.Contains(string(list.Body), key.Key) || keys.Items[1].UsedAt == nil {
		t.Errorf("keys = %s, want two without their secrets, the use of the first noted", list.Body)
	}
	owner.Delete("/api/v1/api-keys/" + string(key.ID))
	run(t, c, []call{{name: "revoked", method: get, path: item, status: 401, code: "unauthorized"}})
	run(t, owner, []call{
		{name: "revoke again", method: del, path: "/api/v1/api-keys/" + string(key.ID), status: 404, code: "not_found"},
		{name: "unknown scope", method: post, path: "/api/v1/api-keys", body: map[string]any{"name": "X", "scopes": []string{"everything"}}, status: 422, code: "invalid_field", field: "scopes.0"},
		{name: "no scope", method: post, path: "/api/v1/api-keys", body: map[string]any{"name": "X", "scopes": []string{}}, status: 422, code: "invalid_field", field: "scopes"},
		{name: "no name", method: post, path: "/api/v1/api-keys", body: map[string]any{"name": "", "scopes": []string{"feedback:read"}}, status: 422, code: "invalid_field", field: "name"},
		{name: "of no project", method: post, path: "/api/v1/api-keys", body: map[string]any{"name": "X", "scopes": []string{"feedback:read"}, "project_id": models.NewID()}, status: 404, code: "not_found"},
		{name: "members of one project", method: post, path: "/api/v1/api-keys", body: map[string]any{"name": "X", "scopes": []string{"members:read"}, "project_id": project.ID}, status: 422, code: "invalid_field", field: "scopes.0"},
	})
	for _, forged := range []string{"sk_", "sk_short", models.NewAPIKeySecret(), key.Key + "0"} {
		c.Token = forged
		c.Get("/api/v1/projects", 401)
	}
	run(t, s.Client(t), []call{{name: "in the query", method: get, path: "/api/v1/projects?x=" + models.NewAPIKeySecret(), status: 400, code: "bad_request"}})
}

// A key of one project sees nothing of its neighbour, wherever it looks.
func TestAPIKeyOfOneProject(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, mine := s.Project(t)
	other := owner.Project()
	own, foreign := s.Submit(t, mine, "Mine"), s.Submit(t, other, "Not mine")
	var reply api.CannedReply
	owner.Post("/api/v1/projects/"+string(other.ID)+"/canned-replies", map[string]any{"name": "Hi", "body": "Hello"}, 201).JSON(&reply)
	var job api.Job
	owner.Post("/api/v1/projects/"+string(other.ID)+"/exports", map[string]any{"format": "csv"}, 202).JSON(&job)
	all := []string{"feedback:read", "feedback:write", "feedback:erase", "projects:read", "projects:write", "jobs:write"}
	_, c := apiKey(t, s, owner, map[string]any{"name": "one", "scopes": all, "project_id": mine.ID})
	_, wide := apiKey(t, s, owner, map[string]any{"name": "all", "scopes": all})
	wide.Get("/api/v1/feedback/"+string(foreign.ID), 200)

	var projects api.ProjectList
	c.Get("/api/v1/projects?count=true", 200).JSON(&projects)
	if len(projects.Items) != 1 || projects.Items[0].ID != mine.ID || *projects.Total != 1 {
		t.Errorf("projects = %+v, want its own alone", projects)
	}
	var jobs struct{ Items []api.Job }
	if c.Get("/api/v1/jobs", 200).JSON(&jobs); len(jobs.Items) != 0 {
		t.Errorf("jobs = %+v, want none", jobs.Items)
	}
	c.Get("/api/v1/feedback/"+string(own.ID), 200)
	project, item := "/api/v1/projects/"+string(other.ID), "/api/v1/feedback/"+string(foreign.ID)
	run(t, c, []call{
		{name: "project", method: get, path: project, status: 404, code: "not_found"},
		{name: "change project", method: patch, path: project, body: map[string]any{"name": "X"}, status: 404, code: "not_found"},
		{name: "delete project", method: del, path: project, status: 404, code: "not_found"},
		{name: "make project", method: post, path: "/api/v1/projects", body: map[string]any{"name": "X"}, status: 403, code: "forbidden"},
		{name: "list", method: get, path: project + "/feedback", status: 404, code: "not_found"},
		{name: "tags", method: get, path: project + "/tags", status: 404, code: "not_found"},
		{name: "insights", method: get, path: project + "/insights?from=2026-01-01&to=2026-01-02", status: 404, code: "not_found"},
		{name: "log", method: get, path: project + "/events?since=0", status: 404, code: "not_found"},
		{name: "bulk", method: post, path: project + "/feedback/bulk", body: map[string]any{"items": []map[string]any{{"id": foreign.ID, "changes": map[string]any{"status": "open"}}}}, status: 404, code: "not_found"},
		{name: "canned replies", method: get, path: project + "/canned-replies", status: 404, code: "not_found"},
		{name: "canned reply", method: patch, path: "/api/v1/canned-replies/" + string(reply.ID), body: map[string]any{"name": "X", "rev": 1}, status: 404, code: "not_found"},
		{name: "delete canned reply", method: del, path: "/api/v1/canned-replies/" + string(reply.ID), status: 404, code: "not_found"},
		{name: "export", method: post, path: project + "/exports", body: map[string]any{"format": "csv"}, status: 404, code: "not_found"},
		{name: "job", method: get, path: "/api/v1/jobs/" + string(job.ID), status: 404, code: "not_found"},
		{name: "cancel job", method: post, path: "/api/v1/jobs/" + string(job.ID) + "/cancel", status: 404, code: "not_found"},
		{name: "download", method: get, path: "/api/v1/jobs/" + string(job.ID) + "/download", status: 404, code: "not_found"},
		{name: "item", method: get, path: item, status: 404, code: "not_found"},
		{name: "change item", method: patch, path: item, body: map[string]any{"rev": 1, "status": "open"}, status: 404, code: "not_found"},
		{name: "erase item", method: del, path: item, status: 404, code: "not_found"},
		{name: "messages", method: get, path: item + "/messages", status: 404, code: "not_found"},
		{name: "reply", method: post, path: item + "/messages", body: map[string]any{"body": "X", "visibility": "public"}, status: 404, code: "not_found"},
		{name: "receipt", method: del, path: item + "/receipt", status: 404, code: "not_found"},
	})
	socket := dashboardSocket(t, s, c)
	for id, want := range map[models.ID]string{mine.ID: "Subscribed", other.ID: "Error"} {
		if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "id": models.NewID(), "data": map[string]any{"project_id": id}}); err != nil {
			t.Fatal(err)
		}
		await(t, socket, want)
	}
}

// dashboardSocket opens the socket of a client with its token in the header.
func dashboardSocket(t *testing.T, s *apitest.Server, c *apitest.Client) *websocket.Conn {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + c.Token}}
	socket, answered, err := websocket.DefaultDialer.Dial("ws://"+s.Address+"/api/v1/socket", header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = socket.Close(), answered.Body.Close() })
	await(t, socket, "Connected")
	return socket
}

// closedWith waits for the socket's end, and fails if an event comes before.
func closedWith(t *testing.T, socket *websocket.Conn, code int) {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	_, frame, err := socket.ReadMessage()
	if !websocket.IsCloseError(err, code) {
		t.Fatalf("got %s, %v within a second, want the close code %d", frame, err, code)
	}
}

// Whatever ends somebody's access ends within a second what is open by it, and no
// event comes after.
func TestRevocationReachesSockets(t *testing.T) {
	t.Parallel()
	var ahead clock
	s := apitest.Start(t, ahead.option)
	owner := s.Owner(t)
	agentID := func(c *apitest.Client) string {
		var me api.Me
		c.Get("/api/v1/me", 200).JSON(&me)
		return string(me.User.ID)
	}
	for name, tc := range map[string]struct {
		enter func() *apitest.Client
		end   func(*apitest.Client)
	}{
		"log-out": {
			func() *apitest.Client { return s.Owner(t) },
			func(c *apitest.Client) { c.Do(post, "/api/v1/auth/logout", "{}").Want(204) },
		},
		"session revoked elsewhere": {
			func() *apitest.Client { return s.Owner(t) },
			func(c *apitest.Client) {
				var open api.OpenSessions
				c.Get("/api/v1/me/sessions", 200).JSON(&open)
				for _, session := range open.Items {
					if session.Current {
						owner.Delete("/api/v1/me/sessions/" + string(session.ID))
					}
				}
			},
		},
		"role changed": {
			func() *apitest.Client { return member(t, s, owner, models.RoleAgent) },
			func(c *apitest.Client) {
				owner.Patch("/api/v1/members/"+agentID(c), map[string]any{"role": "viewer"}, 200)
			},
		},
		"member removed": {
			func() *apitest.Client { return member(t, s, owner, models.RoleAdmin) },
			func(c *apitest.Client) { owner.Delete("/api/v1/members/" + agentID(c)) },
		},
		"API key revoked": {
			func() *apitest.Client {
				_, c := apiKey(t, s, owner, map[string]any{"name": "x", "scopes": []string{"feedback:read"}})
				return c
			},
			func(c *apitest.Client) {
				var keys api.APIKeyList
				owner.Get("/api/v1/api-keys", 200).JSON(&keys)
				owner.Delete("/api/v1/api-keys/" + string(keys.Items[0].ID))
			},
		},
		"refresh token reused": {
			func() *apitest.Client { return s.Owner(t) },
			func(c *apitest.Client) {
				refresh := func() *apitest.Response {
					return s.Client(t).Do(post, "/api/v1/auth/refresh", "{}", "Cookie", cookie(c.Refresh))
				}
				refresh().Want(200)
				ahead.move(store.RotationGrace + time.Second)
				refresh().Want(401)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			project := owner.Project()
			c := tc.enter()
			socket := dashboardSocket(t, s, c)
			if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": project.ID}}); err != nil {
				t.Fatal(err)
			}
			await(t, socket, "PresenceState")
			stream := openStream(t, c, project, "")
			if _, err := stream.next(); err != nil {
				t.Fatal(err)
			}
			tc.end(c)
			s.Submit(t, project, "after the end")
			closedWith(t, socket, 4502)
			stream.wantEnd(time.Second)
		})
	}
}
