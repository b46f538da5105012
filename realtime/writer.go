package realtime

import (
	"errors"
	"net"
	"time"

	"earshot/realtime/protocol"
)

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
				c.closeSent()
			}
			return
		}
		if err := c.writeAll(data); err != nil {
			c.abort()
			return
		}
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
			return nil
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

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
