package realtime

import (
	"cmp"
	"slices"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// presence is who is in a project. It lives in memory alone and is guarded by the
// hub's mutex.
type presence struct {
	// members counts the subscriptions that show a member so: thousands of windows
	// of the same people are a few entries.
	members  map[protocol.Member]int
	visitors int
	pages    pages
	// others are those that other nodes tell of, by node.
	others map[string]elsewhere
	// changed: somebody came, went or turned to something else since the
	// subscribers were told, or one of them could not be.
	changed bool
	// told is what they were told last.
	told *snapshot
}

// snapshot is who is in a project at one moment. It is never changed.
type snapshot struct {
	members  []protocol.Member // sorted, each with an item once
	visitors int
	pages    []protocol.PagePresence
}

func (s *snapshot) equal(other *snapshot) bool {
	return s == other || s != nil && other != nil && s.visitors == other.visitors && slices.Equal(s.members, other.members) &&
		slices.Equal(s.pages, other.pages)
}

const presenceKey = "presence "

// showVisitor counts a visitor among those who are here, or leaves them out.
func (h *Hub) showVisitor(v *visitor, project models.ID, shown bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !v.gone {
		h.showVisitorLocked(v, project, shown)
	}
}

func (h *Hub) showVisitorLocked(v *visitor, project models.ID, shown bool) {
	if v.shown == shown {
		return
	}
	if v.shown = shown; shown {
		h.changeVisitorsLocked(project, 1)
		return
	}
	if t := h.topics[project]; t != nil && v.page != "" {
		t.presence.pages.leave(v.page)
	}
	v.page = ""
	h.changeVisitorsLocked(project, -1)
}

func (h *Hub) visitorLeft(v *visitor, project models.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.showVisitorLocked(v, project, false)
	v.gone = true
}

func (h *Hub) changeVisitorsLocked(project models.ID, by int) {
	if by < 0 && h.topics[project] == nil {
		return // the project was deleted, and its topic with it
	}
	t := h.topic(project)
	t.presence.visitors = max(0, t.presence.visitors+by)
	t.presence.changed = true
}

// memberTurned notes what a subscription's member does now, and has it told.
func (h *Hub) memberTurned(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[s.project]
	if t == nil {
		return
	}
	if _, here := t.subscriptions[s]; here {
		t.presence.hide(s)
		t.presence.show(s)
	}
}

func (p *presence) show(s *subscription) {
	s.shown = s.socket.member(s.project)
	p.members[s.shown]++
	p.changed = true
}

func (p *presence) hide(s *subscription) {
	p.members[s.shown]--
	if p.members[s.shown] == 0 {
		delete(p.members, s.shown)
	}
	p.changed = true
}

// presenceNews is what subscribers are told at one moment: who knew what was told
// before gets the difference, everybody else the whole. Each is encoded once.
type presenceNews struct {
	hub         *Hub
	project     models.ID
	before, now *snapshot
	state, diff *broadcast
}

func (n *presenceNews) whole() (*broadcast, error) {
	var err error
	if n.state == nil {
		n.state, err = n.hub.ephemeral(protocol.PresenceState{ProjectID: n.project, Members: n.now.members, Visitors: n.now.visitors, Pages: n.now.pages})
	}
	return n.state, err
}

func (n *presenceNews) difference() (*broadcast, error) {
	var err error
	if n.diff == nil {
		n.diff, err = n.hub.ephemeral(protocol.PresenceDiff{
			ProjectID: n.project, Joined: without(n.now.members, n.before.members), Left: without(n.before.members, n.now.members),
			Visitors: n.now.visitors, Pages: n.now.pages,
		})
	}
	return n.diff, err
}

// without is what of a is not in b.
func without(a, b []protocol.Member) []protocol.Member {
	rest := []protocol.Member{}
	for _, member := range a {
		if !slices.Contains(b, member) {
			rest = append(rest, member)
		}
	}
	return rest
}

// showPresence tells one subscriber who is in its project, unless it knows.
func (h *Hub) showPresence(s *subscription) error {
	// The lock is kept until the state is in the queue, so that none can come
	// after a newer one.
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[s.project]
	if t == nil {
		return nil
	}
	now := t.snapshot()
	if t.presence.told == nil {
		t.presence.told = now
	}
	_, err := s.offerPresence(&presenceNews{hub: h, project: s.project, now: now})
	return err
}

func (h *Hub) ephemeral(event protocol.DashboardServerEvent) (*broadcast, error) {
	data, err := protocol.Encode(protocol.DashboardServer, event, protocol.Meta{})
	return &broadcast{log: h.log, events: [][]byte{data}}, err
}

// snapshot is who is in a project now: members by name, one who has several
// items open with each of them. Called with the hub's mutex held.
func (t *topic) snapshot() *snapshot {
	who := t.presence.everywhere(t.here())
	now := &snapshot{members: append([]protocol.Member{}, who.Members...), visitors: who.Visitors, pages: who.Pages}
	busy := map[models.ID]bool{}
	for _, member := range now.members {
		busy[member.UserID] = busy[member.UserID] || member.FeedbackID != ""
	}
	// Who has an item open on one socket is not idle because of another.
	now.members = slices.DeleteFunc(now.members, func(m protocol.Member) bool { return m.FeedbackID == "" && busy[m.UserID] })
	slices.SortFunc(now.members, func(a, b protocol.Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.FeedbackID, b.FeedbackID),
			compareBool(a.Typing, b.Typing))
	})
	return now
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// publishPresence tells subscribers of what changed since it was called last.
// Many changes between two calls are one event, and those that cancel out none.
func (h *Hub) publishPresence(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for project, t := range h.topics {
		t.presence.forgetOthers(now)
		if t.presence.changed {
			t.presence.changed = false
			if relay := h.others(); relay != nil {
				relay.Present(project, t.here())
			}
			if err := h.publishPresenceOf(project, t); err != nil {
				h.log.Error("encode presence", "error", err)
			}
		}
	}
}

func (h *Hub) publishPresenceOf(project models.ID, t *topic) error {
	news := &presenceNews{hub: h, project: project, before: t.presence.told, now: t.snapshot()}
	t.presence.told = news.now
	for s := range t.subscriptions {
		told, err := s.offerPresence(news)
		if err != nil {
			return err
		}
		if !told {
			t.presence.changed = true // tell that one later
		}
	}
	return nil
}
