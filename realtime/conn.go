package realtime

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	fastws "github.com/fasthttp/websocket"

	"earshot/realtime/protocol"
)

// The times of a socket's life. A client that answers no ping is gone Heartbeat
// + heartbeatGrace after it was last heard.
const (
	Heartbeat      = 25 * time.Second
	heartbeatGrace = 10 * time.Second
	// writeDeadline bounds one write: a reader that stops must not keep it.
	writeDeadline = 5 * time.Second
	// slowGrace is for a reader that fell too far behind, once it reads again, to
	// take what is on its way and the close frame behind that.
	slowGrace = 10 * time.Second
	// closeLinger is how long we wait for the other side's close frame, so that
	// ours is read before the connection goes.
	closeLinger = 2 * time.Second
)

var errClosed = errors.New("socket closed")

// conn is one socket without its types: a reader, which is the goroutine that
// the upgrade runs in, and a queue that is written by one goroutine at a time.
//
// It holds the inner connections, never the pooled wrappers around them: those
// become another client's once the handler has returned. All writes go through
// the queue as whole frames, so that writing needs no lock on the connection. The
// only others are the library's own close frames on protocol errors, which can
// come inside a frame only where the reader was too slow to take it whole.
type conn struct {
	ws  *fastws.Conn
	net net.Conn
	raw syscall.RawConn // nil where the connection has no descriptor

	queue     queue
	shard     *shard
	scratches *sync.Pool
	// ctx ends when the reader has heard its last; owned counts what has to end
	// before the reader may return: the writer and the replays.
	ctx    context.Context
	cancel context.CancelFunc
	owned  sync.WaitGroup

	deadlineMu sync.Mutex
	closing    bool // guarded by deadlineMu, as the rest
	slow       bool // it is closed because it is
	aborted    bool
	closeBy    time.Time // the end of writing, while closing

	// pingAt is when the next ping is due, in Unix nanoseconds.
	pingAt atomic.Int64
}

func newConn(ws *fastws.Conn, s *Server) *conn {
	c := &conn{ws: ws, net: rawConn(ws.NetConn()), shard: s.nextShard(), scratches: &s.scratches}
	c.raw = descriptor(c.net)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.queue.writers = &c.owned
	c.pingAt.Store(s.now().Add(Heartbeat).UnixNano())
	ws.SetReadLimit(protocol.MaxFrame)
	ws.SetPongHandler(func(string) error { c.heard(); return nil })
	ws.SetPingHandler(func(data string) error {
		c.heard()
		// Only the newest ping needs an answer (RFC 6455 §5.5.3), so a flood of
		// them takes one place in the queue.
		c.pushNow(outgoing{frames: frame(opPong, []byte(data)), key: "pong", control: true})
		return nil
	})
	ws.SetCloseHandler(func(int, string) error { return nil }) // answered by shut
	c.heard()
	return c
}

// rawConn is the connection below the server's wrapper, which is pooled too and
// becomes another client's.
func rawConn(c net.Conn) net.Conn {
	if wrapper, ok := c.(interface{ UnsafeConn() net.Conn }); ok {
		return wrapper.UnsafeConn()
	}
	return c
}

// push queues frames for the socket's shard to write. A full queue ends the
// socket.
func (c *conn) push(out outgoing) {
	start, overflow := c.queue.push(out)
	switch {
	case overflow:
		c.shut(protocol.CloseSlowConsumer)
	case start:
		c.shard.add(c)
	}
}

// pushNow queues frames and writes them from here where nobody writes.
func (c *conn) pushNow(out outgoing) {
	start, overflow := c.queue.push(out)
	switch {
	case overflow:
		c.shut(protocol.CloseSlowConsumer)
	case start:
		c.flushNow()
	}
}

// heard notes a sign of life.
func (c *conn) heard() {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if !c.closing {
		_ = c.net.SetReadDeadline(time.Now().Add(Heartbeat + heartbeatGrace))
	}
}

// beat sends a ping when one is due.
func (c *conn) beat(now time.Time) {
	if c.pingAt.Load() > now.UnixNano() {
		return
	}
	c.pingAt.Store(now.Add(Heartbeat).UnixNano())
	c.push(outgoing{frames: frame(opPing, nil), key: "ping", control: true})
}

// read reads one message into buf. Frames that come while we are closing are
// passed over.
func (c *conn) read(buf *bytes.Buffer) (kind int, err error) {
	for {
		kind, r, err := c.ws.NextReader()
		if err != nil {
			return 0, err
		}
		buf.Reset()
		if _, err := io.Copy(buf, r); err != nil {
			return 0, err
		}
		c.heard()
		if !c.isClosing() {
			return kind, nil
		}
	}
}

// waitForRoom waits until the queue can take another page. It is false when the
// socket has ended or was written to so slowly that there was no room for as
// long as stall.
func (c *conn) waitForRoom(stall time.Duration) bool {
	if c.queue.room() {
		return c.ctx.Err() == nil
	}
	timeout := time.NewTimer(stall)
	defer timeout.Stop()
	look := time.NewTicker(roomInterval)
	defer look.Stop()
	for !c.queue.room() {
		select {
		case <-look.C:
		case <-timeout.C:
			return false
		case <-c.ctx.Done():
			return false
		}
	}
	return c.ctx.Err() == nil
}

// pause waits; it is false when the socket has ended.
func (c *conn) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}
