package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// revokedWithin is how soon a socket at one node ends after the answer to what ended its
// right at another.
const revokedWithin = 2 * time.Second

// following is a dashboard's socket that follows a project.
func following(t *testing.T, node *apitest.Server, who *apitest.Client, project api.Project) *websocket.Conn {
	t.Helper()
	socket := dashboardSocket(t, node, at(t, node, who))
	if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": project.ID}}); err != nil {
		t.Fatal(err)
	}
	await(t, socket, "Subscribed")
	return socket
}

// endsWith reads to the socket's end and gives when it came, from a moment on, and how
// many events came before.
func endsWith(t *testing.T, socket *websocket.Conn, code int, since time.Time) (took time.Duration, heard int) {
	t.Helper()
	for {
		_ = socket.SetReadDeadline(since.Add(4 * revokedWithin))
		_, _, err := socket.ReadMessage()
		if err == nil {
			heard++
			continue
		}
		took = time.Since(since)
		if !websocket.IsCloseError(err, code) {
			t.Fatalf("after %v the socket ended with %v, want %d", took, err, code)
		}
		if took > revokedWithin {
			t.Errorf("the socket was closed after %v, %v are allowed", took, revokedWithin)
		}
		return took, heard
	}
}

// What is revoked at one node ends at another, whether NATS is there or not, while
// feedback comes.
func TestNodesRevoke(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(map[bool]string{false: "with NATS", true: "without NATS"}[away], func(t *testing.T) {
			nodes, broker := startNodesAt(t, 2, apitest.Unlimited)
			owner, project := nodes[0].Project(t)
			if away {
				broker.Stop()
			}
			var ended atomic.Bool
			sending := make(chan struct{})
			go func() {
				defer close(sending)
				for !ended.Load() {
					body := strings.NewReader(fmt.Sprintf(`{"id":%q,"page_url":"https://shop.example/","message":"meanwhile"}`, models.NewID()))
					answer, err := http.Post(nodes[1].URL+"/w/"+project.Key+"/feedback", "application/json", body)
					if err != nil {
						t.Errorf("feedback meanwhile: %v", err)
						return
					}
					if _ = answer.Body.Close(); answer.StatusCode != http.StatusCreated {
						t.Errorf("feedback meanwhile: answered %d", answer.StatusCode)
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			defer func() { ended.Store(true); <-sending }()
			for _, right := range rights(t, nodes, owner, project) {
				socket, code, revoke := right.open(t)
				revoke()
				took, heard := endsWith(t, socket, code, time.Now())
				t.Logf("%-22s closed with %d after %v, %d events came until then", right.name, code, took.Round(time.Millisecond), heard)
			}
		})
	}
}

// right is something that a socket at the second node is open by, and how it is taken
// away at the first.
type right struct {
	name string
	open func(t *testing.T) (socket *websocket.Conn, code int, revoke func())
}

func rights(t *testing.T, nodes []*apitest.Server, owner *apitest.Client, project api.Project) []right {
	ofMember := func(role models.Role, revoke func(c *apitest.Client, path string)) func(t *testing.T) (*websocket.Conn, int, func()) {
		return func(t *testing.T) (*websocket.Conn, int, func()) {
			who := member(t, nodes[0], owner, role)
			var me api.Me
			who.Get("/api/v1/me", 200).JSON(&me)
			return following(t, nodes[1], who, project), 4502, func() { revoke(who, "/api/v1/members/"+string(me.User.ID)) }
		}
	}
	ofVisitor := func(project api.Project, revoke func()) func(t *testing.T) (*websocket.Conn, int, func()) {
		return func(t *testing.T) (*websocket.Conn, int, func()) {
			socket, status := visitorSocket(t, nodes[1], project, "")
			if status != 101 {
				t.Fatalf("the visitor's socket: %d", status)
			}
			return socket, 4503, revoke
		}
	}
	disabled, rotated, deleted := owner.Project(), owner.Project(), owner.Project()
	path := func(p api.Project) string { return "/api/v1/projects/" + string(p.ID) }
	return []right{
		{"log-out", ofMember(models.RoleAgent, func(c *apitest.Client, _ string) { c.Do(post, "/api/v1/auth/logout", "{}").Want(204) })},
		{"change of role", ofMember(models.RoleAdmin, func(_ *apitest.Client, path string) { owner.Patch(path, map[string]any{"role": "viewer"}, 200) })},
		{"removal", ofMember(models.RoleViewer, func(_ *apitest.Client, path string) { owner.Delete(path) })},
		{"API key revoked", func(t *testing.T) (*websocket.Conn, int, func()) {
			var key struct{ ID, Key string }
			owner.Post("/api/v1/api-keys", map[string]any{"name": "key", "scopes": []string{"feedback:read"}}, 201).JSON(&key)
			program := nodes[1].Client(t)
			program.Token = key.Key
			return following(t, nodes[1], program, project), 4502, func() { owner.Delete("/api/v1/api-keys/" + key.ID) }
		}},
		{"project's key disabled", ofVisitor(disabled, func() { owner.Patch(path(disabled), map[string]any{"key_disabled": true}, 200) })},
		{"project's key rotated", ofVisitor(rotated, func() { owner.Patch(path(rotated), map[string]any{"rotate_key": true}, 200) })},
		{"project deleted", ofVisitor(deleted, func() { owner.Delete(path(deleted)) })},
	}
}

// Whoever follows a project that is deleted at another node is told so.
func TestNodesDeleteProject(t *testing.T) {
	nodes := startNodes(t, 2)
	owner, _ := nodes[0].Project(t)
	project := owner.Project()
	socket := following(t, nodes[1], owner, project)
	owner.Delete(fmt.Sprint("/api/v1/projects/", project.ID))
	began := time.Now()
	await(t, socket, "ResyncRequired")
	if took := time.Since(began); took > revokedWithin {
		t.Errorf("it was told after %v", took)
	}
}
