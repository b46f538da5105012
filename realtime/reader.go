package realtime

import (
	"context"
	"time"

	"earshot/realtime/protocol"
)

// parkAfter is how long a reader waits for the next bytes before it leaves the
// waiting to the system: long enough that a visitor who types keeps it awake.
const parkAfter = time.Second

// closeReceived is the other side's close frame.
type closeReceived struct{ code protocol.CloseCode }

func (e closeReceived) Error() string { return "websocket: closed by the client" }

// read waits for the client's next message; its payload lasts until the next
// call. Control frames are answered here, and messages that come while we are
// closing are passed over.
func (c *conn) read() (message, error) {
	for {
		m, err := c.readFrame()
		if err != nil {
			return m, err
		}
		switch m.kind {
		case kindPing:
			// Only the newest ping needs an answer (RFC 6455 §5.5.3), so a flood of
			// them takes one place in the queue.
			c.pushNow(outgoing{frames: frame(opPong, m.payload), key: "pong", control: true})
		case kindPong:
		case kindClose:
			code, err := closeCode(m.payload)
			if err == nil {
				err = closeReceived{code}
			}
			return m, err
		default:
			if !c.isClosing() {
				return m, nil
			}
		}
	}
}

// readFrame waits for a message or a control frame.
func (c *conn) readFrame() (message, error) {
	for {
		n, m, complete, err := c.parser.next(c.unread)
		c.unread = c.unread[n:]
		if err == nil {
			err = c.countEmpty()
		}
		if complete || err != nil {
			return m, err
		}
		if n > 0 && len(c.unread) > 0 {
			continue
		}
		if err := c.fill(); err != nil {
			return m, err
		}
	}
}

// countEmpty holds the frames that bring nothing to their limit: they are cheap
// to send by the million.
func (c *conn) countEmpty() error {
	n := c.parser.empty
	c.parser.empty = 0
	if n == 0 || c.excess == nil || c.excess.AllowN(c.now(), n) {
		return nil
	}
	return frameError{protocol.CloseRateLimited, "too many empty frames"}
}

// fill reads what the client sent behind what is unread: part of a header or of
// a control frame, for which there is always room. It parks the socket where
// nothing comes.
func (c *conn) fill() error {
	for {
		if c.buf == nil {
			c.buf, _ = c.buffers.Get().(*[readBuffer]byte)
		}
		held := copy(c.buf[:], c.unread)
		quiet := held == 0 && c.parser.idle()
		c.beforeRead(quiet)
		n, err := c.in.Read(c.buf[held:])
		c.unread = c.buf[:held+n]
		if n > 0 {
			c.heardAt.Store(c.now().UnixNano())
			return nil
		}
		if c.waiting != nil && isTimeout(err) && c.waiting.Err() != nil {
			return c.waiting.Err()
		}
		if err != nil && (!quiet || !isTimeout(err) || c.timeIsUp()) {
			return err
		}
		if c.park() {
			return errParked
		}
	}
}

// beforeRead bounds the next read, unless the socket closes: that has set the
// time by then.
func (c *conn) beforeRead(quiet bool) {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if c.closing {
		return
	}
	if c.waiting != nil && c.waiting.Err() != nil {
		_ = c.net.SetReadDeadline(past)
		return
	}
	end := time.Time{} // beat ends it
	if quiet && c.parking != nil && !c.stay {
		end = time.Now().Add(c.parkAfter)
	}
	_ = c.net.SetReadDeadline(end)
}

// past is over.
var past = time.Unix(1, 0)

// until has what is read end with ctx, until the end of it is called.
func (c *conn) until(ctx context.Context) (end func()) {
	c.waiting = ctx
	stop := context.AfterFunc(ctx, func() {
		c.deadlineMu.Lock()
		defer c.deadlineMu.Unlock()
		if !c.closing {
			_ = c.net.SetReadDeadline(past)
		}
	})
	return func() {
		stop()
		c.waiting = nil
	}
}

// park leaves the waiting for the client's next bytes to the system. It is false
// where that cannot be, or the socket is closing meanwhile. Where it is true the
// socket may already be somebody else's.
func (c *conn) park() bool {
	if !c.readyToPark() {
		return false
	}
	err := c.parking.wait(c)
	if err == nil {
		return true
	}
	if !c.unpark() {
		return true // woken by its end, it is not ours any more
	}
	// It keeps its goroutine from now on: the system would refuse it again.
	c.log.Warn("an idle socket will take more memory", "error", err)
	c.stay = true
	return false
}

func (c *conn) readyToPark() bool {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	if c.parking == nil || c.stay || c.closing {
		return false
	}
	c.giveBuffer()
	c.parked = true
	return true
}

// wake gives a parked socket a reader.
func (c *conn) wake() {
	if c.unpark() {
		go c.serve()
	}
}

// unpark is true for the one that is to see to it that the socket has a reader.
func (c *conn) unpark() bool {
	c.deadlineMu.Lock()
	defer c.deadlineMu.Unlock()
	parked := c.parked
	c.parked = false
	return parked
}

// giveBuffer gives the buffer back.
func (c *conn) giveBuffer() {
	if c.buf != nil {
		c.buffers.Put(c.buf)
		c.buf, c.unread = nil, nil
	}
}
