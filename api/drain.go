package api

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// requestGrace is what a request gets to arrive whole once the server drains,
	// and hurryInterval how often those that are late are looked for.
	requestGrace  = 3 * time.Second
	hurryInterval = 50 * time.Millisecond
	// lastSpans is what the last spans get to be handed over.
	lastSpans = 300 * time.Millisecond
	// drainMargin is kept of the drain time for the end of the process.
	drainMargin = 500 * time.Millisecond
)

// Shutdown stops taking work, lets what runs come to its end until ctx or the
// drain time is over, and closes the store. What was accepted is on disk when it
// returns, whatever the error.
func (s *Server) Shutdown(ctx context.Context) error {
	if drain := s.config.Drain; drain > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, drain-min(drainMargin, drain/10))
		defer cancel()
	}
	late := time.NewTimer(requestGraceIn(ctx))
	defer late.Stop()
	s.draining.Store(true)
	s.leave()
	if s.jobs != nil {
		s.jobs.Stop()
	}
	if s.mails != nil {
		s.mails.Stop()
	}
	if s.backups != nil {
		s.backups.Stop()
	}
	// While sockets drain, requests are still answered: /readyz has to say 503 to
	// whoever asks. The last quarter of the time is for those that run then.
	sockets := s.drainSockets(ctx)
	requests := s.drainRequests(ctx, late.C)
	s.behind.wait() // each has a deadline of its own
	if s.attachments != nil {
		s.attachments.Stop()
	}
	s.abortStreams()
	if node := s.cluster.Load(); node != nil {
		node.Close()
	}
	return errors.Join(sockets, requests, s.closeStore())
}

func requestGraceIn(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(requestGrace, time.Until(end)/3)
	}
	return requestGrace
}

func (s *Server) drainSockets(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)*3/4)
		defer cancel()
	}
	return s.realtime.Shutdown(ctx)
}

// drainRequests answers the requests that run and closes all connections. From
// late on it waits for no more bytes: neither for a first request nor for the
// rest of one.
func (s *Server) drainRequests(ctx context.Context, late <-chan time.Time) error {
	drained := make(chan struct{})
	var hurrying sync.WaitGroup
	hurrying.Go(func() {
		select {
		case <-late:
		case <-drained:
			return
		}
		again := time.NewTicker(hurryInterval)
		defer again.Stop()
		for {
			s.connections.hurry()
			select {
			case <-again.C:
			case <-drained:
				return
			}
		}
	})
	closed := s.entrance.close()
	err := s.app.ShutdownWithContext(ctx)
	close(drained)
	hurrying.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests were cut off: the time to drain is over")
		return nil
	}
	if errors.Is(err, net.ErrClosed) { // the entrance
		err = nil
	}
	return errors.Join(closed, err)
}

// entrance is where requests come in. The library knows of no end that comes before
// it has begun to listen, and would listen for ever.
type entrance struct {
	mu       sync.Mutex
	listener net.Listener
	closed   bool
}

// open notes the listener; false where the entrance is closed for good, as the
// listener then is.
func (e *entrance) open(listener net.Listener) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		_ = listener.Close()
		return false
	}
	e.listener = listener
	return true
}

func (e *entrance) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.listener == nil {
		return nil
	}
	if err := e.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// closeStore comes last: the store's writer publishes to the hub until it has
// ended.
func (s *Server) closeStore() error {
	err := s.store.Close()
	s.hub.Close()
	ctx, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	s.tracer.Close(ctx)
	return err
}

// connections are those that are open and have not become sockets.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// note is the server's hook for a connection's states.
func (c *connections) note(conn net.Conn, state fasthttp.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case fasthttp.StateNew:
		if c.open == nil {
			c.open = map[net.Conn]struct{}{}
		}
		c.open[conn] = struct{}{}
	case fasthttp.StateHijacked, fasthttp.StateClosed:
		delete(c.open, conn)
	case fasthttp.StateActive, fasthttp.StateIdle:
	}
}

// hurry ends every wait for bytes of a client. It does not touch a request that
// runs, which was read whole before. A connection may have been about to wait
// anew and put its end off, so once is not enough.
func (c *connections) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	}
}
