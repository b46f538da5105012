package attacks

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// target is a server with two organisations; the attacker owns the other one.
type target struct {
	*apitest.Server
	owner, attacker *apitest.Client
	project         api.Project
	item            models.ID // the owner's
	visitor         string    // the resume token of who sent it
	receipt         string    // its private address
	others          api.Project
}

const origin = "https://shop.example"

func newTarget(t *testing.T, options ...apitest.Option) *target {
	t.Helper()
	s := apitest.Start(t, append([]apitest.Option{apitest.SignupOpen}, options...)...)
	at := &target{Server: s, visitor: models.NewResumeToken()}
	at.owner, at.project = s.Project(t, origin)
	at.attacker = s.Client(t)
	var access api.AccessToken
	at.attacker.Post("/api/v1/auth/signup", map[string]any{"email": "eve@example.com", "password": apitest.Password, "organization": "Eve's"}, 201).JSON(&access)
	at.attacker.Token = access.AccessToken
	at.others = at.attacker.Project()
	var sent api.Receipt
	s.Client(t).Post("/w/"+at.project.Key+"/feedback", map[string]any{"id": models.NewID(), "page_url": origin + "/", "message": "The owner's", "resume_token": at.visitor}, 201).JSON(&sent)
	at.item, at.receipt = sent.ID, strings.TrimPrefix(sent.ReceiptURL, s.URL)
	return at
}

// attempt is one HTTP request and what it must be answered with. An empty code stands
// for an answer that is no refusal.
type attempt struct {
	name         string
	method, path string
	body         any
	headers      []string
	status       int
	code         models.Code
}

func (at *target) run(t *testing.T, as *apitest.Client, attempts []attempt) {
	t.Helper()
	fill := strings.NewReplacer("{key}", at.project.Key, "{project}", string(at.project.ID), "{item}", string(at.item), "{receipt}", at.receipt)
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			if text, ok := a.body.(string); ok {
				a.body = fill.Replace(text)
			}
			r := as.Do(a.method, fill.Replace(a.path), a.body, a.headers...)
			if r.Status != a.status {
				t.Fatalf("answer = %d, want %d\n%s", r.Status, a.status, r.Body)
			}
			if a.code != "" && r.Problem().Code != a.code {
				t.Errorf("code = %q, want %q", r.Problem().Code, a.code)
			}
		})
	}
}

// submission is a body for feedback with one thing changed; raw texts are put in as
// they are.
func submission(member, raw string) string {
	fields := map[string]string{"id": `"` + string(models.NewID()) + `"`, "page_url": `"` + origin + `/"`, "message": `"hello"`}
	fields[member] = raw
	parts := make([]string, 0, len(fields))
	for name, value := range fields {
		parts = append(parts, `"`+name+`":`+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// socket opens a visitor's socket, or with a client a dashboard's.
func (at *target) socket(t *testing.T, as *apitest.Client) *websocket.Conn {
	t.Helper()
	path, header := "/w/"+at.project.Key+"/socket", http.Header{}
	if as != nil {
		path, header = "/api/v1/socket", http.Header{"Authorization": {"Bearer " + as.Token}}
	}
	socket, answered, err := websocket.DefaultDialer.Dial("ws://"+at.Address+path, header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = socket.Close(), answered.Body.Close() })
	at.answer(t, socket, "Connected")
	return socket
}

type event struct {
	Type string
	Re   string
	Data struct{ Code models.Code }
}

// answer waits for an event.
func (at *target) answer(t *testing.T, socket *websocket.Conn, kinds ...string) event {
	t.Helper()
	for {
		_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, frame, err := socket.ReadMessage()
		if err != nil {
			t.Fatalf("wait for %v: %v", kinds, err)
		}
		var e event
		if err := json.Unmarshal(frame, &e); err != nil {
			t.Fatalf("frame %s: %v", frame, err)
		}
		for _, kind := range kinds {
			if e.Type == kind {
				return e
			}
		}
	}
}

// unharmed holds that the owner's item is as it was.
func (at *target) unharmed(t *testing.T) {
	t.Helper()
	var item api.Feedback
	at.owner.Get("/api/v1/feedback/"+string(at.item), 200).JSON(&item)
	var messages struct{ Items []api.Message }
	at.owner.Get("/api/v1/feedback/"+string(at.item)+"/messages", 200).JSON(&messages)
	if item.Rev != 1 || item.Status != models.StatusNew || len(messages.Items) != 0 {
		t.Errorf("the item is %+v with %d messages, want it untouched", item, len(messages.Items))
	}
}
