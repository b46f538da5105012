package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"

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

// readBuffer is what a socket reads into while it is awake. It is no smaller
// than the server's buffer for headers: what that one holds of the client's first
// bytes comes with the first read then, and nothing stays behind in it.
const readBuffer = 8 << 10

var (
	errClosed = errors.New("socket closed")
	// errParked says that the socket waits without a goroutine now: whoever gets
	// it must not touch the socket any more.
	errParked = errors.New("socket parked")
)

// owner is what a conn is a part of.
type owner interface {
	// loop reads and answers until the socket ends or parks, and is called again
	// after it was parked.
	loop() error
	// stopped is called once, when there is nothing more to read; closed last, when
	// the connection is closed.
	stopped()
	closed()
}

// conn is one socket without its types: a reader, which is a goroutine while the
// client has something to say, and a queue that is written by one goroutine at a
// time. All writes go through the queue as whole frames.
type conn struct {
	encoding  protocol.Encoding
	kind      string // of socket, for the metrics
	owner     owner
	transport *Transport
	log       *slog.Logger
	now       func() time.Time
	net       net.Conn
	in        net.Conn        // net, behind what the server had read already
	raw       syscall.RawConn // nil where the connection has no descriptor

	queue     queue
	shard     *shard
	scratches *sync.Pool
	// behind: the connection takes less than there is, and has a writer of its own.
	behind atomic.Bool
	// ctx ends when the reader has heard its last; owned counts what has to end
	// before the connection may: the turn to write, and the replays.
	ctx    context.Context
	cancel context.CancelFunc
	owned  sync.WaitGroup

	// The reader's own. buf holds what was read and not parsed yet; there is none
	// while the socket is parked.
	buffers   *sync.Pool
	buf       *[readBuffer]byte
	unread    []byte
	parser    parser
	excess    *rate.Limiter   // of frames that are refused or bring nothing; nil: no limit
	waiting   context.Context //nolint:containedctx // of the Recv that is waited in
	parking   *parking        // nil: the socket is never parked
	number    uint64          // in parking, whose it is, as is forgotten
	forgotten bool
	stay      bool // the system refused to wait for it. The reader's own
	// parkAfter is the constant of that name, but in tests.
	parkAfter time.Duration

	deadlineMu sync.Mutex
	parked     bool // guarded by deadlineMu, as the rest
	closing    bool
	slow       bool // it is closed because it is
	aborted    bool
	closeBy    time.Time // the end of writing, while closing
	readBy     time.Time // and of reading

	// pingAt is when the next ping is due, heardAt when the client was last
	// heard, in Unix nanoseconds.
	pingAt, heardAt atomic.Int64
}

func newConn(c net.Conn, t *Transport, encoding protocol.Encoding) *conn {
	now := t.now()
	n := &conn{
		encoding: encoding, transport: t, log: t.log, now: t.now, net: rawConn(c), in: c,
		shard: t.nextShard(), scratches: &t.scratches, buffers: &t.readBuffers,
		parser: parser{limit: protocol.MaxFrame}, parkAfter: t.parkAfter,
	}
	if n.raw = descriptor(n.net); n.raw != nil {
		n.parking = t.parking
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.queue.writers = &n.owned
	n.pingAt.Store(now.Add(Heartbeat).UnixNano())
	n.heardAt.Store(now.UnixNano())
	return n
}

// rawConn is the connection below the server's wrapper.
func rawConn(c net.Conn) net.Conn {
	if wrapper, ok := c.(interface{ UnsafeConn() net.Conn }); ok {
		return wrapper.UnsafeConn()
	}
	return c
}

// start gives the socket to what it is a part of, and its first goroutine.
func (c *conn) start(o owner) {
	c.owner = o
	c.transport.add(c)
	go c.serve()
}

// serve runs the socket until it parks or ends. Whatever happens, nothing is
// left behind that would go on to use the connection.
func (c *conn) serve() {
	err := errPanicked
	defer func() {
		if value := recover(); value != nil {
			c.log.Error("socket panicked", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
		}
		if err == errParked { //nolint:errorlint // ours, never wrapped
			return
		}
		c.owner.stopped()
		c.finish(err)
		c.parking.forget(c)
		c.giveBuffer()
		_ = c.net.Close()
		c.transport.remove(c)
		c.owner.closed()
	}()
	err = c.owner.loop()
}

var errPanicked = errors.New("socket panicked")

// push queues frames for the socket's shard to write, and reports whether they
// were. A full queue ends the socket.
func (c *conn) push(out outgoing) bool {
	return c.handOver(out, c.shard.add)
}

// pushNow queues frames and writes them from here where nobody writes.
func (c *conn) pushNow(out outgoing) {
	c.handOver(out, (*conn).flushNow)
}

func (c *conn) handOver(out outgoing, write func(*conn)) bool {
	switch c.queue.push(out) {
	case turn:
		write(c)
	case queued:
	case full:
		c.shut(protocol.CloseSlowConsumer)
		return false
	case dropped:
		c.transport.metrics.Sockets.Dropped.Inc()
		return false
	case closed:
		return false
	}
	return true
}

// offer is push for who can have the frames again: a full queue ends the socket
// only where it is the client that does not take what waits. Where it is us, who
// have more at once than a queue holds, it is false and nothing was queued.
func (c *conn) offer(out outgoing) bool {
	switch c.queue.push(out) {
	case turn:
		c.shard.add(c)
	case full:
		if !c.behind.Load() {
			return false
		}
		c.shut(protocol.CloseSlowConsumer)
	case queued, dropped, closed:
	}
	return true
}

// beat sends a ping when one is due, and gives up a client that was not heard
// for too long.
func (c *conn) beat(now time.Time) {
	if now.UnixNano()-c.heardAt.Load() > int64(Heartbeat+heartbeatGrace) {
		c.shut(protocol.CloseHeartbeatLost)
		return
	}
	if c.pingAt.Load() > now.UnixNano() {
		return
	}
	c.pingAt.Store(now.Add(Heartbeat).UnixNano())
	c.push(outgoing{frames: frame(opPing, nil), key: "ping", control: true})
}

// silence is how long ago the client was last heard.
func (c *conn) silence() time.Duration {
	return max(0, time.Duration(c.now().UnixNano()-c.heardAt.Load()))
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
