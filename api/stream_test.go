package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestStream(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	first := s.Submit(t, project, "one <b>&\u2028\n\r two")
	s.Submit(t, project, "two")
	setStatus(owner, first.ID, "open", 1)
	var page struct {
		Epoch  string
		Events []json.RawMessage
	}
	owner.Get("/api/v1/projects/"+string(project.ID)+"/events", 200).JSON(&page)
	names := []string{"FeedbackReceived", "FeedbackReceived", "FeedbackUpdated"}
	id := func(seq int) string { return page.Epoch + ":" + strconv.Itoa(seq) }
	for _, tc := range []struct {
		name, query string
		headers     []string
		from        int
	}{
		{name: "from the start of the window", from: 0},
		{name: "by query", query: "?since=1&epoch=" + page.Epoch, from: 1},
		{name: "by id", headers: []string{"Last-Event-ID", id(2)}, from: 2},
		{name: "by both", query: "?since=1&epoch=other", headers: []string{"Last-Event-ID", id(2)}, from: 2},
		{name: "among others", headers: []string{"Accept", "application/json;q=0.5, text/event-stream"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stream := openStream(t, owner, project, tc.query, tc.headers...)
			if e, err := stream.next(); err != nil || e.retry == "" || e.name != "" {
				t.Errorf("first comes %+v (%v), want a retry", e, err)
			}
			for i := tc.from; i < len(names); i++ {
				if e := stream.want(names[i], id(i+1)); e.data != string(page.Events[i]) {
					t.Errorf("data is\n%s, want what the long poll gives\n%s", e.data, page.Events[i])
				}
			}
			for name, want := range map[string]string{
				"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no",
				"Vary": "Accept", "X-Content-Type-Options": "nosniff",
			} {
				if got := stream.answer.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
	stream := openStream(t, owner, project, "", "Last-Event-ID", id(3))
	began := time.Now()
	s.Submit(t, project, "live")
	stream.want("FeedbackReceived", id(4))
	if took := time.Since(began); took > time.Second {
		t.Errorf("the live event took %v", took)
	}
	owner.Delete("/api/v1/feedback/" + string(first.ID))
	stream.want("FeedbackErased", id(5))
}

func TestStreamThatCannotGoOn(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	for i := range 5 {
		s.Submit(t, project, fmt.Sprint(i))
	}
	epoch := s.Store().Epoch()
	removeEvents(t, s, 4)
	for id, reason := range map[string]string{
		"other:5": "epoch_changed", "other:0": "epoch_changed", string(epoch) + ":6": "beyond_head", string(epoch) + ":2": "too_old",
	} {
		stream := openStream(t, owner, project, "", "Last-Event-ID", id)
		if e := stream.want("ResyncRequired", ""); !strings.Contains(e.data, `"reason":"`+reason+`"`) || !strings.Contains(e.data, `"head":5`) {
			t.Errorf("%s: %s, want %s at head 5", id, e.data, reason)
		}
		stream.wantEnd(time.Second)
	}
	stream := openStream(t, owner, project, "")
	stream.want("FeedbackReceived", string(epoch)+":4")
	stream.want("FeedbackReceived", string(epoch)+":5")
	owner.Delete("/api/v1/projects/" + string(project.ID))
	if e := stream.want("ResyncRequired", ""); !strings.Contains(e.data, `"reason":"project_deleted"`) {
		t.Errorf("behind the deletion comes %s", e.data)
	}
	stream.wantEnd(time.Second)
}

func TestStreamRefusals(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/events"
	accept := []string{"Accept", "text/event-stream"}
	with := func(more ...string) []string { return append(append([]string{}, accept...), more...) }
	run(t, owner, []call{
		{name: "no token", method: get, path: path, headers: with("Authorization", ""), status: 401, code: "unauthorized"},
		{name: "bad token", method: get, path: path, headers: with("Authorization", "Bearer hunter2"), status: 401, code: "unauthorized"},
		{name: "no project", method: get, path: "/api/v1/projects/x/events", headers: accept, status: 404, code: "not_found"},
		{name: "unknown query", method: get, path: path + "?after=1", headers: accept, status: 400, code: "bad_request"},
		{name: "token in the query", method: get, path: path + "?token=hunter2", headers: accept, status: 400, code: "bad_request"},
		{name: "no epoch", method: get, path: path + "?since=1", headers: accept, status: 422, code: "invalid_field", field: "epoch"},
		{name: "no number", method: get, path: path + "?since=x", headers: accept, status: 422, code: "invalid_field", field: "since"},
		{name: "no id", method: get, path: path, headers: with("Last-Event-ID", "hunter2"), status: 422, code: "invalid_field", field: "Last-Event-ID"},
		{name: "negative id", method: get, path: path, headers: with("Last-Event-ID", "e:-1"), status: 422, code: "invalid_field", field: "Last-Event-ID"},
		{name: "head", method: http.MethodHead, path: path, headers: accept, status: 200},
	})
	run(t, stranger(t, s), []call{
		{name: "somebody else's project", method: get, path: path, headers: accept, status: 404, code: "not_found"},
	})
}

func TestStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	s := apitest.Start(t, apitest.Unlimited, func(c *api.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	owner, project := s.Project(t)
	_, other := s.Project(t)
	stays := openStream(t, owner, project, "")
	out := s.Owner(t)
	streams := []*streamReader{openStream(t, out, project, ""), openStream(t, out, other, "")}
	for _, stream := range streams {
		if _, err := stream.next(); err != nil {
			t.Fatal(err)
		}
	}
	out.Do(post, "/api/v1/auth/logout", "{}").Want(204)
	s.Submit(t, project, "secret")
	for _, stream := range streams {
		stream.wantEnd(time.Second)
	}
	if e, err := stays.event(); err != nil || e.name != "FeedbackReceived" {
		t.Errorf("another session's stream got %+v (%v)", e, err)
	}

	// The token's last second.
	ahead.Add(int64(15*time.Minute - 2*time.Second))
	last := openStream(t, owner, project, "")
	if _, err := last.event(); err != nil {
		t.Fatal(err)
	}
	last.wantEnd(3 * time.Second)
}

// A session may be ended by the operator's command, of which nobody here is told.
func TestStreamEndsWithASessionEndedElsewhere(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	s.HurryStreams(time.Minute, 200*time.Millisecond, time.Minute)
	owner, project := s.Project(t)
	stream := openStream(t, owner, project, "")
	if _, err := stream.next(); err != nil {
		t.Fatal(err)
	}
	session, err := s.Store().SessionOfRefreshToken(t.Context(), models.HashToken(owner.Refresh))
	if err == nil {
		err = s.Store().RevokeSession(t.Context(), session.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	stream.wantEnd(2 * time.Second)
}

func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	var stream *streamReader
	var began time.Time
	t.Run("serve", func(sub *testing.T) {
		s := apitest.Start(sub, apitest.Unlimited)
		owner, project := s.Project(sub)
		stream = openStream(t, owner, project, "")
		if _, err := stream.next(); err != nil {
			sub.Fatal(err)
		}
		began = time.Now() // the server is shut down when this returns
	})
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("shutting down took %v", took)
	}
	away := stream.want("GoingAway", "")
	var event struct {
		Data struct {
			RetryAfterMS int64 `json:"retry_after_ms"`
		}
	}
	if err := json.Unmarshal([]byte(away.data), &event); err != nil || event.Data.RetryAfterMS < 100 || away.retry != strconv.FormatInt(event.Data.RetryAfterMS, 10) {
		t.Errorf("went away with %+v (%v), want the same retry twice", away, err)
	}
	stream.wantEnd(time.Second)
}

func TestStreamHeartbeat(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	s.HurryStreams(150*time.Millisecond, 50*time.Millisecond, time.Minute)
	owner, project := s.Project(t)
	stream := openStream(t, owner, project, "")
	if _, err := stream.next(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		began := time.Now()
		if e, err := stream.next(); err != nil || !e.comment || time.Since(began) > 2*time.Second {
			t.Fatalf("after %v comes %+v (%v), want a comment", time.Since(began), e, err)
		}
	}
	// A client that is gone is noticed by them.
	_ = stream.answer.Body.Close()
	for deadline := time.Now().Add(10 * time.Second); s.OpenStreams() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stream of a client that is gone is still open")
		}
	}
}

// A stream outlives the time that other answers get to be taken in.
func TestStreamsWriteDeadlineIsExtended(t *testing.T) {
	t.Parallel()
	server, err := api.New(t.Context(), api.Config{
		DataDir: t.TempDir(), BaseURL: "http://localhost", Secret: make([]byte, 32), Unlimited: true, Drain: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.HurryAnswers(300 * time.Millisecond)
	server.HurryStreams(100*time.Millisecond, 50*time.Millisecond, time.Minute)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(context.WithoutCancel(t.Context())), <-served); err != nil {
			t.Errorf("shut down: %v", err)
		}
	})
	address := listener.Addr().String()
	s := &apitest.Server{Server: server, URL: "http://" + address, Address: address}
	owner, project := s.Project(t)
	stream := openStream(t, owner, project, "")
	for end := time.Now().Add(time.Second); time.Now().Before(end); { // three times as long as an answer may take
		if _, err := stream.next(); err != nil {
			t.Fatal(err)
		}
	}
	s.Submit(t, project, "late")
	if e, err := stream.event(); err != nil || e.name != "FeedbackReceived" {
		t.Errorf("got %+v (%v)", e, err)
	}
}

// Who reads nothing loses the stream, and its place.
func TestSlowStreamIsCutOff(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	s.HurryStreams(time.Minute, 100*time.Millisecond, time.Second)
	owner, project := s.Project(t)
	const sent = 1200 // of 5 KB each: far more than the system keeps for who reads nothing
	submitMany(t, s, project, sent)
	dial(t, s, "GET /api/v1/projects/"+string(project.ID)+"/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"+
		"Authorization: Bearer "+owner.Token+"\r\n\r\n")
	quick := openStream(t, owner, project, "")
	for range sent {
		if e, err := quick.event(); err != nil || e.name != "FeedbackReceived" {
			t.Fatalf("who reads got %+v (%v)", e, err)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); s.OpenStreams() != 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams are open, want the quick one alone", s.OpenStreams())
		}
	}
	s.Submit(t, project, "one more")
	if e, err := quick.event(); err != nil || e.name != "FeedbackReceived" {
		t.Errorf("who reads got %+v (%v)", e, err)
	}
}

// submitMany sends long items side by side.
func submitMany(t *testing.T, s *apitest.Server, project api.Project, n int) {
	t.Helper()
	var sending sync.WaitGroup
	for w := range 10 {
		sending.Go(func() {
			for i := w; i < n; i += 10 {
				s.Submit(t, project, strings.Repeat("long ", 990)+strconv.Itoa(i))
			}
		})
	}
	sending.Wait()
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	var streams []*streamReader
	for range api.HeldPerAddress {
		streams = append(streams, openStream(t, owner, project, ""))
	}
	refused := openStream(t, owner, project, "")
	if refused.answer.StatusCode != http.StatusTooManyRequests || refused.answer.Header.Get("Retry-After") == "" || refused.answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("one more stream is answered %d with %v, want 429", refused.answer.StatusCode, refused.answer.Header)
	}
	owner.Do(post, "/api/v1/auth/logout", "{}").Want(204)
	for _, stream := range streams {
		stream.wantEnd(time.Second)
	}
	again := openStream(t, s.Owner(t), project, "")
	if again.answer.StatusCode != http.StatusOK {
		t.Errorf("a place that was given back: %d", again.answer.StatusCode)
	}
}

// Clients come and go while others submit; each sees every number once.
func TestStreamsMissNothing(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	const sent, clients = 300, 3
	var working sync.WaitGroup
	working.Go(func() {
		for i := range sent {
			s.Submit(t, project, strconv.Itoa(i))
		}
	})
	for range clients {
		working.Go(func() {
			last := ""
			for want := 1; want <= sent; {
				stream := openStream(t, owner, project, "", "Last-Event-ID", last)
				for taken := 0; taken < 40 && want <= sent; taken++ {
					e, err := stream.event()
					if err != nil || !strings.HasSuffix(e.id, ":"+strconv.Itoa(want)) {
						t.Errorf("got %+v (%v), want seq %d", e, err, want)
						return
					}
					last = e.id
					want++
				}
				_ = stream.answer.Body.Close()
			}
		})
	}
	working.Wait()
}
