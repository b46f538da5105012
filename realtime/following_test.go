package realtime

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// hello opens a visitor's socket with a resume token and whatever else is said.
func (h *harness) hello(token string, more map[string]any) *client {
	h.t.Helper()
	v := h.dial("/visitor")
	data := map[string]any{"resume_token": token}
	for name, value := range more {
		data[name] = value
	}
	v.send("Hello", "hello", data)
	v.send("Ping", "heard", map[string]any{})
	return v
}

// send submits an item and gives its id.
func (c *client) submit() models.ID {
	c.t.Helper()
	id := models.NewID()
	c.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://a.example/", "message": "x"})
	c.want("FeedbackReceived")
	return id
}

// triage changes an item as staff do, and says nothing of the revision.
func (h *harness) triage(id models.ID, change models.Triage) {
	h.t.Helper()
	item, err := h.store.Feedback(context.Background(), h.scope, id)
	if err == nil {
		change.Rev = item.Rev
		_, err = h.store.Triage(context.Background(), h.scope, id, change, models.Actor{UserID: h.claims.UserID, Name: "Ann Secret"})
	}
	if err != nil {
		h.t.Error(err)
	}
}

func to(status models.Status) models.Triage { return models.Triage{Status: &status} }

// wantStatus expects the next durable event to be the one given, and nothing
// else of the item in it.
func (c *client) wantStatus(seq int64, id models.ID, status models.Status) {
	c.t.Helper()
	for {
		e := c.next()
		if e.Seq == 0 {
			continue
		}
		want := fmt.Sprintf(`{"feedback_id":"%s","status":"%s"}`, id, status)
		if e.Type != "StatusChanged" || e.Seq != seq || e.Epoch == "" || string(e.Data) != want {
			c.t.Fatalf("got %s %d (epoch %q) %s, want StatusChanged %d %s", e.Type, e.Seq, e.Epoch, e.Data, seq, want)
		}
		return
	}
}

// wantNothingDurable asks the socket for a sign of life, behind which everything
// that was handed over before has come.
func (c *client) wantNothingDurable() {
	c.t.Helper()
	time.Sleep(50 * time.Millisecond)
	c.send("Ping", "nothing", map[string]any{})
	for e := c.next(); e.Re != "nothing"; e = c.next() {
		if e.Seq != 0 {
			c.t.Fatalf("got %s %d %s, want nothing", e.Type, e.Seq, e.Data)
		}
	}
}

func TestStatusReachesTheVisitorsSocketsAlone(t *testing.T) {
	h := start(t, true)
	token := models.NewResumeToken()
	first, stranger := h.hello(token, nil), h.dial("/visitor")
	mine := first.submit()      // 1
	theirs := stranger.submit() // 2
	second := h.hello(token, nil)
	second.want("Pong")
	tags, urgent, me := []string{"secret"}, models.PriorityUrgent, h.claims.UserID
	open := models.StatusOpen
	h.triage(mine, models.Triage{Tags: &tags, Priority: &urgent, AssigneeID: &me}) // 3: not theirs to know
	h.triage(mine, models.Triage{Status: &open, Tags: &[]string{}})                // 4
	h.triage(theirs, to(models.StatusClosed))                                      // 5
	h.triage(mine, to(models.StatusResolved))                                      // 6
	for _, v := range []*client{first, second} {
		v.wantStatus(4, mine, models.StatusOpen)
		v.wantStatus(6, mine, models.StatusResolved)
		v.wantNothingDurable()
	}
	stranger.wantStatus(5, theirs, models.StatusClosed)
	stranger.wantNothingDurable()
}

