package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// slowConsumer is the close code of a reader that is too slow.
const slowConsumer = int(protocol.CloseSlowConsumer)

// stallRun is one run.
type stallRun struct {
	stall
	t *test
	p *process

	mu   sync.Mutex
	sent map[models.ID]time.Time
	took []time.Duration

	unkept  error // the first promise that was broken to the one that stopped
	resumed int64
}

// run takes the times of one run, in which the first dashboard stops or does not.
func (r *stallRun) run(stops bool) error {
	g, err := r.gather(stops)
	if err != nil {
		return err
	}
	defer func() { _ = g.end() }() // on all ways but the last, where it has ended
	head := g.all[0].last.Load()
	load := newLoad(r.p, r.Writers, (*process).dialLargest)
	load.sending, load.enough = r.sending, r.Events
	load.run(r.t.ctx, time.Minute, r.Pace)
	if load.err != nil {
		return load.err
	}
	head += load.acknowledged.Load()
	if err := awaitPlace(r.t, g.all[1:], head, dialTimeout); err != nil {
		return err
	}
	if stops {
		r.unkept = r.comesBack(g.all[0], head)
	}
	return g.end()
}

// gather joins all dashboards before any reads; where it stops, the first reads
// nothing at all until comesBack.
func (r *stallRun) gather(stops bool) (*gathering, error) {
	g := &gathering{}
	ctx, cancel := context.WithCancel(r.t.ctx)
	g.cancel = cancel
	for i := range r.Dashboards {
		f := &follower{p: r.p, live: true}
		if err := f.join(r.p.Token); err != nil {
			return nil, errors.Join(fmt.Errorf("dashboard %d: %w", i, err), g.end())
		}
		g.all = append(g.all, f)
		if i == 0 && stops {
			continue
		}
		if i > 0 {
			f.heard = r.heard
		}
		g.follow(ctx, f, func(ctx context.Context, f *follower) error {
			defer f.drop()
			return f.readUntil(ctx, time.Time{})
		})
	}
	return g, nil
}

// comesBack reads at last, finds why it was cut off, and comes back for the rest.
func (r *stallRun) comesBack(f *follower, head int64) error {
	err := f.readUntil(r.t.ctx, time.Now().Add(dialTimeout))
	f.drop()
	var closed *closedError
	switch {
	case err == nil:
		return fmt.Errorf("the one that stopped was not cut off, although it missed %d events", head-f.last.Load())
	case !errors.As(err, &closed):
		return fmt.Errorf("the one that stopped was cut off without a word: %w", err)
	case closed.code != slowConsumer:
		return fmt.Errorf("the one that stopped was closed with %d, want %d", closed.code, slowConsumer)
	}
	r.resumed = head - f.last.Load()
	if err := f.join(r.p.Token); err != nil {
		return fmt.Errorf("the one that stopped comes back: %w", err)
	}
	defer f.drop()
	if err := f.socket.conn.SetReadDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	for f.last.Load() < head {
		if err := f.read(); err != nil {
			return fmt.Errorf("the one that stopped reads on: %w", err)
		}
	}
	if f.missing+f.repeated+f.disorder > 0 {
		return fmt.Errorf("the one that stopped: %s", f.counts())
	}
	return nil
}

func (r *stallRun) sending(id models.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[id] = time.Now()
}

func (r *stallRun) heard(id models.ID) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, now.Sub(r.sent[id]))
}

func (r *stallRun) p99() time.Duration {
	_, p99 := percentiles(r.took)
	return p99
}
