package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// gathering is a number of followers that read at the same time.
type gathering struct {
	all    []*follower
	cancel context.CancelFunc
	ended  sync.WaitGroup
	late   error // where not all came to the log's head

	mu  sync.Mutex
	err error // the first
}

func (g *gathering) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = firstOf(g.err, err)
}

// end stops the reading and waits for it.
func (g *gathering) end() error {
	g.cancel()
	g.ended.Wait()
	return g.err
}

// gather has n followers read in their own way, until the end of the gathering.
func gather(ctx context.Context, n int, each func() *follower, follow func(context.Context, *follower) error) *gathering {
	g := &gathering{}
	ctx, g.cancel = context.WithCancel(ctx)
	for range n {
		f := each()
		g.all = append(g.all, f)
		g.follow(ctx, f, follow)
	}
	return g
}

func (g *gathering) follow(ctx context.Context, f *follower, how func(context.Context, *follower) error) {
	g.ended.Go(func() {
		if err := how(ctx, f); err != nil {
			g.fail(err)
		}
	})
}

// awaitPlace waits until all have come to head.
func awaitPlace(t *test, all []*follower, head int64, atMost time.Duration) error {
	for deadline := time.Now().Add(atMost); ; {
		behind, first := 0, head
		for _, f := range all {
			if last := f.last.Load(); last < head {
				behind++
				first = min(first, last)
			}
		}
		if behind == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d dashboards do not come to %d, one only to %d", behind, len(all), head, first)
		}
		if err := t.wait(2 * time.Millisecond); err != nil {
			return err
		}
	}
}
