package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"earshot/models/metrics"
	"earshot/realtime/protocol"
)

// Transport is what all sockets share: the goroutines that write and wait for
// them, and their buffers.
type Transport struct {
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics.Metrics

	upgrader               fiber.Handler
	shards                 []*shard
	turn                   atomic.Uint32 // the socket's number that gets the next shard
	scratches, readBuffers sync.Pool
	parking                *parking
	parkAfter              time.Duration

	mu      sync.Mutex
	sockets map[*conn]struct{}
	stop    context.CancelFunc
	ticker  sync.WaitGroup
}

// NewTransport starts a Transport; end it with Close once its sockets have
// ended.
func NewTransport(log *slog.Logger) *Transport {
	t := &Transport{log: log, now: steady(time.Now()), metrics: metrics.Unread(), parking: startParking(log), parkAfter: parkAfter, sockets: map[*conn]struct{}{}}
	t.upgrader = websocket.New(t.opened, websocket.Config{
		HandshakeTimeout: handshakeTimeout,
		WriteBufferPool:  &sync.Pool{},
		RecoverHandler:   t.recovered,
	})
	t.readBuffers.New = func() any { return new([readBuffer]byte) }
	t.scratches.New = func() any { return newScratch(inlineBuffer) }
	for range runtime.GOMAXPROCS(0) {
		t.shards = append(t.shards, startShard())
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.ticker.Go(func() { t.tick(ctx) })
	return t
}

// steady is a clock that no correction of the system's moves, for it is read for
// spans alone: an hour's jump must not end all sockets, nor keep the dead ones.
func steady(start time.Time) func() time.Time {
	return func() time.Time { return start.Add(time.Since(start)) }
}

// Close ends the goroutines. It may be called more than once.
func (t *Transport) Close() {
	t.stop()
	t.ticker.Wait()
	t.parking.stop()
	for _, w := range t.shards {
		w.stop()
	}
}

// tick does what is due by the clock for all sockets, so that an idle one needs
// no timer and no second goroutine.
func (t *Transport) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := t.now()
		t.mu.Lock()
		for c := range t.sockets {
			c.beat(now)
		}
		t.mu.Unlock()
	}
}

func (t *Transport) add(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sockets[c] = struct{}{}
}

func (t *Transport) remove(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sockets, c)
}

// backlog is what waits for all sockets together, in bytes, and how many of them
// take less than there is.
func (t *Transport) backlog() (bytes, behind int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.sockets {
		bytes += c.queue.size()
		if c.behind.Load() {
			behind++
		}
	}
	return bytes, behind
}

// nextShard deals the shards out in turn.
func (t *Transport) nextShard() *shard { return t.shards[int(t.turn.Add(1))%len(t.shards)] }

const (
	handshakeTimeout = 10 * time.Second
	// openLocal is where what is to become of the connection waits for the
	// upgrade's answer to be out.
	openLocal = "earshot.open"
)

// upgrade answers an upgrade that was checked, and hands the connection over.
// Origins are not its business: what is admitted was asked before.
func (t *Transport) upgrade(c *fiber.Ctx, open func(net.Conn)) error {
	c.Locals(openLocal, open)
	return t.upgrader(c)
}

func (t *Transport) opened(c *websocket.Conn) {
	if open, ok := c.Locals(openLocal).(func(net.Conn)); ok {
		open(c.NetConn())
	}
}

// recovered keeps a panic's value on this side: the library's own handler sends
// it to the client.
func (t *Transport) recovered(*websocket.Conn) {
	if value := recover(); value != nil {
		t.log.Error("socket panicked", "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
	}
}

// Upgrade makes a typed socket of a request and runs handle with it, in a
// goroutine of its own; the socket ends when handle does. A handshake that
// cannot be is refused with an error before the upgrade. The app has to be
// prepared (Prepare).
func Upgrade[In, Out any](
	t *Transport, c *fiber.Ctx, in *protocol.Sum[In], out *protocol.Sum[Out], handle func(*Socket[In, Out]) error,
) error {
	encoding, err := checkHandshake(c, c.Query(taggingQuery))
	if err != nil {
		return err
	}
	return t.upgrade(c, func(conn net.Conn) {
		s := newSocket(t, conn, encoding, in, out)
		s.parking = nil // handle waits in Recv
		s.start(handled[In, Out]{s, handle})
	})
}

// handled is a socket that one function serves.
type handled[In, Out any] struct {
	socket *Socket[In, Out]
	handle func(*Socket[In, Out]) error
}

func (h handled[In, Out]) loop() error {
	err := h.handle(h.socket)
	if err == nil || errors.Is(err, context.Canceled) {
		h.socket.shut(protocol.CloseNormal)
	}
	return err
}

func (h handled[In, Out]) stopped() {}
func (h handled[In, Out]) closed()  {}
