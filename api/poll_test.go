package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/store"
)

// visitor is somebody with a resume token.
type visitor struct {
	t       *testing.T
	client  *apitest.Client
	project api.Project
	token   string
}

func newVisitor(t *testing.T, s *apitest.Server, project api.Project) *visitor {
	t.Helper()
	v := &visitor{t, s.Client(t), project, models.NewResumeToken()}
	v.client.Token = v.token
	return v
}

func (v *visitor) submit(message string) models.ID {
	v.t.Helper()
	var receipt api.Receipt
	body := submission(message)
	body["resume_token"] = v.token
	v.client.Post("/w/"+v.project.Key+"/feedback", body, 201).JSON(&receipt)
	return receipt.ID
}

func (v *visitor) poll(epoch string, since int64, wait int) (page eventPage) {
	v.t.Helper()
	v.client.Post("/w/"+v.project.Key+"/poll", map[string]any{"epoch": epoch, "since": since, "wait": wait}, 200).JSON(&page)
	return page
}

// setStatus changes an item that was changed rev-1 times before.
func setStatus(owner *apitest.Client, id models.ID, status string, rev int) {
	owner.Patch("/api/v1/feedback/"+string(id), map[string]any{"status": status, "rev": rev}, 200)
}

// text is what of a page's events matters to a visitor.
func (p eventPage) text() string {
	out := ""
	for _, e := range p.Events {
		out += fmt.Sprintf("%s %d %s\n", e.Type, e.Seq, e.Data)
	}
	return out
}

func changed(seq int64, id models.ID, status string) string {
	return fmt.Sprintf("StatusChanged %d {\"feedback_id\":\"%s\",\"status\":\"%s\"}\n", seq, id, status)
}

func failed(reason string) string { return "ResumeFailed 0 {\"reason\":\"" + reason + "\"}\n" }