// A socket's session is also that of what is submitted under its token by other
// ways: it hears what becomes of it.
func TestSubmissionBesideTheSocketIsInItsSession(t *testing.T) {
	h := start(t, true)
	var connected struct {
		SessionID   models.ID `json:"session_id"`
		ResumeToken string    `json:"resume_token"`
	}
	given := h.dial("/visitor")
	if err := json.Unmarshal(given.want("Connected").Data, &connected); err != nil {
		t.Fatal(err)
	}
	own := models.NewResumeToken()
	brought, beside := h.hello(own, nil), h.hello(own, nil)
	brought.want("Pong")
	beside.want("Pong")
	for seq, tc := range []struct {
		token   string
		sockets []*client
	}{{connected.ResumeToken, []*client{given}}, {own, []*client{brought, beside}}} {
		session := h.server.SessionOf(h.project.ID, tc.token)
		if tc.token == connected.ResumeToken && session != connected.SessionID {
			t.Errorf("the session is %s, and the socket was told %s", session, connected.SessionID)
		}
		accepted, err := h.store.Submit(t.Context(), store.NewFeedback{
			Project: h.project, ResumeHash: models.HashResumeToken(tc.token), SessionID: session,
			Submission: models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: "x"},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.triage(accepted.ID, to(models.StatusOpen))
		for _, c := range tc.sockets {
			c.wantStatus(int64(2*seq+2), accepted.ID, models.StatusOpen)
		}
	}
	late := h.hello(own, map[string]any{"since": 0})
	late.want("Resumed")
	if got := h.server.SessionOf(h.project.ID, models.NewResumeToken()); got != "" {
		t.Errorf("a token that no socket has is of the session %q", got)
	}
}

// A socket is the session's before its first submission is acknowledged, so that
// nothing that staff do at once is missed.
func TestStatusRightBehindTheFirstSubmission(t *testing.T) {
	h := start(t, true)
	for range 20 {
		v := h.dial("/visitor")
		id := models.NewID()
		changed := make(chan struct{})
		go func() {
			defer close(changed)
			for {
				if _, err := h.store.Feedback(context.Background(), h.scope, id); err == nil {
					break
				}
			}
			h.triage(id, to(models.StatusOpen))
		}()
		v.send("FeedbackSubmitted", string(id), map[string]any{"page_url": "https://a.example/", "message": "x"})
		for e := v.next(); e.Type != "StatusChanged"; e = v.next() {
			t.Log(e.Type)
		}
		<-changed
		if err := v.ws.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Nothing is kept for sockets that are gone.
	for deadline := time.Now().Add(wait); ; time.Sleep(time.Millisecond) {
		h.hub.mu.RLock()
		n := len(h.hub.topics[h.project.ID].sessions)
		h.hub.mu.RUnlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions are still listened for", n)
		}
	}
}

func TestVisitorResumes(t *testing.T) {
	h := start(t, true)
	token := models.NewResumeToken()
	first := h.hello(token, nil)
	a, b := first.submit(), first.submit() // 1, 2
	h.submit(2)                            // 3, 4: others'
	h.triage(a, to(models.StatusOpen))     // 5
	h.submit(1)                            // 6
	h.triage(b, to(models.StatusOpen))     // 7
	h.triage(a, to(models.StatusClosed))   // 8
	h.submit(1)                            // 9
	epoch := h.store.Epoch()
	for _, tc := range []struct {
		name  string
		since int64
		epoch models.Epoch
		seqs  []int64
	}{
		{"from the start of the window", 0, "", []int64{5, 7, 8}},
		{"from the middle", 5, epoch, []int64{7, 8}},
		{"from another's number", 6, epoch, []int64{7, 8}},
		{"from the head", 9, epoch, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := h.hello(token, map[string]any{"since": tc.since, "epoch": tc.epoch})
			resumed := v.want("Resumed")
			var at protocol.Resumed
			if err := json.Unmarshal(resumed.Data, &at); err != nil || at != (protocol.Resumed{From: tc.since, To: 9}) || resumed.Re != "hello" {
				t.Errorf("resumed with %s (re %q), want from %d to 9", resumed.Data, resumed.Re, tc.since)
			}
			for _, seq := range tc.seqs {
				switch seq {
				case 5:
					v.wantStatus(5, a, models.StatusOpen)
				case 7:
					v.wantStatus(7, b, models.StatusOpen)
				case 8:
					v.wantStatus(8, a, models.StatusClosed)
				}
			}
			v.wantNothingDurable()
		})
	}
}

// After ResumeFailed the socket goes on, and hears what comes from then on.
func TestVisitorCannotResume(t *testing.T) {
	h := start(t, true)
	token := models.NewResumeToken()
	id := h.hello(token, nil).submit()  // 1
	h.triage(id, to(models.StatusOpen)) // 2
	h.submit(3)
	seq := int64(6)
	h.tooOld.Store(4) // the window begins there
	epoch := h.store.Epoch()
	for _, tc := range []struct {
		token  string
		since  int64
		epoch  models.Epoch
		reason protocol.ResumeReason
	}{
		{token, 2, epoch, protocol.ReasonTooOld},
		{token, 3, "another", protocol.ReasonEpochChanged},
		{token, 99, epoch, protocol.ReasonEpochChanged},
		{models.NewResumeToken(), 0, "", protocol.ReasonUnknownToken},
	} {
		v := h.hello(tc.token, map[string]any{"since": tc.since, "epoch": tc.epoch})
		if e := v.want("ResumeFailed"); e.Re != "hello" || string(e.Data) != fmt.Sprintf(`{"reason":"%s"}`, tc.reason) {
			t.Errorf("since %d: %s (re %q), want %s", tc.since, e.Data, e.Re, tc.reason)
		}
		v.want("Pong")
		if tc.reason == protocol.ReasonUnknownToken {
			fresh := v.submit()
			h.triage(fresh, to(models.StatusClosed))
			v.wantStatus(seq+1, fresh, models.StatusClosed)
			continue
		}
		status := models.StatusOpen
		if seq%2 == 0 {
			status = models.StatusClosed
		}
		h.triage(id, to(status))
		v.wantStatus(seq, id, status)
		v.wantNothingDurable()
		seq++
	}
	if v := h.hello(token, map[string]any{"since": 3, "epoch": epoch}); v.want("Resumed").Re != "hello" {
		t.Error("the window's first event cannot be resumed from")
	}
}

