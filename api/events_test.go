package api_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

type eventPage struct {
	Epoch  string
	Head   int64
	Events []struct {
		Type  string
		Epoch string
		Seq   int64
		Data  json.RawMessage
	}
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/events"
	read := func(query string) (page eventPage) {
		t.Helper()
		owner.Get(path+query, 200).JSON(&page)
		return page
	}
	if page := read(""); page.Epoch == "" || page.Head != 0 || page.Events == nil || len(page.Events) != 0 {
		t.Errorf("empty log = %+v", page)
	}
	first := s.Submit(t, project, "one")
	s.Submit(t, project, "two")
	page := read("?since=0")
	if page.Head != 2 || len(page.Events) != 2 || page.Events[0].Seq != 1 || page.Events[0].Type != "FeedbackReceived" || page.Events[0].Epoch != page.Epoch {
		t.Errorf("page = %+v, want both events", page)
	}
	if page := read("?since=1&epoch=" + page.Epoch); len(page.Events) != 1 || page.Events[0].Seq != 2 {
		t.Errorf("page = %+v, want the second", page)
	}
	if page := read("?limit=1"); len(page.Events) != 1 || page.Events[0].Seq != 1 || page.Head != 2 {
		t.Errorf("page = %+v, want the first alone", page)
	}
	if page := read("?limit=1000"); len(page.Events) != 2 {
		t.Errorf("page = %+v, want both events: a large limit is capped", page)
	}
	resync := func(query, reason string) {
		t.Helper()
		page := read(query)
		if len(page.Events) != 1 || page.Events[0].Type != "ResyncRequired" || page.Events[0].Seq != 0 {
			t.Fatalf("%s: page = %+v, want one ResyncRequired", query, page)
		}
		var data struct {
			Reason string
			Head   int64
		}
		if err := json.Unmarshal(page.Events[0].Data, &data); err != nil || data.Reason != reason || data.Head != 2 {
			t.Errorf("%s: data = %s, want reason %s", query, page.Events[0].Data, reason)
		}
	}
	resync("?since=3&epoch="+page.Epoch, "beyond_head")
	resync("?since=1&epoch=other", "epoch_changed")
	run(t, owner, []call{
		{name: "no epoch", method: get, path: path + "?since=1", status: 422, code: "invalid_field", field: "epoch"},
		{name: "negative", method: get, path: path + "?since=-1", status: 422, code: "invalid_field", field: "since"},
		{name: "no limit", method: get, path: path + "?limit=0", status: 400, code: "bad_request"},
		{name: "negative wait", method: get, path: path + "?wait=-1", status: 422, code: "invalid_field", field: "wait"},
		{name: "too large a number", method: get, path: path + "?since=9223372036854775808", status: 422, code: "invalid_field", field: "since"},
		{name: "no number", method: get, path: path + "?since=x", status: 422, code: "invalid_field", field: "since"},
		{name: "long wait", method: get, path: path + "?wait=26", status: 422, code: "invalid_field", field: "wait"},
		{name: "unknown", method: get, path: path + "?after=1", status: 400, code: "bad_request"},
		{name: "no project", method: get, path: "/api/v1/projects/x/events", status: 404, code: "not_found"},
	})

	t.Run("waits", func(t *testing.T) {
		began := time.Now()
		done := make(chan eventPage, 1)
		go func() { done <- read(fmt.Sprintf("?since=2&wait=20&epoch=%s", page.Epoch)) }()
		time.Sleep(300 * time.Millisecond)
		owner.Patch("/api/v1/feedback/"+string(first.ID), `{"status":"open","rev":1}`, 200)
		page := <-done
		if took := time.Since(began); len(page.Events) != 1 || page.Events[0].Type != "FeedbackUpdated" || page.Head != 3 || took > 5*time.Second {
			t.Errorf("after %v: page = %+v, want the update", took, page)
		}
	})
	t.Run("is over", func(t *testing.T) {
		if page := read("?since=3&wait=1&epoch=" + page.Epoch); len(page.Events) != 0 || page.Head != 3 {
			t.Errorf("page = %+v, want none", page)
		}
	})
	t.Run("deleted meanwhile", func(t *testing.T) {
		doomed := owner.Project()
		done := make(chan int, 1)
		go func() { done <- owner.Do(get, "/api/v1/projects/"+string(doomed.ID)+"/events?wait=20", nil).Status }()
		time.Sleep(300 * time.Millisecond)
		owner.Delete("/api/v1/projects/" + string(doomed.ID))
		if status := <-done; status != 404 {
			t.Errorf("status = %d, want 404", status)
		}
	})
	t.Run("logged out meanwhile", func(t *testing.T) {
		other := s.Owner(t)
		done := make(chan int, 1)
		go func() { done <- other.Do(get, path+"?wait=20&since=3&epoch="+page.Epoch, nil).Status }()
		time.Sleep(300 * time.Millisecond)
		other.Do(post, "/api/v1/auth/logout", "{}").Want(204)
		s.Submit(t, project, "secret")
		if status := <-done; status != 401 {
			t.Errorf("status = %d, want 401", status)
		}
	})
}

