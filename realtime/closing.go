package realtime

import (
	"errors"
	"io"
	"strconv"
	"time"

	"earshot/realtime/protocol"
)

// A socket closes in this order: shut queues the close frame, the writer writes
// it and calls closeSent, the reader hears the other side's answer or runs out
// of time, and finish waits for the writer. abort is the short way.

// shut sends a close frame after what waits, or after what is on its way where
// the reader is too slow, and gives the other side a moment to answer. It does
// not block and may be called more than once.
func (c *conn) shut(code protocol.CloseCode) {
	grace := writeDeadline
	if code == protocol.CloseSlowConsumer {
		grace = slowGrace
	}
	if c.startClosing(grace, code) {
		c.shard.add(c)
	}
}

// startClosing closes the queue behind the close frame and bounds the time in which
// the socket closes, unless it does so already; turn is as the queue gives it. It is
// one step, so that a reader who finds the socket closing finds the queue closed.
func (c *conn) startClosing(grace time.Duration, code protocol.CloseCode) (turn bool) {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	c.boundClosing(grace, code)
	return c.queue.close(closeFrame(code), code == protocol.CloseSlowConsumer)
}

// lost is the code of a socket that ends without one.
const lost protocol.CloseCode = 0

// boundClosing is called with deadlineMu held.
func (c *conn) boundClosing(grace time.Duration, code protocol.CloseCode) {
	if c.closing {
		return
	}
	c.countClosing(code)
	c.closing, c.slow, c.closeBy = true, code == protocol.CloseSlowConsumer, time.Now().Add(grace)
	c.wakeToClose()
	_ = c.net.SetWriteDeadline(c.closeBy)
	c.readUntil(c.closeBy.Add(closeLinger))
}

// countClosing counts a socket's end by its code. A client answers with what it
// likes, so codes that are none of ours are one.
func (c *conn) countClosing(code protocol.CloseCode) {
	switch {
	case code == lost:
		c.transport.metrics.Sockets.Closed("none")
	case code.Known():
		c.transport.metrics.Sockets.Closed(strconv.Itoa(int(code)))
	default:
		c.transport.metrics.Sockets.Closed("other")
	}
}

// readUntil is called with deadlineMu held, while closing.
func (c *conn) readUntil(end time.Time) {
	c.readBy = end
	_ = c.net.SetReadDeadline(end)
}

// timeIsUp reports whether a read that ran out of time was the last. The time may
// have been that of a socket that was only quiet, and closes since.
func (c *conn) timeIsUp() bool {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	return c.closing && !time.Now().Before(c.readBy)
}

// wakeToClose gives a parked socket a reader, which it needs to close. Called
// with deadlineMu held.
func (c *conn) wakeToClose() {
	if c.parked {
		c.parked = false
		go c.serve()
	}
}

func (c *conn) isClosing() bool {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	return c.closing
}

// closeSent says that the close frame has left us: the reader's wait for the
// answer is shorter now. A slow reader may need all its time to come to it, and
// finds the end of the stream right behind.
func (c *conn) closeSent() {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	switch {
	case c.aborted:
	case c.slow:
		c.closeWrite()
	default:
		c.readUntil(time.Now().Add(closeLinger))
	}
}

// closeWrite ends our half of the connection, behind what was written.
func (c *conn) closeWrite() {
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// abort ends a socket at once, its reader and its writer.
func (c *conn) abort() {
	c.queue.discard()
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if !c.closing {
		c.countClosing(lost)
	}
	c.closing, c.aborted, c.readBy = true, true, past
	c.wakeToClose()
	_ = c.net.SetDeadline(past)
}

// giveUp leaves nothing to be written, and little time to what is on its way.
func (c *conn) giveUp() {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	c.queue.discard()
	c.boundClosing(closeLinger, lost)
}

// finish ends the socket after the reader's last error, with everything that
// the socket owns. The connection is the caller's again when it returns.
func (c *conn) finish(err error) {
	var closed closeReceived
	var broken frameError
	expired := false
	switch {
	case errors.As(err, &closed):
		c.shut(closed.code)
	case errors.As(err, &broken):
		c.shut(broken.code)
	case c.isClosing():
		expired = isTimeout(err)
	case err == errPanicked: //nolint:errorlint // ours, never wrapped
		c.abort()
	default: // a lost connection
		c.giveUp()
	}
	c.cancel()
	c.owned.Wait()
	if !expired {
		c.drain()
	}
}

// drain reads and drops what still comes, within bounds: a connection that is
// closed with unread bytes is reset, and the reset overtakes the close frame.
// The other side is told to close its half by the end of ours (RFC 6455 §7.1.1).
func (c *conn) drain() {
	c.deadlineMu.Lock()
	aborted := c.aborted
	if !aborted {
		c.closeWrite()
		_ = c.net.SetReadDeadline(time.Now().Add(closeLinger))
	}
	c.deadlineMu.Unlock()
	if aborted {
		return
	}
	_, _ = io.CopyN(io.Discard, c.net, 1<<20)
}
