package realtime

import "sync"

// shard writes for its share of the sockets: one goroutine, instead of one a
// socket, that makes a single write of all that waits for a socket and never
// waits for any of them. There is a shard a core.
type shard struct {
	scratch *scratch
	wake    chan struct{}
	stopped chan struct{}
	once    sync.Once
	ended   sync.WaitGroup

	mu  sync.Mutex
	due []*conn // each at most once: it holds its queue's turn to write
}

// Sizes of the buffers in which waiting frames are joined.
const (
	shardBuffer  = 64 << 10
	inlineBuffer = 4 << 10
	slowBuffer   = 8 << 10
)

func startShard() *shard {
	w := &shard{scratch: newScratch(shardBuffer), wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	w.ended.Go(w.run)
	return w
}

// stop ends the shard. No socket may be left that has anything to write.
func (w *shard) stop() {
	w.once.Do(func() { close(w.stopped) })
	w.ended.Wait()
}

// add hands over the turn to write for a socket.
func (w *shard) add(c *conn) {
	w.mu.Lock()
	first := len(w.due) == 0
	w.due = append(w.due, c)
	w.mu.Unlock()
	if first {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (w *shard) run() {
	var due, more []*conn
	for {
		select {
		case <-w.wake:
		case <-w.stopped:
			return
		}
		for {
			w.mu.Lock()
			due, w.due = append(w.due, more...), due[:0]
			w.mu.Unlock()
			clear(more)
			more = more[:0]
			if len(due) == 0 {
				break
			}
			for _, c := range due {
				if c.flush(w.scratch) {
					more = append(more, c)
				}
			}
			clear(due)
		}
	}
}
