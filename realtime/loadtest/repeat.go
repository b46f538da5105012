package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
)

// repeat sends the same submission up to five times at once, over sockets and
// POST, as an outbox does that never heard an answer.
type repeat struct {
	Lasts   time.Duration `default:"10s" help:"How long."`
	Writers int           `default:"8" help:"Submissions on their way at once; each has five connections."`
	Most    int           `default:"5" help:"How often one is sent at once, at most."`
}

// Run is called by kong.
func (r repeat) Run(t *test) error {
	t.printf("Each submission is sent 1 to %d times at once, over sockets and POST, for %v\n", r.Most, r.Lasts)
	found, copies, err := r.happens(t)
	if err != nil {
		return err
	}
	t.printf("  %d copies, all acknowledged; told to a dashboard: %d events, missing %d, repeated %d\n  %s\n",
		copies, found.events, found.missing, found.repeated, found.audit)
	if err := r.holds(found, copies); err != nil {
		return err
	}
	r.Lasts = min(r.Lasts, time.Second)
	if found, copies, err = r.happens(t, "--bare", "--twice"); err != nil {
		return err
	}
	return t.mustFail("a server that takes each copy for another", r.holds(found, copies))
}

func (r repeat) holds(found *churned, copies int64) error {
	if err := found.audit.holds(); err != nil {
		return err
	}
	if copies <= int64(found.sent) {
		return errors.New("nothing was sent twice")
	}
	return found.wrong
}

func (r repeat) happens(t *test, flags ...string) (found *churned, copies int64, err error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	p, err := t.launch(launch{data: folder, flags: flags})
	if err != nil {
		return nil, 0, err
	}
	l := newLedger()
	g := gather(t.ctx, 1, func() *follower { return &follower{p: p} }, func(ctx context.Context, f *follower) error {
		if err := f.join(p.Token); err != nil {
			return err
		}
		defer f.drop()
		return f.readUntil(ctx, time.Time{})
	})
	copies, err = r.submit(t, p, l)
	if err == nil {
		g.late = awaitPlace(t, g.all, int64(l.acknowledged()), dialTimeout)
	}
	if err = errors.Join(err, g.end(), p.stop()); err != nil {
		return nil, 0, err
	}
	found, err = t.told(g, l, folder)
	return found, copies, err
}

// submit has all writers submit for a while, each one thing at a time.
func (r repeat) submit(t *test, p *process, l *ledger) (int64, error) {
	ctx, cancel := context.WithTimeout(t.ctx, r.Lasts)
	defer cancel()
	var copies atomic.Int64
	errs := make([]error, r.Writers)
	var running sync.WaitGroup
	for w := range r.Writers {
		running.Go(func() { errs[w] = r.write(ctx, p, l, &copies) })
	}
	running.Wait()
	return copies.Load(), errors.Join(errs...)
}

func (r repeat) write(ctx context.Context, p *process, l *ledger, copies *atomic.Int64) error {
	ways := make([]transport, r.Most)
	for i := range ways {
		dial := (*process).dialPost
		if i%2 == 0 {
			dial = (*process).dialVisitor
		}
		way, err := dial(p)
		if err != nil {
			return err
		}
		defer func() { _ = way.close() }()
		ways[i] = way
	}
	for ctx.Err() == nil {
		n := 1 + rand.N(r.Most)
		rand.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
		if err := atOnce(ways[:n], l); err != nil {
			return err
		}
		copies.Add(int64(n))
	}
	return nil
}

// atOnce sends one submission in all ways together. Every copy must be
// acknowledged.
func atOnce(ways []transport, l *ledger) error {
	id := models.NewID()
	l.send(id)
	errs := make([]error, len(ways))
	var sending sync.WaitGroup
	for i, way := range ways {
		sending.Go(func() { errs[i] = way.submit(id) })
	}
	sending.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("one of %d copies: %w", len(ways), err)
	}
	l.acknowledge(id, time.Now())
	return nil
}
