package realtime

import (
	"slices"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// Relay tells other nodes what happens on this one and is in no log. Its methods are
// called with locks held and return at once.
type Relay interface {
	// Wanted says that somebody here may follow a project from now on.
	Wanted(project models.ID)
	// Ephemeral is an event for a project's dashboards; one that waits under the same
	// key gives way to it.
	Ephemeral(project models.ID, key string, event []byte)
	// Typing says that staff are writing to the visitor of a session.
	Typing(project, session, feedback models.ID)
	// Present says who is in a project by way of this node.
	Present(project models.ID, who Present)
	// Job is an event of a job.
	Job(job models.Job, key string, event []byte)
	// Ended says that a member's session has ended.
	Ended(session models.ID)
}

// Present is who is in a project by way of one node.
type Present struct {
	Members  []protocol.Member       `json:"members,omitempty"`
	Visitors int                     `json:"visitors,omitempty"`
	Pages    []protocol.PagePresence `json:"pages,omitempty"`
}

// Nobody reports whether there is nobody.
func (p *Present) Nobody() bool { return len(p.Members) == 0 && p.Visitors == 0 }

// elsewhere is who another node has told of, until when that counts.
type elsewhere struct {
	Present
	until time.Time
}

// SetRelay has what happens here told to other nodes. It is to be called before there
// are sockets.
func (h *Hub) SetRelay(relay Relay) { h.relay.Store(relayed{relay}) }

type relayed struct{ Relay }

// others is nil where there are no other nodes.
func (h *Hub) others() Relay {
	relay, _ := h.relay.Load().(relayed)
	return relay.Relay
}

// Followed lists the projects that somebody follows here.
func (h *Hub) Followed() []models.ID {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var all []models.ID
	for project, t := range h.topics {
		if len(t.subscriptions) > 0 || len(t.waiters) > 0 || len(t.sessions) > 0 {
			all = append(all, project)
		}
	}
	return all
}

// Reached tells followers that a project's log has come so far; they read it.
func (h *Hub) Reached(project models.ID, head int64) { h.deliverGap(project, head) }

// RelayEphemeral hands over an event of another node.
func (h *Hub) RelayEphemeral(project models.ID, key string, event []byte) {
	h.offerEphemeral(project, key, &broadcast{log: h.log, events: [][]byte{event}})
}

// RelayTyping tells a visitor what another node's staff do.
func (h *Hub) RelayTyping(project, session, feedback models.ID) {
	h.tellTyping(project, session, feedback)
}

// RelayPresent notes who is in a project by way of another node, until a time.
func (h *Hub) RelayPresent(node string, project models.ID, who Present, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[project]
	if t == nil {
		return
	}
	if who.Nobody() {
		delete(t.presence.others, node)
	} else {
		if t.presence.others == nil {
			t.presence.others = map[string]elsewhere{}
		}
		t.presence.others[node] = elsewhere{who, until}
	}
	t.presence.changed = true
}

// Presence is who is where by way of this node.
func (h *Hub) Presence() map[models.ID]Present {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := map[models.ID]Present{}
	for project, t := range h.topics {
		if who := t.here(); !who.Nobody() {
			all[project] = who
		}
	}
	return all
}

// PresenceIn is who is in one project by way of this node.
func (h *Hub) PresenceIn(project models.ID) Present {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[project]
	if t == nil {
		return Present{}
	}
	return t.here()
}

// here is who is in the project by way of this node.
func (t *topic) here() Present {
	who := Present{Visitors: t.presence.visitors, Pages: t.presence.pages.most()}
	for member := range t.presence.members {
		who.Members = append(who.Members, member)
	}
	return who
}

// forgetOthers drops what other nodes have told and not said again.
func (p *presence) forgetOthers(now time.Time) {
	for node, other := range p.others {
		if now.After(other.until) {
			delete(p.others, node)
			p.changed = true
		}
	}
}

// everywhere adds who is in the project by way of other nodes.
func (p *presence) everywhere(who Present) Present {
	if len(p.others) == 0 {
		return who
	}
	counts := pages{}
	for _, page := range who.Pages {
		counts[page.PageURL] += page.Visitors
	}
	for _, other := range p.others {
		who.Visitors += other.Visitors
		for _, member := range other.Members {
			if !slices.Contains(who.Members, member) {
				who.Members = append(who.Members, member)
			}
		}
		for _, page := range other.Pages {
			counts[page.PageURL] += page.Visitors
		}
	}
	who.Pages = counts.most()
	return who
}
