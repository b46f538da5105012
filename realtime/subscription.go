package realtime

import (
	"bytes"
	"sync"
	"time"

	"earshot/models"
	"earshot/models/store"
	"earshot/realtime/protocol"
)

const (
	// replayPage is how many entries one read of the log brings: one piece of a
	// socket's queue. Of the longest events, 33 KiB each, it is half a queue.
	replayPage = 16
	// replayStall ends a replay whose reader takes nothing for so long.
	replayStall = 2 * writeDeadline
	// roomInterval is how often a replay looks whether its page has gone out.
	roomInterval  = 10 * time.Millisecond
	maxEmptyPages = 3
)

// subscription is one socket's place in one project's log. It is either live,
// and takes publications as they come, or it replays: a goroutine reads the log
// from next on until it has caught up. Publications that come meanwhile are not
// kept, only how far they reach; what they held is in the log.
type subscription struct {
	project models.ID
	scope   models.Scope
	socket  *dashboard

	mu      sync.Mutex
	next    int64 // the seq to be sent next
	seen    int64 // the last seq that was published, sent or not
	started bool  // Subscribed was sent
	live    bool
	ended   bool
	gone    bool // the project was deleted
	empty   int  // pages in a row that held nothing
	// presence is the state that was offered last.
	presence []byte
}

// offer hands over a publication. It never blocks.
func (s *subscription) offer(p publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = max(s.seen, p.last)
	switch {
	case s.ended || !s.live || p.last < s.next:
		// Not ours, or the replay will bring it, or it has brought it.
	case p.first == s.next:
		s.next = p.last + 1
		s.socket.push(outgoing{frames: p.frames, events: int(p.last - p.first + 1)})
	default: // a gap, or a piece that we have in part
		s.startReplay()
	}
}

// offerEphemeral hands over an event that is not in the log.
func (s *subscription) offerEphemeral(out outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started && !s.ended {
		s.socket.push(out)
	}
}

// offerPresence hands over who is in the project, where that is news.
func (s *subscription) offerPresence(data, frames []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started && !s.ended && !bytes.Equal(s.presence, data) {
		s.presence = data
		s.socket.push(outgoing{frames: frames, events: 1, key: presenceKey + string(s.project)})
	}
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
	return s.socket.Send(protocol.Subscribed{ProjectID: s.project, Epoch: head.Epoch, Head: head.Last}, re)
}

// start begins with the event next, which may be one that is yet to come.
func (s *subscription) start(next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.next = next
	s.startReplay()
}

// startReplay is called with mu held, which keeps it apart from end: the socket
// waits for its replays only after it has ended all subscriptions.
func (s *subscription) startReplay() {
	s.live = false
	s.socket.owned.Go(s.replay)
}

// gap says that the log has reached last without its events coming here.
func (s *subscription) gap(last int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = max(s.seen, last)
	if s.live && !s.ended && s.next <= last {
		s.startReplay()
	}
}

// end stops the subscription; nothing is sent for it afterwards.
func (s *subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
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
	return s.socket.Send(protocol.ResyncRequired{
		ProjectID: s.project, Reason: protocol.ReasonProjectDeleted, Epoch: epoch, Head: s.seen,
	}, "")
}

// replay reads the log from next on until nothing is missing, then goes live.
// Subscribing came before reading, so whatever was committed in between is
// either in a page or in seen.
func (s *subscription) replay() {
	for {
		done, pause := s.replayOnce()
		if done || (pause && !s.socket.pause(roomInterval)) {
			return
		}
	}
}

// replayOnce sends one page of the log, in the socket's turn to do so. pause
// asks for a moment before the next.
func (s *subscription) replayOnce() (done, pause bool) {
	ctx := s.socket.ctx
	select {
	case s.socket.replayTurn <- struct{}{}:
		defer func() { <-s.socket.replayTurn }()
	case <-ctx.Done():
		return true, false
	}
	if !s.socket.waitForRoom(replayStall) {
		s.socket.shut(protocol.CloseSlowConsumer)
		return true, false
	}
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	entries, err := s.socket.server.store.ReadLog(ctx, s.scope, s.project, next-1, replayPage)
	if err != nil {
		if ctx.Err() == nil {
			s.socket.server.log.Error("replay log", "project", s.project, "error", err)
			s.socket.shut(protocol.CloseTryAgainLater)
		}
		return true, false
	}
	return s.send(entries), len(entries) == 0
}

// send queues a page of the log; done is true when the replay has ended.
func (s *subscription) send(entries []models.LogEntry) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return true
	}
	if len(entries) == 0 {
		// Something was published that the log does not show: the project may
		// have been deleted. Then there is nothing to be had.
		s.empty++
		s.live = s.seen < s.next
		return s.live || s.empty > maxEmptyPages
	}
	s.empty = 0
	p, err := encodeRun(entries, s.socket.server.hub.epoch())
	if err != nil {
		s.socket.server.log.Error("encode events", "error", err)
		s.socket.shut(protocol.CloseInternal)
		return true
	}
	s.next = p.last + 1
	s.socket.push(outgoing{frames: p.frames, events: len(entries)})
	return false
}
