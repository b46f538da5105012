package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/store"
	"earshot/models/store/postgrestest"
	"earshot/realtime/cluster/natstest"
)

// startNodes runs servers that share a database and hear of each other.
func startNodes(t *testing.T, count int, options ...apitest.Option) []*apitest.Server {
	t.Helper()
	nodes, _ := startNodesAt(t, count, options...)
	return nodes
}

// startNodesAt gives the NATS server as well, which may be shut down.
func startNodesAt(t *testing.T, count int, options ...apitest.Option) (nodes []*apitest.Server, broker *natstest.Server) {
	t.Helper()
	wanted, _, err := postgrestest.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	if !wanted {
		t.Skip("there is no PostgreSQL; EARSHOT_TEST_POSTGRES=required makes this a failure")
	}
	broker = natstest.New(t)
	database := postgrestest.Database(t, "", nil)
	for range count {
		nodes = append(nodes, apitest.Start(t, append(options, func(c *api.Config) {
			c.Database, c.NATS, c.BaseURL = database, broker.ClientURL(), "http://earshot.example"
		})...))
	}
	return nodes, broker
}

// at is the same person at another node.
func at(t *testing.T, node *apitest.Server, who *apitest.Client) *apitest.Client {
	t.Helper()
	c := node.Client(t)
	c.Token = who.Token
	return c
}

// listen follows a project and gives the seqs of what is received, in the order in which it comes.
func listen(t *testing.T, node *apitest.Server, who *apitest.Client, project api.Project, count int) (heard func() []int64) {
	t.Helper()
	socket := dashboardSocket(t, node, at(t, node, who))
	if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": project.ID}}); err != nil {
		t.Fatal(err)
	}
	await(t, socket, "Subscribed")
	var seqs []int64
	done := make(chan error, 1)
	go func() {
		for len(seqs) < count {
			_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
			var event struct {
				Type string
				Seq  int64
			}
			_, frame, err := socket.ReadMessage()
			if err == nil {
				err = json.Unmarshal(frame, &event)
			}
			if err != nil {
				done <- err
				return
			}
			if event.Type == "FeedbackReceived" {
				seqs = append(seqs, event.Seq)
			}
		}
		done <- nil
	}()
	return func() []int64 {
		if err := <-done; err != nil {
			t.Errorf("after %d events: %v", len(seqs), err)
		}
		return seqs
	}
}

// Whatever node takes a submission, every dashboard at every node is told of it, once
// and in the order of commits; and the same submission sent to all of them is one.
func TestNodesAreOneServer(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3, apitest.Unlimited)
	owner, project := nodes[0].Project(t)
	const each, repeated = 25, 10
	var ears []func() []int64
	for _, node := range nodes {
		ears = append(ears, listen(t, node, owner, project, len(nodes)*each+repeated))
	}
	var writers sync.WaitGroup
	for n, node := range nodes {
		writers.Go(func() {
			for i := range each {
				node.Client(t).Do(post, "/w/"+project.Key+"/feedback", map[string]any{
					"page_url": "https://shop.example/", "message": fmt.Sprintf("At node %d, number %d", n, i), "resume_token": models.NewResumeToken(),
				}).Want(201)
			}
		})
	}
	var fresh sync.Map
	for i := range repeated {
		body := map[string]any{"id": models.NewID(), "resume_token": models.NewResumeToken(), "page_url": "https://shop.example/", "message": fmt.Sprintf("Sent to all, number %d", i)}
		for _, node := range nodes {
			writers.Go(func() {
				switch r := node.Client(t).Do(post, "/w/"+project.Key+"/feedback", body); r.Status {
				case 201:
					if _, before := fresh.LoadOrStore(body["id"], true); before {
						t.Errorf("%v was taken for new twice", body["id"])
					}
				case 200:
				default:
					t.Errorf("%d %s", r.Status, r.Body)
				}
			})
		}
	}
	writers.Wait()
	for n, ear := range ears {
		seqs := ear()
		for i, seq := range seqs {
			if seq != int64(i)+1 {
				t.Fatalf("at node %d came %v", n, seqs)
			}
		}
	}
}