// What the hub loses it says, and the sockets read the log.
func TestVisitorReadsWhatTheHubLost(t *testing.T) {
	h := start(t, true)
	v := h.dial("/visitor")
	id := v.submit() // 1
	h.losing.Store(true)
	h.triage(id, to(models.StatusOpen)) // 2
	h.submit(1)                         // 3
	h.losing.Store(false)
	h.submit(1) // 4, somebody else's: behind it is the hole
	v.wantStatus(2, id, models.StatusOpen)
	h.losing.Store(true)
	h.triage(id, to(models.StatusClosed)) // 5
	h.losing.Store(false)
	h.hub.pendingMu.Lock()
	h.hub.dropped[h.project.ID] = 5
	h.hub.pendingMu.Unlock()
	h.hub.Publish(nil)
	v.wantStatus(5, id, models.StatusClosed)
	h.triage(id, to(models.StatusOpen)) // 6
	v.wantStatus(6, id, models.StatusOpen)
	v.wantNothingDurable()
}

// Sockets come, resume and go while staff work and others submit: each gets every
// event once and in order.
func TestVisitorsResumeUnderWay(t *testing.T) {
	h := start(t, true)
	token := models.NewResumeToken()
	first := h.hello(token, nil)
	id := first.submit()
	const changes = 150
	var working sync.WaitGroup
	var last atomic.Int64
	working.Go(func() { h.submit(2 * changes) })
	working.Go(func() {
		for i := range changes {
			h.losing.Store(i%10 == 3) // the hub loses some
			h.triage(id, to([]models.Status{models.StatusOpen, models.StatusClosed}[i%2]))
		}
		h.losing.Store(false)
		h.submit(1) // so that the last loss is seen
		head, err := h.store.LogHead(context.Background(), h.scope, h.project.ID)
		if err != nil {
			t.Error(err)
		}
		last.Store(head.Last)
	})
	read := func(v *client, since int64, until func() bool) (seqs []int64) {
		for {
			_ = v.ws.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			_, raw, err := v.ws.ReadMessage()
			var e event
			if err == nil {
				err = json.Unmarshal(raw, &e)
			}
			switch {
			case err != nil:
				return seqs
			case e.Type == "ResumeFailed":
				t.Errorf("since %d: %s", since, e.Data)
			case e.Seq != 0:
				seqs = append(seqs, e.Seq)
			}
			if until() {
				return seqs
			}
		}
	}
	var got []int64
	since := int64(0)
	for rounds := 0; rounds < 400 && len(got) < changes; rounds++ {
		v := h.hello(token, map[string]any{"since": since, "epoch": h.store.Epoch()})
		n := 0
		seqs := read(v, since, func() bool { n++; return n > 12 })
		_ = v.ws.Close()
		if len(seqs) > 0 {
			got = append(got, seqs...)
			since = seqs[len(seqs)-1]
		}
	}
	working.Wait()
	entries, err := h.store.ReadLog(t.Context(), h.scope, h.project.ID, 0, 10*changes)
	if err != nil {
		t.Fatal(err)
	}
	var want []int64
	for _, entry := range entries {
		if entry.Type == models.EventFeedbackUpdated {
			want = append(want, entry.Seq)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("who came and went got\n%v, want\n%v", got, want)
	}
	// The one that stayed got the same, live.
	var stayed []int64
	for len(stayed) < len(want) {
		e := first.next()
		if e.Seq != 0 {
			stayed = append(stayed, e.Seq)
		}
	}
	if fmt.Sprint(stayed) != fmt.Sprint(want) {
		t.Errorf("who stayed got\n%v, want\n%v", stayed, want)
	}
}
