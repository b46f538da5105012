package realtime

import (
	"sync"
	"time"

	"earshot/models"
)

// maxNoticed bounds what is remembered, twice: of two halves the older one is
// forgotten once the other is full. Whoever is forgotten gets a mail more.
const maxNoticed = 10_000

// noticed remembers up to when visitors have seen what happened: those whose
// socket was heard or whose poll was answered since, and those who looked. It is
// kept in memory alone, for the minute in which a reply waits to be mailed.
type noticed struct {
	mu         sync.Mutex
	at, before map[models.ID]time.Time
}

// of is called with mu held.
func (n *noticed) of(who models.ID) time.Time {
	if at, ok := n.at[who]; ok {
		return at
	}
	return n.before[who]
}

// Noticed notes that the visitor of a session, or who looked at an item by its
// receipt, has seen all that came up to a time.
func (h *Hub) Noticed(who models.ID, upTo time.Time) {
	n := &h.noticed
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil || len(n.at) >= maxNoticed {
		n.at, n.before = map[models.ID]time.Time{}, n.at
	}
	if upTo.After(n.of(who)) {
		n.at[who] = upTo
	}
}

// SeenUpTo tells up to when a visitor has seen what happened in an item of theirs;
// the zero time where nothing is known of it. Who has a socket or a poll open is
// seeing it.
func (h *Hub) SeenUpTo(item *models.Feedback, now time.Time) time.Time {
	h.mu.RLock()
	t := h.topics[item.ProjectID]
	follows := t != nil && t.sessions[item.SessionID] != nil
	h.mu.RUnlock()
	if follows {
		return now
	}
	n := &h.noticed
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := n.of(item.SessionID)
	if byReceipt := n.of(item.ID); byReceipt.After(seen) {
		seen = byReceipt
	}
	return seen
}