// A member who is removed at one node hears nothing more at another; a log-in is
// throttled whatever node is asked; who is here is known everywhere.
func TestNodesActTogether(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 2)
	owner, project := nodes[0].Project(t)
	agent := member(t, nodes[0], owner, models.RoleAgent)
	socket := dashboardSocket(t, nodes[1], at(t, nodes[1], agent))
	if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": project.ID}}); err != nil {
		t.Fatal(err)
	}
	await(t, socket, "PresenceState")

	visitor, status := visitorSocket(t, nodes[0], project, "203.0.113.1")
	if status != 101 {
		t.Fatalf("the visitor's socket: %d", status)
	}
	if err := visitor.WriteJSON(map[string]any{"type": "Hello", "data": map[string]any{"resume_token": models.NewResumeToken(), "page_url": "https://shop.example/cart"}}); err != nil {
		t.Fatal(err)
	}
	for seen := 0; seen == 0; {
		_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
		var event struct {
			Type string
			Data struct{ Visitors int }
		}
		if err := socket.ReadJSON(&event); err != nil {
			t.Fatalf("the visitor at the other node is not told of: %v", err)
		}
		seen = event.Data.Visitors
	}

	for i := range store.FreeAttempts {
		nodes[i%2].Client(t).Post("/api/v1/auth/login", login(apitest.OwnerEmail, "not the password"), 401)
	}
	for _, node := range nodes {
		node.Client(t).Post("/api/v1/auth/login", login(apitest.OwnerEmail, "not the password"), 429)
	}

	var me api.Me
	agent.Get("/api/v1/me", 200).JSON(&me)
	owner.Do("DELETE", "/api/v1/members/"+string(me.User.ID), nil).Want(204)
	began := time.Now()
	for {
		_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _, err := socket.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code == 4502 {
			break
		}
		if err != nil {
			t.Fatalf("the socket of who was removed ends with %v", err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the socket at the other node was closed after %v", took)
	}
}

// What is done to a project at one node holds at another within two seconds.
func TestNodesHearOfProjects(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 2)
	owner, project := nodes[0].Project(t)
	_, other := nodes[0].Project(t)
	here := at(t, nodes[1], owner)
	soon := func(what string, holds func() bool) {
		t.Helper()
		began := time.Now()
		for !holds() {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: not seen in 10 s", what)
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: seen after %v", what, took)
		}
	}
	dashboard := func(id models.ID) *websocket.Conn {
		socket := dashboardSocket(t, nodes[1], here)
		if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": id}}); err != nil {
			t.Fatal(err)
		}
		await(t, socket, "Subscribed")
		return socket
	}
	visitor := func(p api.Project) *websocket.Conn {
		socket, status := visitorSocket(t, nodes[1], p, "")
		if status != 101 {
			t.Fatalf("the visitor's socket: %d", status)
		}
		if err := socket.WriteJSON(map[string]any{"type": "Hello", "data": map[string]any{"resume_token": models.NewResumeToken(), "page_url": "https://shop.example/cart"}}); err != nil {
			t.Fatal(err)
		}
		await(t, socket, "Connected")
		return socket
	}
	closed := func(socket *websocket.Conn) func() bool {
		return func() bool {
			_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, _, err := socket.ReadMessage()
			var end *websocket.CloseError
			if errors.As(err, &end) && end.Code == 4503 {
				return true
			}
			if err != nil {
				t.Fatalf("the visitor's socket ends with %v", err)
			}
			return false
		}
	}

	staff, there := dashboard(project.ID), visitor(project)
	count := func(want int) func() bool {
		return func() bool {
			_ = staff.SetReadDeadline(time.Now().Add(10 * time.Second))
			var event struct {
				Type string
				Data struct{ Visitors int }
			}
			if err := staff.ReadJSON(&event); err != nil {
				t.Fatalf("%d visitors are not told of: %v", want, err)
			}
			return strings.HasPrefix(event.Type, "Presence") && event.Data.Visitors == want
		}
	}
	count(1)()
	owner.Post("/api/v1/projects/"+string(project.ID)+"/blocks", map[string]any{"kind": "address", "address": "127.0.0.1"}, 201)
	soon("a blocked visitor is hidden", count(0))
	owner.Patch("/api/v1/projects/"+string(project.ID), map[string]any{"key_disabled": true}, 200)
	soon("the socket of a disabled key is closed", closed(there))

	left, ear := visitor(other), dashboard(other.ID)
	owner.Do("DELETE", "/api/v1/projects/"+string(other.ID), nil).Want(204)
	soon("the socket of a deleted project is closed", closed(left))
	soon("its dashboard is told", func() bool {
		_ = ear.SetReadDeadline(time.Now().Add(10 * time.Second))
		var event struct{ Type string }
		if err := ear.ReadJSON(&event); err != nil {
			t.Fatal(err)
		}
		return event.Type == "ResyncRequired"
	})
}
