package attacks

import (
	"testing"

	"github.com/fasthttp/websocket"

	"earshot/models"
)

// What belongs to another organisation is not there, whatever way is tried.
func TestTenancy(t *testing.T) {
	at := newTarget(t)
	var rows []attempt
	for _, line := range []struct{ method, path, body string }{
		{"GET", "/api/v1/projects/{project}", ""}, {"PATCH", "/api/v1/projects/{project}", `{"name":"Eve's"}`}, {"DELETE", "/api/v1/projects/{project}", ""},
		{"GET", "/api/v1/projects/{project}/feedback", ""}, {"GET", "/api/v1/projects/{project}/events?since=0", ""},
		{"GET", "/api/v1/projects/{project}/tags", ""}, {"GET", "/api/v1/projects/{project}/views", ""}, {"GET", "/api/v1/projects/{project}/blocks", ""},
		{"GET", "/api/v1/projects/{project}/identity-secret", ""}, {"GET", "/api/v1/projects/{project}/retention?days=1", ""},
		{"POST", "/api/v1/projects/{project}/exports", `{"format":"csv"}`}, {"POST", "/api/v1/projects/{project}/erasures", `{"email":"a@example.com"}`},
		{"POST", "/api/v1/projects/{project}/feedback/bulk", `{"items":[{"id":"{item}","changes":{"status":"closed"}}]}`},
		{"GET", "/api/v1/feedback/{item}", ""}, {"PATCH", "/api/v1/feedback/{item}", `{"rev":1,"status":"closed"}`}, {"DELETE", "/api/v1/feedback/{item}", ""},
		{"PUT", "/api/v1/feedback/{item}/read", ""}, {"DELETE", "/api/v1/feedback/{item}/receipt", ""},
		{"GET", "/api/v1/feedback/{item}/messages", ""}, {"POST", "/api/v1/feedback/{item}/messages", `{"body":"x","visibility":"internal"}`},
	} {
		var body any
		if line.body != "" {
			body = line.body
		}
		rows = append(rows, attempt{line.method + " " + line.path, line.method, line.path, body, nil, 404, "not_found"})
	}
	at.run(t, at.attacker, rows)
	at.run(t, at.attacker, []attempt{
		{"assign to somebody else's member", "PATCH", "/api/v1/projects/{project}", `{}`, nil, 404, "not_found"},
		{"API key for somebody else's project", "POST", "/api/v1/api-keys", map[string]any{"name": "x", "scopes": []string{"feedback:read"}, "project_id": at.project.ID}, nil, 404, "not_found"},
		{"move the session there", "POST", "/api/v1/auth/refresh", map[string]any{"organization_id": models.NewID()}, nil, 401, "unauthorized"},
	})
	socket := at.socket(t, at.attacker)
	send := func(t *testing.T, kind string, data map[string]any, want models.Code) {
		t.Helper()
		id := string(models.NewID())
		if err := socket.WriteJSON(map[string]any{"type": kind, "id": id, "data": data}); err != nil {
			t.Fatal(err)
		}
		e := at.answer(t, socket, "Error", "MessageRejected", "Subscribed", "MessageAccepted", "JobStarted")
		if e.Data.Code != want || e.Re != id {
			t.Errorf("%s is answered %+v, want %s", kind, e, want)
		}
	}
	for kind, data := range map[string]map[string]any{
		"Subscribe":    {"project_id": at.project.ID},
		"ReplySent":    {"feedback_id": at.item, "body": "x"},
		"NoteAdded":    {"feedback_id": at.item, "body": "x"},
		"NoteEdited":   {"feedback_id": at.item, "message_id": models.NewID(), "body": "x", "rev": 1},
		"NoteDeleted":  {"feedback_id": at.item, "message_id": models.NewID(), "rev": 1},
		"Viewing":      {"feedback_id": at.item, "typing": true},
		"JobRequested": {"kind": "export", "project_id": at.project.ID, "format": "csv"},
		"JobCancelled": {"job_id": models.NewID()},
	} {
		t.Run("socket: "+kind, func(t *testing.T) { send(t, kind, data, models.CodeNotFound) })
	}
	visitors(t, at)
	at.unharmed(t)
}

// A visitor sees their own and nothing else.
func visitors(t *testing.T, at *target) {
	t.Helper()
	stranger := models.NewResumeToken()
	at.run(t, at.Client(t), []attempt{
		{"conversations with a token of nobody", "GET", "/w/{key}/conversations", nil, []string{"Authorization", "Bearer " + stranger}, 401, "unauthorized"},
		{"conversations with a member's token", "GET", "/w/{key}/conversations", nil, []string{"Authorization", "Bearer " + at.owner.Token}, 401, "unauthorized"},
		{"conversations by another project", "GET", "/w/" + at.others.Key + "/conversations", nil, []string{"Authorization", "Bearer " + at.visitor}, 401, "unauthorized"},
		{"poll with a token of nobody", "POST", "/w/{key}/poll", map[string]any{"since": 0}, []string{"Authorization", "Bearer " + stranger}, 401, "unauthorized"},
		{"the same id in another project", "POST", "/w/" + at.others.Key + "/feedback", `{"id":"` + string(at.item) + `","page_url":"https://shop.example/","message":"The owner's"}`, nil, 409, "id_conflict"},
		{"the same id with other words", "POST", "/w/{key}/feedback", `{"id":"` + string(at.item) + `","page_url":"https://shop.example/","message":"Mine"}`, nil, 409, "id_conflict"},
	})
	t.Run("socket: message in somebody else's item", func(t *testing.T) {
		socket := at.socket(t, nil)
		say(t, socket, map[string]any{"type": "Hello", "data": map[string]any{"resume_token": stranger}})
		say(t, socket, map[string]any{"type": "MessageSent", "id": models.NewID(), "data": map[string]any{"feedback_id": at.item, "body": "x"}})
		if e := at.answer(t, socket, "MessageRejected", "MessageAccepted"); e.Data.Code != models.CodeNotFound {
			t.Errorf("it is answered %+v, want not_found", e)
		}
	})
}

func say(t *testing.T, socket *websocket.Conn, event any) {
	t.Helper()
	if err := socket.WriteJSON(event); err != nil {
		t.Fatal(err)
	}
}
