package main

import (
	"net"
	"sync"
)

// relay passes TCP on in a way that the test can break: as a cable that is pulled, after
// which nobody is told anything, or as a port where nobody listens.
type relay struct {
	target string
	addr   string // where it begins

	mu       sync.Mutex
	changed  *sync.Cond // for those that hold bytes back
	state    relayState
	listener net.Listener // nil while it refuses
	open     map[net.Conn]struct{}
	running  sync.WaitGroup
}

type relayState int

const (
	passing relayState = iota
	holding            // bytes and new connections stay where they are
	refusing
	removed
)

// String is the state as it is printed.
func (s relayState) String() string {
	return [...]string{"connected", "as if a cable were pulled", "refused", "gone"}[s]
}

// newRelay begins a way to target; end it with remove.
func newRelay(target string) (*relay, error) {
	w := &relay{target: target, open: map[net.Conn]struct{}{}}
	w.changed = sync.NewCond(&w.mu)
	var err error
	if w.addr, err = lowPort(); err != nil { // it is closed and opened again
		return nil, err
	}
	return w, w.listen()
}

func (w *relay) listen() error {
	listener, err := net.Listen("tcp", w.addr)
	if err != nil {
		return err
	}
	w.listener = listener
	w.running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			w.running.Go(func() { w.carry(near) })
		}
	})
	return nil
}

// set changes what becomes of bytes. Connections that are open stay so, but where it
// refuses.
func (w *relay) set(state relayState) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = state
	if (state == refusing || state == removed) && w.listener != nil {
		err = w.listener.Close()
		w.listener = nil
		for conn := range w.open {
			_ = conn.Close() // its carrier does so, too
		}
	}
	if (state == passing || state == holding) && w.listener == nil {
		err = w.listen()
	}
	w.changed.Broadcast()
	return err
}

func (w *relay) remove() error {
	err := w.set(removed)
	w.running.Wait()
	return err
}

// mayPass waits while bytes are held; false where the way has ended.
func (w *relay) mayPass() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.state == holding {
		w.changed.Wait()
	}
	return w.state == passing
}

// note has a connection closed with the way; false where that has ended.
func (w *relay) note(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener == nil {
		return false
	}
	w.open[conn] = struct{}{}
	return true
}

func (w *relay) close(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, conn)
	_ = conn.Close()
}

func (w *relay) carry(near net.Conn) {
	defer w.close(near)
	if !w.note(near) || !w.mayPass() {
		return
	}
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer w.close(far)
	if !w.note(far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { w.copy(near, far) })
	w.copy(far, near)
	back.Wait()
}

// copy ends both ways of a connection with the first that ends.
func (w *relay) copy(to, from net.Conn) {
	defer w.close(to)
	defer w.close(from)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if !w.mayPass() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
