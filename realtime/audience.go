package realtime

import (
	"earshot/models"
	"earshot/realtime/protocol"
)

// audience is who listens for one visitor session: its open sockets, and the
// calls that wait for an event. It is guarded by the hub's mutex.
type audience struct {
	places map[*following]struct{}
	calls  map[chan struct{}]struct{}
}

// audience finds a session's audience or makes it. Called with the hub's mutex
// held for writing.
func (t *topic) audience(session models.ID) *audience {
	a := t.sessions[session]
	if a == nil {
		a = &audience{places: map[*following]struct{}{}, calls: map[chan struct{}]struct{}{}}
		if t.sessions == nil {
			t.sessions = map[models.ID]*audience{}
		}
		t.sessions[session] = a
	}
	return a
}

// forgetSession drops an audience that is empty, likewise.
func (t *topic) forgetSession(session models.ID) {
	if a := t.sessions[session]; a != nil && len(a.places)+len(a.calls) == 0 {
		delete(t.sessions, session)
	}
}

// wake has each waiting call look at the log. A call that has been told and has
// not looked yet needs no second word.
func (a *audience) wake() {
	for call := range a.calls {
		select {
		case call <- struct{}{}:
		default:
		}
	}
}

func (h *Hub) follow(f *following) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topic(f.project).audience(f.session).places[f] = struct{}{}
	h.want(f.project)
}

func (h *Hub) unfollow(f *following) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[f.project]
	if t == nil || t.sessions[f.session] == nil {
		return // the project was deleted, and its topic with it
	}
	delete(t.sessions[f.session].places, f)
	t.forgetSession(f.session)
}

// WatchSession tells whenever a visitor session's part of a project's log may
// have grown, or the project was deleted, until stop is called. Read the log
// after the call: what came before it is not told.
func (h *Hub) WatchSession(project, session models.ID) (grown <-chan struct{}, stop func()) {
	call := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topic(project).audience(session).calls[call] = struct{}{}
	h.want(project)
	return call, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if t := h.topics[project]; t != nil && t.sessions[session] != nil {
			delete(t.sessions[session].calls, call)
			t.forgetSession(session)
		}
	}
}

// tellSessions hands over what of a run is a visitor's to know, to those whose it
// is. before is how far the log was known to reach: a hole behind it may have
// held something for anybody. Called with the hub's mutex held.
func (h *Hub) tellSessions(t *topic, before int64, entries []models.LogEntry) {
	if len(t.sessions) == 0 {
		return
	}
	if first := entries[0].Seq; before < first-1 {
		t.gapForSessions(before, first-1)
	}
	for _, entry := range entries {
		a := t.sessions[entry.SessionID] // nobody's is "", which none has
		if a == nil {
			continue
		}
		p, err := h.encodeForVisitor([]models.LogEntry{entry})
		if err != nil {
			h.log.Error("encode visitor's event", "error", err)
			continue
		}
		if len(p.events) == 0 {
			continue
		}
		for f := range a.places {
			f.offer(p)
		}
		a.wake()
		if len(a.calls) > 0 {
			h.Noticed(entry.SessionID, entry.At)
		}
	}
}

// gapForSessions has all visitors look at the log: it has grown from after to
// last by nobody knows what. Called with the hub's mutex held.
func (t *topic) gapForSessions(after, last int64) {
	for _, a := range t.sessions {
		for f := range a.places {
			f.gap(after, last)
		}
		a.wake()
	}
}

// encodeForVisitor is encodeRun for one visitor, who hears of some entries only.
func (h *Hub) encodeForVisitor(entries []models.LogEntry) (publication, error) {
	p := publication{entries[0].Seq, entries[len(entries)-1].Seq, &broadcast{log: h.log}}
	for _, entry := range entries {
		data, err := protocol.EncodeVisitorLog(entry, h.epoch())
		if err != nil {
			return p, err
		}
		if data != nil {
			p.events = append(p.events, data)
		}
	}
	return p, nil
}
