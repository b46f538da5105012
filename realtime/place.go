package realtime

import (
	"context"
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

// part is what of a project's log a place is in.
type part interface {
	// read gives up to replayPage entries after since, oldest first.
	read(ctx context.Context, since int64) ([]models.LogEntry, error)
	// recent gives what was published not long ago from next on, where that is all
	// there is to read of it.
	recent(next int64) (publication, bool)
	// encode makes a publication of what read gave. It may hold fewer events.
	encode(entries []models.LogEntry) (publication, error)
	// lost is told that the log begins later than the place is. It is called with
	// the place's mutex held, and tells the client.
	lost(head store.Head) error
}

// place is one socket's place in a project's log, or in one visitor's part of it.
// It is either live, and takes publications as they come, or it replays: a
// goroutine reads the log from next on until it has caught up. Publications that
// come meanwhile are not kept, only how far they reach; what they held is in the
// log.
type place struct {
	project models.ID
	scope   models.Scope
	server  *Server
	conn    *conn
	part    part
	// sparse: only some of the log's numbers are here, so that a jump says nothing.
	// The hub tells where it has lost some.
	sparse bool
	// turn is held by the one place of a socket that replays: several at once would
	// each see the same room in the queue and fill it together.
	turn chan struct{}

	mu    sync.Mutex
	next  int64 // the seq to be sent next
	seen  int64 // the last seq that was published, sent or not
	live  bool
	ended bool
	empty int // pages in a row that held nothing
	// replayed is how many events the replay that goes on has brought.
	replayed int
}

// offer hands over a publication. It never blocks.
func (s *place) offer(p publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = max(s.seen, p.last)
	switch {
	case s.ended || !s.live || p.last < s.next:
		// Not ours, or the replay will bring it, or it has brought it.
	case (p.first == s.next || s.sparse && p.first > s.next) && s.push(p):
		s.next = p.last + 1
	default: // a gap, or a piece that we have in part or have no room for now
		s.startReplay()
	}
}

// start begins with the event next, which may be one that is yet to come. head is
// the log's, read after joining the hub.
func (s *place) start(next, head int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.next, s.seen = next, max(s.seen, head)
	s.startReplay()
}

// startLive begins behind the head, without a look at the log where nothing has
// come since.
func (s *place) startLive(head int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.next = head + 1
	if s.live = s.seen < s.next; !s.live {
		s.startReplay()
	}
}

// startReplay is called with mu held, which keeps it apart from end: the socket
// waits for its replays only after it has ended all places.
func (s *place) startReplay() {
	s.live, s.replayed = false, 0
	s.conn.owned.Go(s.replay)
}

// gap says that the log has reached last without its events coming here; those
// up to after have.
func (s *place) gap(after, last int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = max(s.seen, last)
	if !s.live || s.ended {
		return
	}
	if s.sparse {
		s.next = max(s.next, after+1)
	}
	if s.next <= last {
		s.startReplay()
	}
}

// end stops the place; nothing is sent for it afterwards.
func (s *place) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// replay reads the log from next on until nothing is missing, then goes live.
// Joining came before reading, so whatever was committed in between is either in
// a page or in seen.
func (s *place) replay() {
	for {
		done, pause := s.replayOnce()
		if done || (pause && !s.conn.pause(roomInterval)) {
			s.conn.transport.metrics.Sockets.Replays.Observe(float64(s.brought()))
			return
		}
	}
}

// brought is how many events the last replay did.
func (s *place) brought() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replayed
}

// replayOnce sends one page of the log, in the socket's turn to do so. pause
// asks for a moment before the next.
func (s *place) replayOnce() (done, pause bool) {
	ctx := s.conn.ctx
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return true, false
	}
	if !s.conn.waitForRoom(replayStall) {
		s.conn.shut(protocol.CloseSlowConsumer)
	}
	if s.conn.isClosing() {
		return true, false
	}
	s.mu.Lock()
	next, seen := s.next, s.seen
	s.mu.Unlock()
	if p, ok := s.part.recent(next); ok {
		return s.sendRecent(p), false
	}
	entries, err := s.part.read(ctx, next-1)
	var head store.Head
	if err == nil && (s.sparse || len(entries) > 0 && entries[0].Seq != next) {
		head, err = s.server.store.LogHead(ctx, s.scope, s.project)
	}
	switch {
	case models.CodeOf(err) == models.CodeNotFound: // deleted: nothing is to be had
		return true, false
	case err != nil:
		if ctx.Err() == nil {
			s.server.log.Error("replay log", "project", s.project, "error", err)
			s.conn.shut(protocol.CloseTryAgainLater)
		}
		return true, false
	}
	return s.send(entries, head, seen), len(entries) == 0
}

// send queues a page of the log; done is true when the replay has ended. seen is
// how far the log was known to reach when the page was read.
func (s *place) send(entries []models.LogEntry, head store.Head, seen int64) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p publication
	var err error
	switch {
	case s.ended:
		return true
	case s.next > 1 && s.next < head.First: // removed before it could be read
		if err = s.part.lost(head); err == nil {
			return s.ended
		}
	case len(entries) == 0:
		return s.caughtUp(seen)
	default:
		p, err = s.part.encode(entries)
	}
	if err != nil {
		s.server.log.Error("encode events", "error", err)
		s.conn.shut(protocol.CloseInternal)
		return true
	}
	s.empty = 0
	if s.push(p) {
		s.next = p.last + 1
		s.replayed += len(p.events)
	}
	return false
}

// sendRecent queues what was published not long ago; done is true when nothing is
// missing after it.
func (s *place) sendRecent(p publication) (done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return true
	}
	if s.next == p.first && s.push(p) {
		s.next = p.last + 1
		s.replayed += len(p.events)
		s.empty = 0
		s.live = s.seen < s.next
	}
	return s.live
}

// push queues a publication, which may hold nothing for this client. It is false
// where there is no room for it yet.
func (s *place) push(p publication) bool {
	frames := p.in(s.conn.encoding)
	return frames == nil || s.conn.offer(outgoing{frames: frames, events: len(p.events), written: p.written.sample()})
}

// caughtUp goes live where nothing was published since the last page was read.
// Called with mu held.
func (s *place) caughtUp(seen int64) (done bool) {
	if s.sparse {
		s.next = max(s.next, seen+1)
		s.live = s.seen < s.next
		return s.live
	}
	// Something was published that the log does not show: the project may have
	// been deleted. Then there is nothing to be had.
	s.empty++
	s.live = s.seen < s.next
	return s.live || s.empty > maxEmptyPages
}
