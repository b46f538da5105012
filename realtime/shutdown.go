package realtime

import (
	"context"
	"math/rand/v2"
	"time"

	"earshot/realtime/protocol"
)

const (
	// silentGrace is what a socket gets to answer that it was told to go. Clients
	// that live take milliseconds.
	silentGrace = 3 * time.Second
	// abortWait is for the goroutines of sockets that were cut off to notice it.
	abortWait = 250 * time.Millisecond
	// retryAfter spreads the clients of a server that leaves.
	retryAfterMin = 200 * time.Millisecond
	retryAfterMax = 3 * time.Second
)

// Shutdown tells all sockets that the server is going away, each with a time of
// its own to come back after, closes them and waits until they have ended. Those
// that do not answer are cut off after silentGrace or half the context's time;
// what they submitted is waited for until that is over.
func (s *Server) Shutdown(ctx context.Context) error {
	grace := silentGrace
	if end, ok := ctx.Deadline(); ok {
		grace = min(grace, time.Until(end)/2)
	}
	s.goAwayAll()
	s.stop()
	s.ticker.Wait()
	ended := make(chan struct{})
	go func() {
		s.open.Wait()
		s.transport.Close()
		close(ended)
	}()
	if waitFor(ctx, ended, grace) {
		return nil
	}
	// Their time is over. Cutting them off is what was asked for, so it is no
	// error.
	s.abortAll()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	if !waitFor(context.WithoutCancel(ctx), ended, abortWait) {
		s.log.Warn("sockets did not end")
	}
	return nil
}

// waitFor reports whether ended came before ctx and the time were over.
func waitFor(ctx context.Context, ended <-chan struct{}, atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (s *Server) goAwayAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for v := range s.visitors {
		goAway[protocol.VisitorClientEvent, protocol.VisitorServerEvent](v.Socket, protocol.GoingAway{RetryAfterMS: randomRetry()})
	}
	for d := range s.dashboards {
		goAway[protocol.DashboardClientEvent, protocol.DashboardServerEvent](d.Socket, protocol.GoingAway{RetryAfterMS: randomRetry()})
	}
}

func (s *Server) abortAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.visitors {
		v.abort()
	}
	for d := range s.dashboards {
		d.abort()
	}
}

func goAway[In, Out any](socket *Socket[In, Out], event Out) {
	if err := socket.answer(event, ""); err == nil {
		socket.shut(protocol.CloseGoingAway)
	}
}

func randomRetry() int64 {
	return (retryAfterMin + rand.N(retryAfterMax-retryAfterMin)).Milliseconds() //nolint:gosec // spreads load, hides nothing
}
