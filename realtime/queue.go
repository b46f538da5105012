package realtime

import (
	"slices"
	"sync"
)

// The bounds of what waits for one socket. Past them the reader is too slow and
// is cut off, to come back and read the log instead.
const (
	maxQueuedEvents = 256
	maxQueuedBytes  = 1 << 20
	// Ephemeral events are dropped once this much waits: they would come late
	// and take room from what must not be lost.
	maxQueuedBeforeEphemeral = maxQueuedEvents / 4
)

// outgoing is one or more whole frames on their way to a socket.
type outgoing struct {
	frames []byte
	events int
	// key is set for ephemeral frames: a newer one replaces a waiting one with
	// the same key.
	key string
	// control frames always find room: there is at most one of each key, and a
	// socket that gets none looks dead.
	control bool
	// written is told once the frames are; nil as a rule.
	written *written
}

// queue holds what waits to be written to one socket. Frames are shared between
// sockets and are never changed.
type queue struct {
	mu sync.Mutex
	// writers counts the turn to write while somebody has it. It is raised under
	// mu, so that nobody gets it once the queue is closed and its owner waits.
	writers *sync.WaitGroup
	waiting []outgoing
	events  int
	bytes   int
	// writing: somebody has the turn to write, and will take what is added.
	writing bool
	// closed: the close frame is in the queue, nothing may follow it.
	closed bool
}

// pushed is what became of frames that were to be queued.
type pushed int

const (
	queued  pushed = iota // somebody has the turn to write, and will take them
	turn                  // queued, and the caller has the turn to write
	dropped               // ephemeral, and more waits already than they may come after
	full                  // there is no room; nothing was added
	closed                // the queue is; nothing was added
)

// push adds frames.
func (q *queue) push(out outgoing) pushed {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return closed
	case out.key != "" && q.replace(out):
		return queued
	case out.control:
	case out.key != "" && q.events >= maxQueuedBeforeEphemeral:
		return dropped
	case out.key == "" && len(q.waiting) > 0 && (q.events+out.events > maxQueuedEvents || q.bytes+len(out.frames) > maxQueuedBytes):
		return full
	}
	q.waiting = append(q.waiting, out)
	q.events += out.events
	q.bytes += len(out.frames)
	if q.start() {
		return turn
	}
	return queued
}

// start gives the caller the turn to write where nobody has it. Called with mu
// held.
func (q *queue) start() bool {
	if q.writing {
		return false
	}
	q.writing = true
	q.writers.Add(1)
	return true
}

// holds reports whether an ephemeral frame with this key waits.
func (q *queue) holds(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.ContainsFunc(q.waiting, func(out outgoing) bool { return out.key == key })
}

func (q *queue) replace(out outgoing) bool {
	for i := range q.waiting {
		if q.waiting[i].key == out.key {
			q.bytes += len(out.frames) - len(q.waiting[i].frames)
			q.waiting[i] = out
			return true
		}
	}
	return false
}

// close makes closing the last thing that is written. What waits is dropped
// where drop is set: a reader that is too slow has to read the log anyway.
func (q *queue) close(closing []byte, drop bool) (start bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	if drop {
		q.waiting = nil
	}
	q.waiting = append(q.waiting, outgoing{frames: closing})
	return q.start()
}

// discard closes the queue with nothing to be written any more.
func (q *queue) discard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.waiting = nil
}

// take moves waiting frames to buf, as many as it has room for. A single frame
// is handed out as it is, however large. It is nil where none waits. Those of what
// it takes that are to be told are added to followed.
func (q *queue) take(buf []byte, followed *[]*written) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil
	}
	n := 1
	data := q.waiting[0].frames
	if len(q.waiting) > 1 && len(data)+len(q.waiting[1].frames) <= cap(buf) {
		data = append(buf[:0], data...)
		for ; n < len(q.waiting) && len(data)+len(q.waiting[n].frames) <= cap(buf); n++ {
			data = append(data, q.waiting[n].frames...)
		}
	}
	for _, out := range q.waiting[:n] {
		q.events -= out.events
		q.bytes -= len(out.frames)
		if out.written != nil {
			*followed = append(*followed, out.written)
		}
	}
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	return data
}

// settle ends the turn to write where nothing waits any more; closed then says
// whether the close frame was the last that was written.
func (q *queue) settle() (closed, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		return false, true
	}
	q.writing = false
	q.waiting = nil // an idle socket keeps no buffer
	return q.closed, false
}

// size is how many bytes wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// room reports whether another page of a replay may be added.
func (q *queue) room() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || (q.events <= maxQueuedEvents/2 && q.bytes <= maxQueuedBytes/4)
}
