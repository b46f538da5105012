package realtime

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"earshot/models"
	"earshot/models/metrics"
	"earshot/models/trace"
	"earshot/realtime/protocol"
)

// maxPending bounds the committed entries that wait for the hub. Past it they
// are dropped, but for how far they reach: subscribers then read the log.
const maxPending = 1 << 14

// maxPublication bounds how many events go to sockets as one piece. Larger
// pieces share more writes, but of the usual events one must fit into a socket's
// queue many times.
const maxPublication = 32

// Hub fans a project's events out to its subscribers. What it is told is only a
// hint: each subscriber's truth is the seq it has seen, and one that misses a
// number reads the log.
type Hub struct {
	log     *slog.Logger
	epoch   func() models.Epoch
	metrics metrics.Hub
	tracer  *trace.Tracer // nil: nothing is traced

	pendingMu sync.Mutex
	pending   []models.LogEntry
	dropped   map[models.ID]int64 // the last seq of projects that lost entries
	wake      chan struct{}
	ended     chan struct{}
	closeOnce sync.Once
	closing   chan struct{}

	mu     sync.RWMutex
	topics map[models.ID]*topic

	noticed noticed

	relay atomic.Value // a relayed, once there are other nodes
}

// NewHub starts a hub; the caller closes it. epoch is asked at publications.
func NewHub(log *slog.Logger, epoch func() models.Epoch, counts metrics.Hub, tracer *trace.Tracer) *Hub {
	h := &Hub{
		log: log, epoch: epoch, metrics: counts, tracer: tracer, wake: make(chan struct{}, 1), ended: make(chan struct{}), closing: make(chan struct{}),
		topics: map[models.ID]*topic{}, dropped: map[models.ID]int64{},
	}
	go h.run()
	return h
}

// Close ends the hub's goroutine after what was published is out.
func (h *Hub) Close() {
	h.closeOnce.Do(func() { close(h.closing) })
	<-h.ended
}

// Publish takes committed entries, oldest first. It never blocks: the store's
// writer calls it.
func (h *Hub) Publish(entries []models.LogEntry) {
	h.metrics.Published.Add(float64(len(entries)))
	h.pendingMu.Lock()
	if len(h.pending)+len(entries) <= maxPending {
		h.pending = append(h.pending, entries...)
	} else {
		h.metrics.Lost.Add(float64(len(entries)))
		for _, entry := range entries {
			h.dropped[entry.ProjectID] = entry.Seq
		}
	}
	h.pendingMu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *Hub) run() {
	defer close(h.ended)
	for {
		select {
		case <-h.wake:
			h.deliver()
		case <-h.closing:
			h.deliver()
			return
		}
	}
}

func (h *Hub) deliver() {
	h.pendingMu.Lock()
	entries, dropped := h.pending, h.dropped
	h.pending, h.dropped = nil, map[models.ID]int64{}
	h.pendingMu.Unlock()
	defer func() {
		for project, last := range dropped {
			h.deliverGap(project, last)
		}
	}()
	for len(entries) > 0 {
		// A run of one project's entries without a hole goes out as one piece.
		n := 1
		for n < len(entries) && n < maxPublication &&
			entries[n].ProjectID == entries[0].ProjectID && entries[n].Seq == entries[n-1].Seq+1 {
			n++
		}
		h.deliverRun(entries[:n])
		entries = entries[n:]
	}
}

// publication is a run of events for all subscribers.
type publication struct {
	first, last int64
	*broadcast
}

func (h *Hub) deliverRun(entries []models.LogEntry) {
	project := entries[0].ProjectID
	before := h.reach(project, entries[len(entries)-1].Seq)
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[project]
	if t == nil {
		return
	}
	h.tellSessions(t, before, entries)
	back := slices.ContainsFunc(entries, takesBack)
	if back { // also where nobody is here now: who comes next reads the tail
		t.tail.forget()
	}
	if len(t.subscriptions) == 0 {
		return
	}
	p, err := h.encodeRun(entries)
	if err != nil {
		h.log.Error("encode events", "error", err)
		return
	}
	spans := h.traceRun(entries)
	p.written = newWritten(spans) // before others can see it
	if !back {
		t.tail.add(p) // before it is offered: who has no room for it looks there
	}
	for s := range t.subscriptions {
		s.offer(p)
	}
	endPublishing(spans, len(t.subscriptions))
	h.metrics.Delivered.Add(float64(len(t.subscriptions) * len(p.events)))
}

// waiting is how many committed entries the hub has not come to.
func (h *Hub) waiting() int {
	h.pendingMu.Lock()
	defer h.pendingMu.Unlock()
	return len(h.pending)
}

// takesBack reports whether what was published before says more than the log does
// from now on.
func takesBack(entry models.LogEntry) bool {
	switch entry.Type {
	case models.EventFeedbackErased, models.EventNoteEdited, models.EventNoteDeleted:
		return true
	case models.EventFeedbackReceived, models.EventFeedbackUpdated, models.EventMessagePosted, models.EventNoteAdded,
		models.EventFeedbackImported:
	}
	return false
}

// recent is what was published of a project not long ago, from the event next on;
// false where that is not known any more.
func (h *Hub) recent(project models.ID, next int64) (publication, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[project]
	if t == nil {
		return publication{}, false
	}
	return t.tail.from(next)
}

// deliverGap tells subscribers that their log has grown by what was dropped.
func (h *Hub) deliverGap(project models.ID, last int64) {
	before := h.reach(project, last)
	h.mu.RLock()
	defer h.mu.RUnlock()
	if t := h.topics[project]; t != nil {
		t.tail.forget() // something may have been taken back in the gap
		for s := range t.subscriptions {
			s.gap(before, last)
		}
		t.gapForSessions(before, last)
	}
}

// encodeRun makes a publication for dashboards.
func (h *Hub) encodeRun(entries []models.LogEntry) (publication, error) {
	p := publication{entries[0].Seq, entries[len(entries)-1].Seq, &broadcast{log: h.log}}
	for _, entry := range entries {
		data, err := protocol.EncodeLog(entry, h.epoch())
		if err != nil {
			return p, err
		}
		p.events = append(p.events, data)
	}
	return p, nil
}

// publishEphemeral sends an event that is not in the log to a project's
// subscribers. Waiting ones with the same key are replaced by it.
func (h *Hub) publishEphemeral(project models.ID, key string, event protocol.DashboardServerEvent) {
	b, err := h.ephemeral(event)
	if err != nil {
		h.log.Error("encode ephemeral event", "error", err)
		return
	}
	if relay := h.others(); relay != nil {
		relay.Ephemeral(project, key, b.events[0])
	}
	h.offerEphemeral(project, key, b)
}

func (h *Hub) offerEphemeral(project models.ID, key string, b *broadcast) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[project]
	if t == nil || len(t.subscriptions) == 0 {
		return
	}
	for s := range t.subscriptions {
		s.offerEphemeral(b, key)
	}
}
