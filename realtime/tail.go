package realtime

import (
	"slices"
	"sync"
)

// What a tail keeps at most, and of one piece what it hands out at a time: what a
// socket's queue has room for whenever it has any.
const (
	tailEvents = 512
	tailBytes  = 512 << 10
	pieceBytes = maxQueuedBytes / 2
)

// tail is the end of a project's log as it went to its subscribers, for those who
// could not take it then. When a thousand sockets fall behind at once, as on a
// machine that is short of time, each would read the same rows from the store and
// encode them for itself, and that would leave even less time for the sockets.
type tail struct {
	mu     sync.Mutex
	pieces []publication // without a hole between them
	events int
	bytes  int
	used   bool // since prune looked last
}

// add appends what is being published.
func (t *tail) add(p publication) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used = true
	if n := len(t.pieces); n > 0 && t.pieces[n-1].last+1 != p.first {
		t.clear()
	}
	t.pieces = append(t.pieces, p)
	t.events += len(p.events)
	t.bytes += p.size()
	drop := 0
	for ; t.events > tailEvents || t.bytes > tailBytes; drop++ {
		t.events -= len(t.pieces[drop].events)
		t.bytes -= t.pieces[drop].size()
	}
	t.pieces = slices.Delete(t.pieces, 0, drop)
}

// from gives what begins with the event next; false where that is not kept.
func (t *tail) from(next int64) (publication, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, _ := slices.BinarySearchFunc(t.pieces, next, func(p publication, next int64) int { return int(p.last - next) })
	if i == len(t.pieces) || t.pieces[i].first > next {
		return publication{}, false
	}
	return t.pieces[i].from(next), true
}

// forget drops all: something of it was taken back, and nobody else may read it.
func (t *tail) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
}

// prune drops what nothing was added to since it was called last.
func (t *tail) prune() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.used {
		t.clear()
	}
	t.used = false
}

func (t *tail) clear() { t.pieces, t.events, t.bytes = nil, 0, 0 }

// size is how long the events of a publication are, as JSON.
func (p publication) size() int {
	n := 0
	for _, event := range p.events {
		n += len(event)
	}
	return n
}

// from is the part of a publication that begins with next, no more of it than fits
// into a queue.
func (p publication) from(next int64) publication {
	events := p.events[next-p.first:]
	if p.size() > pieceBytes {
		events = events[:min(len(events), replayPage)]
	}
	if len(events) == len(p.events) {
		return p
	}
	return publication{next, next + int64(len(events)) - 1, &broadcast{log: p.log, events: events}}
}
