package realtime

import (
	"bytes"
	"slices"
	"strings"

	"earshot/models"
	"earshot/realtime/protocol"
)

// presence is who is in a project, beside the members, whom the subscriptions
// tell. It lives in memory alone and is guarded by the hub's mutex.
type presence struct {
	visitors int
	// changed: somebody came or went since published was told.
	changed   bool
	published []byte
}

const presenceKey = "presence "

func (h *Hub) visitorJoined(project models.ID) { h.changeVisitors(project, 1) }
func (h *Hub) visitorLeft(project models.ID)   { h.changeVisitors(project, -1) }

func (h *Hub) changeVisitors(project models.ID, by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if by < 0 && h.topics[project] == nil {
		return // the project was deleted, and its topic with it
	}
	t := h.topic(project)
	t.presence.visitors = max(0, t.presence.visitors+by)
	t.presence.changed = true
}

// presenceState is who is in a project now, members by name, each once.
func (h *Hub) presenceState(project models.ID) protocol.PresenceState {
	h.mu.RLock()
	defer h.mu.RUnlock()
	state := protocol.PresenceState{ProjectID: project, Members: []protocol.Member{}}
	t := h.topics[project]
	if t == nil {
		return state
	}
	state.Visitors = t.presence.visitors
	users := map[models.ID]struct{}{}
	for s := range t.subscriptions {
		user := s.socket.claims.Load().UserID
		if _, ok := users[user]; !ok {
			users[user] = struct{}{}
			state.Members = append(state.Members, protocol.Member{UserID: user, Name: s.socket.name})
		}
	}
	slices.SortFunc(state.Members, func(a, b protocol.Member) int {
		return strings.Compare(a.Name+string(a.UserID), b.Name+string(b.UserID))
	})
	return state
}

// publishPresence tells subscribers of what changed since it was called last.
// Many changes between two calls are one event, and those that cancel out none.
func (h *Hub) publishPresence() {
	h.mu.Lock()
	var changed []models.ID
	for project, t := range h.topics {
		if t.presence.changed {
			t.presence.changed = false
			changed = append(changed, project)
		}
	}
	h.mu.Unlock()
	for _, project := range changed {
		data, err := protocol.Encode[protocol.DashboardServerEvent](protocol.DashboardServer, h.presenceState(project), protocol.Meta{})
		if err != nil {
			h.log.Error("encode presence", "error", err)
			continue
		}
		h.mu.Lock()
		same := true
		if t := h.topics[project]; t != nil {
			same = bytes.Equal(t.presence.published, data)
			t.presence.published = data
		}
		h.mu.Unlock()
		if !same {
			h.offerEphemeral(project, presenceKey+string(project), data)
		}
	}
}
