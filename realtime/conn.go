package realtime

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	fastws "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"

	"earshot/realtime/protocol"
)

// The times of a socket's life. A client that answers no ping is gone Heartbeat
// + heartbeatGrace after it was last heard.
const (
	Heartbeat      = 25 * time.Second
	heartbeatGrace = 10 * time.Second
	// writeDeadline bounds one write: a reader that stops must not keep it.
	writeDeadline = 5 * time.Second
	// closeLinger is how long we wait for the other side's close frame, so that
	// ours is read before the connection goes.
	closeLinger = 2 * time.Second
)

var errClosed = errors.New("socket closed")

// conn is one socket without its types: a reader, which is the goroutine that
// the upgrade runs in, and at most one writer, which lives while frames wait.
//
// It holds the inner connections, never the pooled wrappers around them: those
// become another client's once the handler has returned. All writes go through
// the queue as whole frames, so the writer needs no lock on the connection. The
// only others are the library's own close frames on protocol errors; a Write of
// whole frames cannot be torn by them, because net.Conn serialises writes.
type conn struct {
	ws  *fastws.Conn
	net net.Conn

	queue   queue
	buffers *sync.Pool
	// ctx ends when the reader has heard its last; owned counts what has to end
	// before the reader may return: the writer and the replays.
	ctx    context.Context
	cancel context.CancelFunc
	owned  sync.WaitGroup

	deadlineMu sync.Mutex
	closing    bool // guarded by deadlineMu, as is aborted
	aborted    bool

	// pingAt is when the next ping is due, in Unix nanoseconds.
	pingAt atomic.Int64
}

func newConn(ws *fastws.Conn, buffers *sync.Pool, now time.Time) *conn {
	c := &conn{ws: ws, net: rawConn(ws.NetConn()), buffers: buffers}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.queue.writers = &c.owned
	c.pingAt.Store(now.Add(Heartbeat).UnixNano())
	ws.SetReadLimit(protocol.MaxFrame)
	ws.SetPongHandler(func(string) error { c.heard(); return nil })
	ws.SetPingHandler(func(data string) error {
		c.heard()
		// Only the newest ping needs an answer (RFC 6455 §5.5.3), so a flood of
		// them takes one place in the queue.
		c.push(outgoing{frames: frame(opPong, []byte(data)), key: "pong", control: true})
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

// push queues frames and starts a writer where none is at work. A full queue
// ends the socket.
func (c *conn) push(out outgoing) {
	start, overflow := c.queue.push(out)
	if overflow {
		c.shut(protocol.CloseSlowConsumer)
		return
	}
	if start {
		go c.write()
	}
}

// shut sends a close frame after what waits and gives the other side a moment
// to answer. It does not block and may be called more than once.
func (c *conn) shut(code protocol.CloseCode) {
	if c.queue.close(closeFrame(code), code == protocol.CloseSlowConsumer) {
		go c.write()
	}
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if !c.closing {
		c.closing = true
		_ = c.net.SetReadDeadline(time.Now().Add(writeDeadline + closeLinger))
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

func (c *conn) isClosing() bool {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	return c.closing
}

// beat sends a ping when one is due.
func (c *conn) beat(now time.Time) {
	if c.pingAt.Load() > now.UnixNano() {
		return
	}
	c.pingAt.Store(now.Add(Heartbeat).UnixNano())
	c.push(outgoing{frames: frame(opPing, nil), key: "ping", control: true})
}

// write is the writer: it joins waiting frames into few writes and ends when
// none wait.
func (c *conn) write() {
	defer c.owned.Done()
	pooled, _ := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(pooled)
	for {
		data, closed, more := c.queue.take((*pooled)[:0])
		if !more {
			if closed {
				c.linger()
			}
			return
		}
		err := c.beforeWrite()
		if err == nil {
			_, err = c.net.Write(data)
		}
		if err != nil {
			c.abort()
			return
		}
	}
}

// linger shortens the reader's wait: our close frame is out.
func (c *conn) linger() {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if !c.aborted {
		_ = c.net.SetReadDeadline(time.Now().Add(closeLinger))
	}
}

// abort ends a socket at once, its reader and its writer.
func (c *conn) abort() {
	c.queue.discard()
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	c.closing, c.aborted = true, true
	_ = c.net.SetDeadline(time.Unix(1, 0))
}

// beforeWrite gives the next write its time; it fails once the socket is
// aborted, whose deadline must not be put off.
func (c *conn) beforeWrite() error {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if c.aborted {
		return errClosed
	}
	return c.net.SetWriteDeadline(time.Now().Add(writeDeadline))
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

// finish ends the socket after the reader's last error, with everything that
// the socket owns. The connection is the caller's again when it returns.
func (c *conn) finish(err error) {
	if err == nil { // the handler panicked
		c.abort()
	}
	var closed *fastws.CloseError
	var timeout net.Error
	answered := false
	switch {
	case errors.As(err, &closed):
		answered = true
		c.shut(replyCode(closed.Code))
	case c.isClosing():
		answered = true
	case errors.As(err, &timeout) && timeout.Timeout():
		c.shut(protocol.CloseHeartbeatLost)
	case errors.Is(err, fastws.ErrReadLimit):
		c.shut(protocol.CloseTooBig)
	default: // a protocol error, which the library has answered, or a lost connection
		c.queue.discard()
	}
	c.cancel()
	c.owned.Wait()
	if !answered {
		// A connection that is closed with unread bytes is reset, and the reset
		// overtakes the close frame. So they are read, within bounds.
		_ = c.net.SetReadDeadline(time.Now().Add(closeLinger))
		_, _ = io.CopyN(io.Discard, c.net, 1<<20)
	}
}

// replyCode answers a close frame with its own code where that may be sent.
func replyCode(code int) protocol.CloseCode {
	if code == websocket.CloseNoStatusReceived {
		return protocol.CloseNormal
	}
	return protocol.CloseCode(code) //nolint:gosec // the library admits codes of 1000–4999 only
}
