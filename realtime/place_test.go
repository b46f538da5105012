package realtime

import (
	"context"
	"strings"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// The window may move while somebody reads. Who wants what is gone is told.
func TestWindowMovesUnderAReplay(t *testing.T) {
	h := start(t, true)
	h.submit(5)
	d := h.dial("/dashboard")
	h.subscribe(d, map[string]any{})
	h.eachDashboard(func(d *dashboard) {
		d.mu.Lock()
		sub := d.subscriptions[h.project.ID]
		d.mu.Unlock()
		sub.mu.Lock()
		defer sub.mu.Unlock()
		if err := sub.lost(store.Head{Epoch: "e", Last: 5}); err != nil || !sub.ended {
			t.Errorf("lost: %v, ended %v", err, sub.ended)
		}
	})
	if e := d.want("ResyncRequired"); !strings.Contains(string(e.Data), "too_old") {
		t.Errorf("the dashboard was told %s, want too_old", e.Data)
	}
	for subscribed := 1; subscribed > 0; time.Sleep(time.Millisecond) {
		h.hub.mu.RLock()
		subscribed = len(h.hub.topics[h.project.ID].subscriptions)
		h.hub.mu.RUnlock()
	}
	p := &place{next: 3, sparse: true}
	told := &lostPart{place: p}
	p.part = told
	for _, tc := range []struct {
		next, first int64
		lost        bool
	}{{3, 4, true}, {3, 3, false}, {1, 4, false}} {
		p.next, told.wasLost = tc.next, false
		p.send(nil, store.Head{First: tc.first, Last: 9}, 9)
		if told.wasLost != tc.lost {
			t.Errorf("next %d in a log from %d: lost is %v, want %v", tc.next, tc.first, told.wasLost, tc.lost)
		}
	}
}

// What is published while a replay reads its last page is not forgotten.
func TestPublicationBesideTheLastPage(t *testing.T) {
	p := &place{next: 3, sparse: true}
	p.offer(publication{first: 5, last: 5})
	if p.send(nil, store.Head{First: 1, Last: 4}, 4) || p.live {
		t.Error("the place went live without the event 5")
	}
	if !p.send(nil, store.Head{First: 1, Last: 5}, 5) || !p.live || p.next != 6 {
		t.Errorf("behind 5 the place is %+v, want it live", p)
	}
}

// lostPart notes that something was lost.
type lostPart struct {
	*place
	wasLost bool
}

func (p *lostPart) read(context.Context, int64) ([]models.LogEntry, error) { return nil, nil }
func (p *lostPart) recent(int64) (publication, bool)                       { return publication{}, false }
func (p *lostPart) encode([]models.LogEntry) (publication, error)          { return publication{}, nil }
func (p *lostPart) lost(store.Head) error                                  { p.wasLost = true; return nil }
