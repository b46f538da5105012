package realtime

import (
	"slices"
	"strings"

	"earshot/models"
	"earshot/realtime/protocol"
)

// presence is who is in a project, beside the members, whom the subscriptions
// tell. It lives in memory alone and is guarded by the hub's mutex.
type presence struct {
	visitors int
	// changed: somebody came or went since the subscribers were told, or one of
	// them could not be.
	changed bool
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

// showPresence tells one subscriber who is in its project, unless it knows.
func (h *Hub) showPresence(s *subscription) error {
	// The lock is kept until the state is in the queue, so that none can come
	// after a newer one.
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[s.project]
	if t == nil {
		return nil
	}
	state, err := h.encodePresence(s.project, t)
	if err == nil {
		s.offerPresence(state)
	}
	return err
}

func (h *Hub) encodePresence(project models.ID, t *topic) (*broadcast, error) {
	data, err := protocol.Encode[protocol.DashboardServerEvent](protocol.DashboardServer, t.presenceState(project), protocol.Meta{})
	return &broadcast{log: h.log, events: [][]byte{data}}, err
}

// presenceState is who is in a project now, members by name, each once. Called
// with the hub's mutex held.
func (t *topic) presenceState(project models.ID) protocol.PresenceState {
	state := protocol.PresenceState{ProjectID: project, Members: []protocol.Member{}, Visitors: t.presence.visitors}
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
		told, err := h.publishPresenceOf(project)
		if err != nil {
			h.log.Error("encode presence", "error", err)
		}
		if !told {
			h.tellPresenceLater(project)
		}
	}
}

// publishPresenceOf is not told where a subscriber had no room for it.
func (h *Hub) publishPresenceOf(project models.ID) (told bool, err error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[project]
	if t == nil || len(t.subscriptions) == 0 {
		return true, nil
	}
	state, err := h.encodePresence(project, t)
	if err != nil {
		return true, err
	}
	told = true
	for s := range t.subscriptions {
		told = s.offerPresence(state) && told
	}
	return told, nil
}

func (h *Hub) tellPresenceLater(project models.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.topics[project]; t != nil {
		t.presence.changed = true
	}
}
