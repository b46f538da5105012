package realtime

import (
	"context"

	"earshot/models"
	"earshot/realtime/protocol"
)

// viewing is what a member has open on one socket.
type viewing struct {
	project, feedback models.ID
	typing            bool
}

// view notes what a member has open. Others in the project learn of it, and while
// they type so does the visitor.
func (d *dashboard) view(e protocol.Viewing) error {
	next := viewing{}
	if e.FeedbackID != nil {
		ctx, cancel := context.WithTimeout(d.ctx, submitTimeout)
		defer cancel()
		item, err := d.server.store.Feedback(ctx, d.claims.Load().Scope, *e.FeedbackID)
		if err != nil {
			return err
		}
		next = viewing{item.ProjectID, item.ID, e.Typing && d.claims.Load().CanTriage()} // others cannot answer
		if next.typing {
			d.server.hub.agentTyping(item.ProjectID, item.SessionID, item.ID)
		}
	}
	d.mu.Lock()
	last := d.viewing
	d.viewing = next
	before, after := d.subscriptions[last.project], d.subscriptions[next.project]
	d.mu.Unlock()
	if last == next {
		return nil
	}
	for _, sub := range []*subscription{before, after} {
		if sub != nil {
			d.server.hub.memberTurned(sub)
		}
	}
	return nil
}

// member is how others in a project see whose socket this is.
func (d *dashboard) member(project models.ID) protocol.Member {
	m := protocol.Member{UserID: d.claims.Load().UserID, Name: d.name}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.viewing.project == project {
		m.FeedbackID, m.Typing = d.viewing.feedback, d.viewing.typing
	}
	return m
}

// agentTyping tells a visitor's open sockets that an answer is being written, here and
// on other nodes.
func (h *Hub) agentTyping(project, session, feedback models.ID) {
	if relay := h.others(); relay != nil {
		relay.Typing(project, session, feedback)
	}
	h.tellTyping(project, session, feedback)
}

func (h *Hub) tellTyping(project, session, feedback models.ID) {
	data, err := protocol.Encode[protocol.VisitorServerEvent](protocol.VisitorServer, protocol.AgentTyping{FeedbackID: feedback}, protocol.Meta{})
	if err != nil {
		h.log.Error("encode typing", "error", err)
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	t := h.topics[project]
	if t == nil || t.sessions[session] == nil {
		return
	}
	b := &broadcast{log: h.log, events: [][]byte{data}}
	for f := range t.sessions[session].places {
		if frames := b.in(f.conn.encoding); frames != nil {
			f.conn.push(outgoing{frames: frames, events: 1, key: "typing " + string(feedback)})
		}
	}
}
