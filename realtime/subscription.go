package realtime

import (
	"context"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

// subscription is a dashboard's place in one project's log, with what else it is
// told of the project.
type subscription struct {
	place
	socket *dashboard
	// shown is what the project's presence counts it as: the hub's.
	shown protocol.Member

	// Guarded by the place's mutex, as the rest.
	started bool // Subscribed was sent
	gone    bool // the project was deleted
	// presence is what the client was told of it last; nil where that is not known.
	presence *snapshot
}

func newSubscription(d *dashboard, project models.ID, scope models.Scope) *subscription {
	s := &subscription{socket: d}
	s.place = place{project: project, scope: scope, server: d.server, conn: d.conn, turn: d.replayTurn, part: s}
	return s
}

func (s *subscription) read(ctx context.Context, since int64) ([]models.LogEntry, error) {
	return s.server.store.ReadLog(ctx, s.scope, s.project, since, replayPage)
}

func (s *subscription) recent(next int64) (publication, bool) {
	return s.server.hub.recent(s.project, next)
}

func (s *subscription) encode(entries []models.LogEntry) (publication, error) {
	return s.server.hub.encodeRun(entries)
}

// lost ends the subscription: what the client wants next is there no more.
func (s *subscription) lost(head store.Head) error {
	s.ended = true
	s.socket.owned.Go(func() { // the socket's and the hub's locks come before ours
		s.socket.forget(s)
		s.server.hub.unsubscribe(s.project, s)
	})
	return s.socket.answer(protocol.ResyncRequired{
		ProjectID: s.project, Reason: protocol.ReasonTooOld, Epoch: head.Epoch, Head: head.Last,
	}, "")
}

// offerEphemeral hands over an event that is not in the log.
func (s *subscription) offerEphemeral(b *broadcast, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started && !s.ended {
		s.socket.push(outgoing{frames: b.in(s.socket.encoding), events: 1, key: key})
	}
}

// offerPresence hands over who is in the project, where that is news. It is not
// told where the client had no room for it and is to be told later.
func (s *subscription) offerPresence(news *presenceNews) (told bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started || s.ended {
		return true, nil
	}
	if s.presence.equal(news.now) {
		s.presence = news.now
		return true, nil
	}
	key := presenceKey + string(s.project)
	b, err := news.whole()
	// A difference must not replace one that waits: the client needs both.
	if s.presence != nil && s.presence.equal(news.before) && !s.socket.queue.holds(key) {
		b, err = news.difference()
	}
	if err != nil {
		return false, err
	}
	s.presence = nil
	if s.socket.push(outgoing{frames: b.in(s.socket.encoding), events: 1, key: key}) {
		s.presence = news.now
	}
	return s.presence != nil, nil
}

// announce answers Subscribe, before everything else of the subscription.
// Ephemeral events that are published meanwhile wait for it.
func (s *subscription) announce(head store.Head, re string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return models.Errorf(models.CodeNotFound, "there is no such object")
	}
	s.started = true
	s.seen = max(s.seen, head.Last)
	return s.socket.answer(protocol.Subscribed{ProjectID: s.project, Epoch: head.Epoch, Head: head.Last}, re)
}

// projectDeleted ends the subscription and says why. Where Subscribe is not
// answered yet, its answer will say so.
func (s *subscription) projectDeleted(epoch models.Epoch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ended, s.gone = true, true
	if !s.started {
		return nil
	}
	return s.socket.answer(protocol.ResyncRequired{
		ProjectID: s.project, Reason: protocol.ReasonProjectDeleted, Epoch: epoch, Head: s.seen,
	}, "")
}