// removeEvents takes a log's beginning away, as its window does with time.
func removeEvents(t *testing.T, s *apitest.Server, before int64) {
	t.Helper()
	driver, name := "sqlite3", "file:"+s.Database+"?_busy_timeout=5000"
	if store.IsPostgres(s.Database) {
		driver, name = "pgx", s.Database
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	removed, err := db.ExecContext(t.Context(), fmt.Sprintf("DELETE FROM events WHERE seq < %d", before))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := removed.RowsAffected(); n == 0 {
		t.Fatalf("no events were removed (%v)", err)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	me, other := newVisitor(t, s, project), newVisitor(t, s, project)
	mine, theirs := me.submit("a"), other.submit("b") // 1, 2
	if page := me.poll("", 0, 0); page.Epoch == "" || page.Head != 2 || page.Events == nil || page.text() != "" {
		t.Errorf("before anything happened: %+v", page)
	}
	setStatus(owner, theirs, "closed", 1)                                                                 // 3
	setStatus(owner, mine, "open", 1)                                                                     // 4
	owner.Patch("/api/v1/feedback/"+string(mine), `{"tags":["secret"],"priority":"urgent","rev":2}`, 200) // 5
	owner.Patch("/api/v1/feedback/"+string(mine), `{"tags":["<&>"],"status":"resolved","rev":3}`, 200)    // 6
	s.Submit(t, project, "somebody's")                                                                    // 7
	page := me.poll("", 0, 0)
	if want := changed(4, mine, "open") + changed(6, mine, "resolved"); page.text() != want || page.Head != 7 || page.Events[0].Epoch != page.Epoch {
		t.Errorf("all: %+v\n%swant\n%s", page, page.text(), want)
	}
	for _, tc := range []struct {
		name  string
		who   *visitor
		epoch string
		since int64
		want  string
	}{
		{"since", me, page.Epoch, 4, changed(6, mine, "resolved")},
		{"since another's number", me, page.Epoch, 5, changed(6, mine, "resolved")},
		{"since the head", me, page.Epoch, 7, ""},
		{"another visitor", other, page.Epoch, 1, changed(3, theirs, "closed")},
		{"another epoch", me, "other", 4, failed("epoch_changed")},
		{"another epoch at 0", me, "other", 0, failed("epoch_changed")},
		{"beyond the head", me, page.Epoch, 8, failed("epoch_changed")},
	} {
		if page := tc.who.poll(tc.epoch, tc.since, 0); page.text() != tc.want || page.Head != 7 {
			t.Errorf("%s: head %d\n%swant\n%s", tc.name, page.Head, page.text(), tc.want)
		}
	}
	removeEvents(t, s, 5)
	if page := me.poll(page.Epoch, 3, 0); page.text() != failed("too_old") {
		t.Errorf("before the window: %s", page.text())
	}
	for since, epoch := range map[int64]string{0: "", 4: page.Epoch} {
		if page := me.poll(epoch, since, 0); page.text() != changed(6, mine, "resolved") {
			t.Errorf("since %d, in the window: %s", since, page.text())
		}
	}
}

func TestPollWaits(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	me, other := newVisitor(t, s, project), newVisitor(t, s, project)
	mine, theirs := me.submit("a"), other.submit("b")
	epoch := me.poll("", 0, 0).Epoch
	polled := make(chan eventPage, 1)
	go func() { polled <- me.poll(epoch, 2, 20) }()
	time.Sleep(100 * time.Millisecond)
	setStatus(owner, theirs, "open", 1)                                               // 3: another's
	owner.Patch("/api/v1/feedback/"+string(mine), `{"tags":["secret"],"rev":1}`, 200) // 4: not to be told
	s.Submit(t, project, "c")                                                         // 5
	select {
	case page := <-polled:
		t.Fatalf("answered with %s, although nothing happened to this visitor's items", page.text())
	case <-time.After(300 * time.Millisecond):
	}
	setStatus(owner, mine, "open", 2) // 6
	changedAt := time.Now()
	page := <-polled
	if took := time.Since(changedAt); page.text() != changed(6, mine, "open") || page.Head != 6 || took > time.Second {
		t.Errorf("after %v: %s", took, page.text())
	}
	began := time.Now()
	if page := me.poll(epoch, 6, 1); page.text() != "" || page.Head != 6 || time.Since(began) < 900*time.Millisecond {
		t.Errorf("after %v: %+v, want nothing after a second", time.Since(began), page)
	}
	status := make(chan int, 1)
	go func() {
		body := map[string]any{"epoch": epoch, "since": 6, "wait": 20}
		status <- me.client.Do(post, "/w/"+project.Key+"/poll", body).Status
	}()
	time.Sleep(100 * time.Millisecond)
	began = time.Now()
	owner.Delete("/api/v1/projects/" + string(project.ID))
	if got := <-status; got != 404 || time.Since(began) > 5*time.Second {
		t.Errorf("a poll of a project that is deleted: %d after %v, want 404 at once", got, time.Since(began))
	}
}

func TestPollRefusals(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	_, project := s.Project(t)
	_, closed := s.Project(t, "https://shop.example")
	v := newVisitor(t, s, project)
	v.submit("a")
	path := "/w/" + project.Key + "/poll"
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	run(t, v.client, []call{
		{name: "no body but the members' defaults", method: post, path: path, body: "{}", status: 200},
		{name: "as text", method: post, path: path, body: `{"since":0,"later":true}`, headers: []string{"Content-Type", "text/plain"}, status: 200},
		{name: "no token", method: post, path: path, body: "{}", headers: []string{"Authorization", ""}, status: 401, code: "unauthorized"},
		{name: "no bearer", method: post, path: path, body: "{}", headers: []string{"Authorization", "Basic eDp5"}, status: 401, code: "unauthorized"},
		{name: "unknown token", method: post, path: path, body: "{}", headers: bearer(models.NewResumeToken()), status: 401, code: "unauthorized"},
		{name: "no such token", method: post, path: path, body: "{}", headers: bearer("hunter2"), status: 401, code: "unauthorized"},
		{name: "token of another project", method: post, path: "/w/" + closed.Key + "/poll", body: "{}", status: 401, code: "unauthorized"},
		{name: "token in the query", method: post, path: path + "?resume_token=hunter2", body: "{}", status: 400, code: "bad_request"},
		{name: "foreign origin", method: post, path: "/w/" + closed.Key + "/poll", body: "{}", headers: []string{"Origin", "https://evil.example"}, status: 403, code: "forbidden"},
		{name: "unknown key", method: post, path: "/w/" + models.NewProjectKey() + "/poll", body: "{}", status: 404, code: "not_found"},
		{name: "no epoch", method: post, path: path, body: `{"since":1}`, status: 422, code: "invalid_field", field: "epoch"},
		{name: "negative since", method: post, path: path, body: `{"since":-1}`, status: 422, code: "invalid_field", field: "since"},
		{name: "long wait", method: post, path: path, body: `{"wait":26}`, status: 422, code: "invalid_field", field: "wait"},
		{name: "negative wait", method: post, path: path, body: `{"wait":-1}`, status: 422, code: "invalid_field", field: "wait"},
		{name: "part of a second", method: post, path: path, body: `{"wait":0.5}`, status: 422, code: "invalid_field", field: "wait"},
		{name: "no JSON", method: post, path: path, body: `{"wait":`, status: 400, code: "bad_json"},
		{name: "form", method: post, path: path, body: "wait=1", headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media"},
		{name: "get", method: get, path: path, status: 405, code: "method_not_allowed"},
	})
	origin := []string{"Origin", "https://shop.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type"}
	preflight := s.Client(t).Do("OPTIONS", path, nil, origin...).Want(204)
	wantHeader(t, preflight, "Access-Control-Allow-Origin", "https://shop.example")
	wantHeader(t, preflight, "Access-Control-Allow-Headers", "Content-Type, Authorization")
	wantHeader(t, preflight, "Access-Control-Allow-Methods", "POST")
	wantHeader(t, preflight, "Access-Control-Allow-Credentials", "")
	answer := v.client.Do(post, path, "{}", "Origin", "https://shop.example").Want(200)
	wantHeader(t, answer, "Access-Control-Allow-Origin", "https://shop.example")
	wantHeader(t, answer, "Cache-Control", "no-store")
}

// Calls that wait are bounded for each address, and give their places back.
func TestWaitingPollsAreBounded(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	v := newVisitor(t, s, project)
	id := v.submit("a")
	path, body := "/w/"+project.Key+"/poll", map[string]any{"wait": 25}
	var waiting sync.WaitGroup
	for range api.HeldPerAddress {
		waiting.Go(func() { v.client.Do(post, path, body).Want(200) })
	}
	limited := func() bool {
		r := v.client.Do(post, path, map[string]any{"wait": 1})
		if r.Status == 429 && r.Problem().Code != models.CodeRateLimited {
			t.Errorf("refused with %s", r.Body)
		}
		return r.Status == 429
	}
	for deadline := time.Now().Add(10 * time.Second); s.WaitingPolls() < api.HeldPerAddress; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d polls wait, want %d", s.WaitingPolls(), api.HeldPerAddress)
		}
	}
	if !limited() {
		t.Error("one more poll than admitted may wait")
	}
	v.client.Do(post, path, map[string]any{}).Want(200) // takes no place
	setStatus(owner, id, "open", 1)
	waiting.Wait()
	if limited() {
		t.Error("the places were not given back")
	}
}

func TestPollEndsWithTheServer(t *testing.T) {
	t.Parallel()
	var began time.Time
	answered := make(chan eventPage, 1)
	t.Run("serve", func(sub *testing.T) {
		s := apitest.Start(sub, apitest.Unlimited)
		_, project := s.Project(sub)
		v := newVisitor(t, s, project)
		v.submit("a")
		go func() {
			var page eventPage
			r := v.client.Do(post, "/w/"+project.Key+"/poll", map[string]any{"wait": 25})
			_ = json.Unmarshal(r.Body, &page)
			answered <- page
		}()
		time.Sleep(300 * time.Millisecond)
		began = time.Now() // the server is shut down when this returns
	})
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("shutting down took %v", took)
	}
	if page := <-answered; page.Head != 1 || page.Events == nil || len(page.Events) != 0 {
		t.Errorf("the poll was answered with %+v, want an empty page", page)
	}
}
