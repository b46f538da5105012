package realtime

import (
	"context"
	"strings"
	"testing"
	"time"

	"earshot/models/store"
)

// piece is a publication of n events of that length.
func piece(first, n int64, length int) publication {
	p := publication{first: first, last: first + n - 1, broadcast: &broadcast{}}
	for range n {
		p.events = append(p.events, []byte(strings.Repeat("x", length)))
	}
	return p
}

func TestTail(t *testing.T) {
	var end tail
	for first := int64(1); first <= 1000; first += 10 {
		end.add(piece(first, 10, 100))
	}
	for _, tc := range []struct {
		name        string
		next        int64
		first, last int64 // 0: not kept
	}{
		{"long ago", 1, 0, 0},
		{"just dropped", 490, 0, 0},
		{"the oldest", 491, 491, 500},
		{"the middle of a piece", 505, 505, 510},
		{"the end of a piece", 1000, 1000, 1000},
		{"yet to come", 1001, 0, 0},
	} {
		p, ok := end.from(tc.next)
		if ok != (tc.first > 0) || p.first != tc.first || p.last != tc.last || ok && int64(len(p.events)) != p.last-p.first+1 {
			t.Errorf("%s: from(%d) = %d to %d with %v, want %d to %d", tc.name, tc.next, p.first, p.last, ok, tc.first, tc.last)
		}
	}
	end.add(piece(1005, 1, 100)) // 1001 to 1004 were lost
	if _, ok := end.from(1000); ok {
		t.Error("what lies before a hole is kept, and would be sent as if there was none")
	}
	end.prune()
	if _, ok := end.from(1005); !ok {
		t.Error("what was added since the last look is gone")
	}
	end.prune()
	if _, ok := end.from(1005); ok || end.bytes != 0 || end.events != 0 {
		t.Errorf("an unused tail keeps %d events of %d bytes", end.events, end.bytes)
	}
}

func TestTailIsBoundedInBytes(t *testing.T) {
	var end tail
	for first := int64(1); first <= 100; first++ {
		end.add(piece(first, 1, 33<<10))
		if end.bytes > tailBytes || end.bytes != (33<<10)*len(end.pieces) || end.events != len(end.pieces) {
			t.Fatalf("after %d: %d pieces, %d events, %d bytes", first, len(end.pieces), end.events, end.bytes)
		}
	}
	end.add(piece(101, 32, 33<<10)) // more than all of it may be
	if len(end.pieces) != 0 || end.bytes != 0 {
		t.Errorf("%d pieces of %d bytes are kept, want none", len(end.pieces), end.bytes)
	}
}

// Whatever comes out fits into a queue that has any room.
func TestLargePieceIsHandedOutInParts(t *testing.T) {
	large := piece(1, 32, 17<<10)
	if p := large.from(1); p.first != 1 || p.last != replayPage || len(p.events) != replayPage {
		t.Errorf("from(1) = %d to %d, want 1 to %d", p.first, p.last, replayPage)
	}
	if p := large.from(30); p.first != 30 || p.last != 32 {
		t.Errorf("from(30) = %d to %d, want 30 to 32", p.first, p.last)
	}
}

// A socket that was a little too slow is brought up to date without the store.
func TestFallingBehindALittleReadsNoLog(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.submit(10)
	c.wantSeqs(1, 10)
	h.faulty.Store(true)
	h.eachDashboard(func(d *dashboard) {
		d.mu.Lock()
		sub := d.subscriptions[h.project.ID]
		d.mu.Unlock()
		sub.mu.Lock()
		defer sub.mu.Unlock()
		sub.next = 4 // as if it had had no room for the rest
		sub.startReplay()
	})
	c.wantSeqs(4, 10)
	h.faulty.Store(false)
	h.submit(1)
	c.wantSeqs(11, 11)
}

// eraseFirst erases the oldest item, which is in the tail until then.
func (h *harness) eraseFirst() {
	h.t.Helper()
	if _, ok := h.hub.recent(h.project.ID, 1); !ok {
		h.t.Fatal("nothing is kept: this test shows nothing")
	}
	list, err := h.store.FeedbackList(h.t.Context(), h.scope, h.project.ID, store.Filter{Sort: "created_at"}, store.Page{Limit: 1})
	if err != nil || len(list.Items) != 1 {
		h.t.Fatal(list, err)
	}
	if err := h.store.Erase(h.t.Context(), h.scope, list.Items[0].ID); err != nil {
		h.t.Fatal(err)
	}
}

// Nor does the hub keep what was erased for those who come late.
func TestErasedIsNotInTheTail(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.submit(3)
	c.wantSeqs(1, 3)
	h.eraseFirst()
	c.wantSeqs(4, 4)
	if p, ok := h.hub.recent(h.project.ID, 1); ok {
		t.Errorf("the erased item is still at hand: %s", p.events)
	}
}

// Erased while nobody is subscribed: who comes next is not shown it either.
func TestErasedWhileNobodyListensIsNotInTheTail(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.submit(2)
	c.wantSeqs(1, 2)
	c.send("Unsubscribe", "", map[string]any{"project_id": h.project.ID})
	c.send("Ping", "", map[string]any{})
	c.want("Pong")
	h.eraseFirst()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	if err := h.hub.Wait(ctx, h.project.ID, 2); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(wait); ; time.Sleep(time.Millisecond) {
		p, ok := h.hub.recent(h.project.ID, 1)
		if !ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the erased item is still at hand: %s", p.events)
		}
	}
}
