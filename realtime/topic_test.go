package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

func (h *harness) topics() int {
	h.hub.mu.RLock()
	defer h.hub.mu.RUnlock()
	return len(h.hub.topics)
}

func TestDeletedProjectEndsWhatIsOpenForIt(t *testing.T) {
	h := start(t, true)
	h.submit(2)
	d, v := h.dial("/dashboard"), h.dial("/visitor")
	h.subscribe(d, map[string]any{"since": 1, "epoch": h.store.Epoch()})
	d.wantSeqs(2, 2)
	v.want("Connected")
	waiting := make(chan error, 1)
	go func() { waiting <- h.hub.Wait(t.Context(), h.project.ID, 2) }()
	for waiters := 0; waiters == 0; time.Sleep(time.Millisecond) {
		h.hub.mu.RLock()
		waiters = len(h.hub.topics[h.project.ID].waiters)
		h.hub.mu.RUnlock()
	}

	if err := h.store.DeleteProject(t.Context(), h.scope, h.project.ID); err != nil {
		t.Fatal(err)
	}
	h.server.EndProject(h.project.ID)

	var told protocol.ResyncRequired
	if err := json.Unmarshal(d.want("ResyncRequired").Data, &told); err != nil {
		t.Fatal(err)
	}
	want := protocol.ResyncRequired{ProjectID: h.project.ID, Reason: protocol.ReasonProjectDeleted, Epoch: h.store.Epoch(), Head: 2}
	if told != want {
		t.Errorf("dashboard was told %+v, want %+v", told, want)
	}
	v.wantClose(protocol.CloseKeyDisabled)
	if err := <-waiting; err != nil {
		t.Errorf("who waited for the log got %v, want a return without error", err)
	}
	if e := h.subscribe(d, map[string]any{}); e.Type != "Error" || e.code() != models.CodeNotFound {
		t.Errorf("Subscribe is answered %s %s, want Error not_found", e.Type, e.Data)
	}
	for deadline := time.Now().Add(wait); h.visitors() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the visitor's socket is still registered")
		}
	}
	h.hub.prune()
	h.hub.prune()
	if n := h.topics(); n != 0 {
		t.Errorf("%d topics are left, want none", n)
	}
	h.eachDashboard(func(d *dashboard) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if n := len(d.subscriptions); n != 0 {
			t.Errorf("the socket still counts %d subscriptions", n)
		}
	})
}

func (h *harness) visitors() int {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	return len(h.server.visitors)
}

func (h *harness) eachVisitor(do func(*visitor)) {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	for v := range h.server.visitors {
		do(v)
	}
}

func (h *harness) eachDashboard(do func(*dashboard)) {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	for d := range h.server.dashboards {
		do(d)
	}
}

// A project may go while Subscribe is being answered. Then there is one answer,
// that it is gone.
func TestProjectDeletedBeforeSubscribeIsAnswered(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	c.want("Connected")
	h.eachDashboard(func(d *dashboard) {
		sub := newSubscription(d, h.project.ID, h.scope)
		if err := sub.projectDeleted("e"); err != nil {
			t.Error(err)
		}
		if err := sub.announce(store.Head{}, "s"); models.CodeOf(err) != models.CodeNotFound {
			t.Errorf("announce gives %v, want not_found", err)
		}
	})
	c.send("Ping", "p", map[string]any{})
	if e := c.next(); e.Re != "p" {
		t.Errorf("got %s before the Pong, want nothing", e.Type)
	}
}

// Topics come and go under everybody's feet here; whoever is subscribed misses
// nothing all the same.
func TestPruningLosesNoPublication(t *testing.T) {
	h := start(t, true)
	const joins, sent = 40, 400
	var submitting, joining sync.WaitGroup
	var done atomic.Bool
	submitting.Go(func() { h.submit(sent) })
	pruned := make(chan struct{})
	go func() {
		defer close(pruned)
		for !done.Load() {
			h.hub.prune()
			time.Sleep(50 * time.Microsecond)
		}
	}()
	for range 4 {
		joining.Go(func() {
			c := h.dial("/dashboard")
			for range joins {
				e := h.subscribe(c, map[string]any{})
				var at protocol.Subscribed
				if err := json.Unmarshal(e.Data, &at); err != nil || e.Type != "Subscribed" {
					t.Errorf("answered %s %s (%v)", e.Type, e.Data, err)
					return
				}
				if to := min(at.Head+3, sent); to > at.Head {
					c.wantSeqs(at.Head+1, to)
				}
				c.send("Unsubscribe", "", map[string]any{"project_id": h.project.ID})
			}
			c.send("Ping", "end", map[string]any{})
			c.want("Pong")
		})
	}
	joining.Wait()
	submitting.Wait()
	done.Store(true)
	<-pruned
	h.hub.prune()
	h.hub.prune()
	if n := h.topics(); n != 0 {
		t.Errorf("%d topics are left, want none", n)
	}
}

// Who has read the log and is about to wait must find what was published in
// between, with nobody else in the topic.
func TestOnePruningKeepsTheHeadForWait(t *testing.T) {
	h := start(t, true)
	h.submit(1)
	for reached := false; !reached; time.Sleep(time.Millisecond) {
		h.hub.mu.RLock()
		topic := h.hub.topics[h.project.ID]
		reached = topic != nil && topic.head == 1
		h.hub.mu.RUnlock()
	}
	h.hub.prune()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	if err := h.hub.Wait(ctx, h.project.ID, 0); err != nil {
		t.Errorf("Wait: %v, want the event that was published before it", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.hub.Wait(cancelled, h.project.ID, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait past the head: %v, want the context's error", err)
	}
	h.hub.prune()
	h.hub.prune()
	if n := h.topics(); n != 0 {
		t.Errorf("%d topics are left, want none", n)
	}
}

// A member for whom there was no room when the presence was told is told later.
func TestPresenceThatWasDroppedIsToldLater(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	c.want("PresenceState")
	fill := func(events int) {
		h.eachDashboard(func(d *dashboard) {
			d.queue.mu.Lock()
			d.queue.events += events
			d.queue.mu.Unlock()
		})
	}
	fill(maxQueuedBeforeEphemeral) // as in a replay
	h.hub.showVisitor(&visitor{}, h.project.ID, true)
	h.hub.publishPresence(time.Now())
	h.hub.publishPresence(time.Now()) // once more, so that it is no news
	fill(-maxQueuedBeforeEphemeral)
	h.hub.publishPresence(time.Now())
	if e := c.want("PresenceState"); !strings.Contains(string(e.Data), `"visitors":1`) {
		t.Errorf("told %s, want one visitor", e.Data)
	}
}
