package realtime

import (
	"bytes"
	"errors"
	"net"
	"time"

	"earshot/realtime/protocol"
)

// A socket's queue is written by whoever has its turn: as a rule the goroutine
// that pushed, or a shard, with one write that does not wait. What the connection
// does not take at once is left to a goroutine of the socket's own, until it has
// caught up.

// flush writes what waits, in one write that does not wait. It is called with
// the queue's turn, and is true where the caller keeps that because more waits.
func (c *conn) flush(s *scratch) (more bool) {
	if data := c.queue.take(s.joined, &s.followed); data != nil {
		n, err := s.tryWrite(c.raw, data)
		followed := s.followed
		s.followed = nil
		switch {
		case err != nil:
			c.abort()
			c.owned.Done()
			return false
		case n < len(data):
			c.behind.Store(true)
			go c.write(bytes.Clone(data[n:]), followed)
			return false
		}
		tellWritten(followed)
	}
	closed, more := c.queue.settle()
	if more {
		return true
	}
	if closed {
		c.closeSent()
	}
	c.owned.Done()
	return false
}

// flushNow writes from the goroutine that pushed: it saves an answer the way
// over another one.
func (c *conn) flushNow() {
	s, _ := c.scratches.Get().(*scratch)
	defer c.scratches.Put(s)
	for c.flush(s) {
	}
}

// write is the socket's own writer, for a connection that takes less than there
// is. It begins with data.
func (c *conn) write(data []byte, followed []*written) {
	defer c.owned.Done()
	defer c.behind.Store(false)
	var buf []byte
	for {
		if err := c.writeAll(data); err != nil {
			c.abort()
			return
		}
		tellWritten(followed)
		followed = nil
		closed, more := c.queue.settle()
		if !more {
			if closed {
				c.closeSent()
			}
			return
		}
		if buf == nil {
			buf = make([]byte, 0, slowBuffer)
		}
		data = c.queue.take(buf, &followed)
	}
}

// writeAll writes frames to their end, for the close frame cannot come inside
// another. Who does not take them in time is too slow: all that follows is the
// close frame, within the time of a socket that closes.
func (c *conn) writeAll(data []byte) error {
	for {
		if err := c.beforeWrite(); err != nil {
			return err
		}
		n, err := c.net.Write(data)
		if err == nil {
			return c.afterWrite()
		}
		if !isTimeout(err) {
			return err
		}
		data = data[n:]
		c.shut(protocol.CloseSlowConsumer)
	}
}

// beforeWrite gives the next write its time; it fails once there is none left.
func (c *conn) beforeWrite() error {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	now := time.Now()
	switch {
	case c.aborted, c.closing && !now.Before(c.closeBy):
		return errClosed
	case c.closing:
		return c.net.SetWriteDeadline(c.closeBy)
	}
	return c.net.SetWriteDeadline(now.Add(writeDeadline))
}

// afterWrite takes the time back: it is not for the writes that do not wait.
func (c *conn) afterWrite() error {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if c.closing {
		return nil
	}
	return c.net.SetWriteDeadline(time.Time{})
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