// A token that ends during the wait hears nothing more.
func TestLongPollOutlivesItsToken(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	s := apitest.Start(t, apitest.Unlimited, func(c *api.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	owner, project := s.Project(t)
	done := make(chan int, 1)
	go func() { done <- owner.Do(get, "/api/v1/projects/"+string(project.ID)+"/events?wait=20", nil).Status }()
	time.Sleep(300 * time.Millisecond)
	ahead.Add(int64(16 * time.Minute))
	s.Submit(t, project, "secret")
	if status := <-done; status != 401 {
		t.Errorf("status = %d, want 401", status)
	}
}

func TestTickets(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	var ticket api.Ticket
	owner.Post("/api/v1/socket/tickets", "{}", 201).JSON(&ticket)
	if left := time.Until(ticket.ExpiresAt); !models.ValidToken(ticket.Ticket) || left > 30*time.Second || left < 25*time.Second {
		t.Errorf("ticket = %+v", ticket)
	}
	owner.Do(post, "/api/v1/socket/tickets", nil).Want(201)
	owner.Get("/api/v1/socket?ticket="+ticket.Ticket, 426)
	key := "dGhlIHNhbXBsZSBub25jZQ=="
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", key}
	plus := func(more ...string) []string { return append(append([]string{}, upgrade...), more...) }
	visitor := "/w/" + project.Key + "/socket"
	_, closed := s.Project(t, "https://shop.example")
	run(t, s.Client(t), []call{
		{name: "used ticket", method: get, path: "/api/v1/socket?ticket=" + ticket.Ticket, headers: upgrade, status: 401, code: "unauthorized"},
		{name: "no ticket", method: get, path: "/api/v1/socket", headers: upgrade, status: 401, code: "unauthorized"},
		{name: "other credential", method: get, path: "/api/v1/socket?token=x", headers: upgrade, status: 400, code: "bad_request"},
		{name: "unknown query", method: get, path: "/api/v1/socket?a=x", headers: upgrade, status: 400, code: "bad_request"},
		{name: "foreign page", method: get, path: "/api/v1/socket?ticket=x", headers: plus("Origin", "https://evil.example"), status: 403, code: "forbidden"},
		{name: "unknown key", method: get, path: "/w/" + models.NewProjectKey() + "/socket", headers: upgrade, status: 404, code: "not_found"},
		{name: "foreign origin", method: get, path: "/w/" + closed.Key + "/socket", headers: plus("Origin", "https://evil.example"), status: 403, code: "forbidden"},
		{name: "no upgrade", method: get, path: visitor, status: 426, code: "bad_request"},
		{name: "version", method: get, path: visitor, headers: plus("Sec-WebSocket-Version", "8"), status: 426, code: "bad_request"},
		{name: "key", method: get, path: visitor, headers: plus("Sec-WebSocket-Key", "x"), status: 400, code: "bad_request"},
		{name: "sub-protocol", method: get, path: visitor, headers: plus("Sec-WebSocket-Protocol", "soap"), status: 400, code: "bad_request"},
		{name: "ticket at a visitor's", method: get, path: visitor + "?ticket=x", headers: upgrade, status: 400, code: "bad_request"},
	})
}

// What is held open is counted: a member's script that asks without an end in many
// threads must not take the server.
func TestStaffPollsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	c, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/events?since=0&wait="
	var waiting sync.WaitGroup
	defer waiting.Wait()
	for range api.HeldPerAddress {
		waiting.Go(func() { c.Do(get, path+"3", nil).Want(200) })
	}
	for s.WaitingStaff() < api.HeldPerAddress {
		time.Sleep(time.Millisecond)
	}
	if r := c.Do(get, path+"1", nil).Want(429); r.Problem().Code != models.CodeRateLimited {
		t.Errorf("answered %s, want rate_limited", r.Body)
	}
	c.Do(get, path+"0", nil).Want(200) // does not wait
}
