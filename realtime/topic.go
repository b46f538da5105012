package realtime

import (
	"context"
	"maps"
	"slices"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// pruneInterval is how often unused topics are looked for. One goes when it was
// found unused twice in a row: a long poll that has read the log and is about to
// wait must still find how far the log came in between.
const pruneInterval = 30 * time.Second

// topic is one project's part of the hub, and guarded by its mutex.
type topic struct {
	head          int64 // the last seq published here
	subscriptions map[*subscription]struct{}
	waiters       map[*waiter]struct{}
	sessions      map[models.ID]*audience // of visitors, by session; nil where there are none
	presence      presence
	tail          tail // has a mutex of its own
	// unused: prune found nobody here, and nobody has come since.
	unused bool
}

type waiter struct {
	since int64
	done  chan struct{}
}

// topic finds a project's topic or makes it. Called with mu held for writing.
func (h *Hub) topic(project models.ID) *topic {
	t := h.topics[project]
	if t == nil {
		t = &topic{subscriptions: map[*subscription]struct{}{}, waiters: map[*waiter]struct{}{}}
		t.presence.members = map[protocol.Member]int{}
		h.topics[project] = t
	}
	t.unused = false
	return t
}

// want has other nodes tell of a project. Called with mu held, by who follows it.
func (h *Hub) want(project models.ID) {
	if relay := h.others(); relay != nil {
		relay.Wanted(project)
	}
}

// prune forgets the topics that nobody uses. Nothing is lost with one: whoever
// subscribes reads where the log stands after the topic is there again.
func (h *Hub) prune() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for project, t := range h.topics {
		used := len(t.subscriptions) > 0 || len(t.waiters) > 0 || len(t.sessions) > 0 || t.presence.visitors > 0
		if !used && t.unused {
			delete(h.topics, project)
		}
		t.unused = !used
		t.tail.prune()
	}
}

// reach notes how far a project's log has come, and wakes who waits for it. It
// gives how far it had come before, 0 where that is not known.
func (h *Hub) reach(project models.ID, head int64) (before int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(project)
	before = t.head
	t.head = max(t.head, head)
	for w := range t.waiters {
		if w.since < t.head {
			close(w.done)
			delete(t.waiters, w)
		}
	}
	return before
}

// Wait returns once the project's log has grown past since or the project is
// deleted, or with the context's error. A log that grew before the hub started
// is not known to it: read the log first.
func (h *Hub) Wait(ctx context.Context, project models.ID, since int64) error {
	w := &waiter{since: since, done: make(chan struct{})}
	h.mu.Lock()
	t := h.topic(project)
	if t.head > since {
		h.mu.Unlock()
		return nil
	}
	t.waiters[w] = struct{}{}
	h.want(project)
	h.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(t.waiters, w)
		return ctx.Err()
	}
}

func (h *Hub) subscribe(project models.ID, s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(project)
	t.subscriptions[s] = struct{}{}
	t.presence.show(s)
	h.want(project)
}

func (h *Hub) unsubscribe(project models.ID, s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[project]
	if t == nil {
		return
	}
	if _, here := t.subscriptions[s]; here {
		delete(t.subscriptions, s)
		t.presence.hide(s)
	}
}

// end forgets the topic of a project that was deleted and wakes who waits for
// it. Its subscriptions are the caller's to end.
func (h *Hub) end(project models.ID) []*subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[project]
	if t == nil {
		return nil
	}
	delete(h.topics, project)
	for w := range t.waiters {
		close(w.done)
	}
	clear(t.waiters)
	for _, a := range t.sessions {
		a.wake()
	}
	return slices.Collect(maps.Keys(t.subscriptions))
}
