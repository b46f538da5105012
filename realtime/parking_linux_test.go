package realtime

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"earshot/realtime/protocol"
)

// startParked is a harness whose sockets park at once.
func startParked(t *testing.T) *harness {
	h := start(t, true)
	h.server.transport.parkAfter = time.Millisecond
	return h
}

// awaitParked waits until n sockets have no reader.
func (h *harness) awaitParked(n int) {
	h.t.Helper()
	parked := 0
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(time.Millisecond) {
		parked = 0
		count := func(c *conn) {
			c.deadlineMu.Lock()
			defer c.deadlineMu.Unlock()
			if c.parked {
				parked++
			}
		}
		h.server.mu.Lock()
		for v := range h.server.visitors {
			count(v.conn)
		}
		for d := range h.server.dashboards {
			count(d.conn)
		}
		h.server.mu.Unlock()
		if parked == n {
			return
		}
	}
	h.t.Fatalf("%d sockets are parked, want %d", parked, n)
}

func TestParkedSocketWakesForWhatComes(t *testing.T) {
	h := startParked(t)
	c := h.dial("/visitor")
	c.want("Connected")
	for i := range 20 {
		h.awaitParked(1)
		id := fmt.Sprint("p", i)
		c.send("Ping", id, map[string]any{})
		if e := c.want("Pong"); e.Re != id {
			t.Fatalf("Pong answers %q, want %q", e.Re, id)
		}
	}
}

func TestParkedDashboardStillHears(t *testing.T) {
	h := startParked(t)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.awaitParked(1)
	h.submit(100)
	c.wantSeqs(1, 100)
}

func TestParkedSocketEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(h *harness, c *client)
		want protocol.CloseCode
	}{
		{"by the server", func(h *harness, _ *client) { h.server.CloseProject(h.project.ID, protocol.CloseKeyDisabled) }, protocol.CloseKeyDisabled},
		{"by a drain", func(h *harness, _ *client) { go func() { _ = h.server.Shutdown(h.t.Context()) }() }, protocol.CloseGoingAway},
		{"unheard", func(h *harness, _ *client) {
			h.server.mu.Lock()
			defer h.server.mu.Unlock()
			for v := range h.server.visitors {
				v.heardAt.Add(-int64(Heartbeat + heartbeatGrace))
			}
		}, protocol.CloseHeartbeatLost},
		{"by the client", func(_ *harness, c *client) { _ = c.ws.Close() }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := startParked(t)
			c := h.dial("/visitor")
			c.want("Connected")
			h.awaitParked(1)
			tc.end(h, c)
			if tc.want != 0 {
				if tc.want == protocol.CloseGoingAway {
					c.want("GoingAway")
				}
				c.wantClose(tc.want)
			}
			for open, end := 1, time.Now().Add(wait); open > 0; time.Sleep(time.Millisecond) {
				h.server.mu.Lock()
				open = len(h.server.visitors)
				h.server.mu.Unlock()
				if time.Now().After(end) {
					t.Fatal("the socket is still open")
				}
			}
		})
	}
}

// Closing races with parking, with waking and with what the client sends.
func TestParkingRaces(t *testing.T) {
	h := startParked(t)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 25 {
				c := h.dial("/visitor")
				c.send("Ping", "p", map[string]any{})
				_ = c.ws.Close()
			}
		})
	}
	stop := make(chan struct{})
	var closer sync.WaitGroup
	closer.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				h.server.CloseProject(h.project.ID, protocol.CloseTryAgainLater)
			}
		}
	})
	clients.Wait()
	close(stop)
	closer.Wait()
}

// A socket that ends while it is about to be parked leaves nothing behind.
func TestSocketThatEndedIsNotParked(t *testing.T) {
	h := start(t, true)
	c := h.dial("/visitor")
	c.want("Connected")
	var ended *conn
	h.eachVisitor(func(v *visitor) { ended = v.conn })
	p := ended.parking
	ended.abort()
	for h.visitors() > 0 {
		time.Sleep(time.Millisecond)
	}
	if err := p.wait(ended); !errors.Is(err, errClosed) {
		t.Errorf("parked a socket that has ended: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sockets) > 0 {
		t.Errorf("%d sockets wait that have ended", len(p.sockets))
	}
}

// What the system refuses once, for want of room, it may take later.
func TestRefusedParkingGivesTheNumberBack(t *testing.T) {
	h := start(t, true)
	c := h.dial("/visitor")
	c.want("Connected")
	h.eachVisitor(func(v *visitor) {
		full := &parking{raw: refusing{v.parking.raw}, sockets: map[uint64]*conn{}}
		if err := full.wait(v.conn); err == nil || len(full.sockets) > 0 {
			t.Errorf("refused with %v, %d sockets wait", err, len(full.sockets))
		}
		if err := v.parking.wait(v.conn); err != nil {
			t.Errorf("after a refusal: %v", err)
		}
	})
}

// refusing is an epoll instance that takes nothing.
type refusing struct{ syscall.RawConn }

func (refusing) Control(func(uintptr)) error { return syscall.ENOSPC }
