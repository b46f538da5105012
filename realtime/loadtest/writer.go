package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"earshot/models"
)

// writers submit as the widget does: what is not acknowledged is sent again with
// the same id, over a new connection, until it is. Half go over visitors'
// sockets, half over POST.
type writers struct {
	ledger *ledger
	p      *process // of which only the address and the key count
	// nodes are asked in turn, one after each failure; nil for p alone.
	nodes []*process
	leave float64 // the share of attempts after which a visitor gives up and leaves
	pause time.Duration
	// sending is told of every submission before it is sent first; may be nil.
	sending func(models.ID)
	// refused is told of every attempt that failed, answered of every attempt and how
	// long it took; may be nil.
	refused  func(error)
	answered func(time.Duration)

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// pauseAtMost bounds how long a writer waits before it tries again.
const pauseAtMost = 20 * time.Millisecond

// start lets n writers submit until end is called.
func (w *writers) start(ctx context.Context, n int) {
	ctx, w.cancel = context.WithCancel(ctx)
	for i := range n {
		dial := (*process).dialPost
		if i%2 == 0 {
			dial = (*process).dialVisitor
		}
		nodes := w.nodes
		if nodes == nil {
			nodes = []*process{w.p}
		}
		c := &connection{dial: dial, nodes: nodes, next: i / 2}
		w.running.Go(func() { w.write(ctx, c) })
	}
}

// end lets each writer finish what it has on its way, for a while, and waits.
func (w *writers) end() {
	w.cancel()
	w.running.Wait()
}

func (w *writers) write(ctx context.Context, c *connection) {
	defer c.close()
	for ctx.Err() == nil {
		id := models.NewID()
		w.ledger.send(id)
		if w.sending != nil {
			w.sending(id)
		}
		w.deliver(ctx, c, id)
		time.Sleep(w.pause)
	}
}

// patience is how long a writer goes on with its last submission after the end.
const patience = 10 * time.Second

func (w *writers) deliver(ctx context.Context, c *connection, id models.ID) {
	var last time.Time // once the end has come
	for {
		began := time.Now()
		err := c.submit(id)
		if w.answered != nil {
			w.answered(time.Since(began))
		}
		if err == nil {
			w.ledger.acknowledge(id, c.dialed)
			return
		}
		if w.refused != nil {
			w.refused(err)
		}
		if rand.Float64() < w.leave {
			return
		}
		if ctx.Err() != nil && last.IsZero() {
			last = time.Now().Add(patience)
		}
		if !last.IsZero() && time.Now().After(last) {
			return
		}
		time.Sleep(rand.N(pauseAtMost))
	}
}

// connection is a transport that is opened again after a failure, to the next node.
type connection struct {
	dial   func(*process) (transport, error)
	nodes  []*process
	next   int
	way    transport
	dialed time.Time
}

func (c *connection) submit(id models.ID) (err error) {
	if c.way == nil {
		c.dialed = time.Now()
		node := c.nodes[c.next%len(c.nodes)]
		c.next++
		if c.way, err = c.dial(node); err != nil {
			c.way = nil
			return err
		}
	}
	if err = c.way.submit(id); err != nil && !errors.As(err, new(*refusal)) {
		c.close()
	}
	return err
}

func (c *connection) close() {
	if c.way != nil {
		_ = c.way.close()
		c.way = nil
	}
}
