package cluster

import (
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/models"
)

// clog is a way to a NATS server that can stop taking bytes, with its connections open:
// the kernel's buffers fill, and then every write waits.
type clog struct {
	clogged chan struct{} // closed: nothing is taken any more
	ended   chan struct{}
}

func newClog(t *testing.T, target string) (c *clog, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c = &clog{clogged: make(chan struct{}), ended: make(chan struct{})}
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				_ = near.Close()
				continue
			}
			carrying.Go(func() { _, _ = io.Copy(near, far) })
			carrying.Go(func() { c.carry(far, near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		close(c.ended)
		carrying.Wait()
	})
	return c, listener.Addr().String()
}

func (c *clog) carry(far, near net.Conn) {
	defer func() { _, _ = far.Close(), near.Close() }()
	buffer := make([]byte, 4096)
	for {
		_ = near.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, _ := near.Read(buffer)
		if _, err := far.Write(buffer[:n]); err != nil {
			return
		}
		select {
		case <-c.clogged:
			<-c.ended
			return
		case <-c.ended:
			return
		default:
		}
	}
}

// A NATS connection that hangs, rather than ends, holds up neither whoever commits here
// nor what others have committed.
func TestNATSHangs(t *testing.T) {
	t.Parallel()
	nats, _ := broker(t, "")
	way, address := newClog(t, nats.Addr().String())
	log := &ledger{all: map[models.ID][]models.LogEntry{}}
	hub := newEar("p")
	n := join(t, "nats://"+address, log, hub)
	await(t, "the node follows", 10*time.Second, n.knows("p"))
	close(way.clogged)
	large, err := json.Marshal(strings.Repeat("x", 500_000))
	if err != nil {
		t.Fatal(err)
	}
	for range 40 { // several times what the kernel keeps for a connection
		n.Ephemeral("p", "k", large)
	}
	await(t, "the connection hangs", 10*time.Second, func() bool {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			n.Connected()
		}()
		select {
		case <-answered:
			return false
		case <-time.After(50 * time.Millisecond):
			return true
		}
	})
	hub.locked(func() { hub.followed = append(hub.followed, "q") })
	n.Wanted("q") // which is to be subscribed to
	time.Sleep(200 * time.Millisecond)
	published := make(chan struct{})
	go func() {
		defer close(published)
		n.Publish([]models.LogEntry{log.commit("p")})
	}()
	select {
	case <-published:
	case <-time.After(time.Second):
		t.Error("whoever commits waits for NATS")
	}
	<-published
	log.commit("p") // by another node
	await(t, "what others commit is heard", 2*writeTimeout+pollInterval+time.Second, func() bool { return complete(t, hub, "p", 2) })
}
