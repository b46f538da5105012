package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"earshot/models"
)

// spectators are dashboards at all nodes of a cluster, while writers submit by all nodes.
type spectators struct {
	c *cluster
	g *gathering
	w *writers

	mu    sync.Mutex
	sent  map[models.ID]time.Time
	heard []delivery
}

// delivery is when an item was sent first, and how long it took to a dashboard.
type delivery struct {
	sent time.Time
	took time.Duration
}

// watching is how they do it.
type watching struct {
	dashboards, writers int
	pause               time.Duration // of each writer, after each submission
	leave               float64
	// oneNode has writers submit by the first node alone, so that the others learn of
	// everything by what they are told, or look up.
	oneNode bool
	// roam has a dashboard come back to the next node each time.
	roam            bool
	live, forgetful bool
	// refused is told of every attempt to submit that failed; may be nil.
	refused func(error)
	// timed notes how long deliveries take.
	timed bool
}

// comeBack bounds how long a dashboard waits before it tries again.
const comeBack = 200 * time.Millisecond

// attend begins to follow and to submit; end it with leave.
func (c *cluster) attend(how watching) *spectators {
	a := &spectators{c: c, sent: map[models.ID]time.Time{}}
	a.w = &writers{ledger: newLedger(), nodes: c.processes(), pause: how.pause, leave: how.leave, refused: how.refused}
	token, next := c.nodes[0].Token, 0
	nodes := c.processes()
	if how.oneNode {
		a.w.nodes = nodes[:1]
	}
	var there sync.WaitGroup
	there.Add(how.dashboards)
	a.g = gather(c.t.ctx, how.dashboards, func() *follower {
		f := &follower{p: nodes[next%len(nodes)], live: how.live, forgetful: how.forgetful}
		if next++; how.timed {
			f.heard = a.hear
		}
		return f
	}, func(ctx context.Context, f *follower) error {
		return f.stay(ctx, token, nodes, how.roam, sync.OnceFunc(there.Done))
	})
	there.Wait()
	if how.timed {
		a.w.sending = a.send
	}
	if how.writers > 0 {
		a.w.start(c.t.ctx, how.writers)
	}
	return a
}

// firstJoins is how often a dashboard tries to come for the first time: nobody is killed
// yet, so a server that lets it in at none of them will not do so later.
const firstJoins = 20

// stay follows, and comes back each time that the connection ends.
func (f *follower) stay(ctx context.Context, token string, nodes []*process, roam bool, there func()) error {
	defer there()
	at := slices.Index(nodes, f.p)
	for tries := 1; ctx.Err() == nil; tries++ {
		err := f.join(token)
		if err == nil {
			there()
			err = f.readUntil(ctx, time.Now().Add(time.Hour))
			f.drop()
		}
		if (errors.Is(err, errMisled) || f.joined == 0 && tries == firstJoins) && ctx.Err() == nil {
			return err
		}
		if at++; roam {
			f.p = nodes[at%len(nodes)]
		}
		time.Sleep(rand.N(comeBack))
	}
	return nil
}

func (a *spectators) send(id models.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sent[id] = time.Now()
}

func (a *spectators) hear(id models.ID) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if sent, ok := a.sent[id]; ok {
		a.heard = append(a.heard, delivery{sent, now.Sub(sent)})
	}
}

// between gives how long what was sent in a time took: to half of the dashboards' screens,
// to 99 of 100, to all.
func (a *spectators) between(from, to time.Time) (d delays) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var took []time.Duration
	for _, one := range a.heard {
		if one.sent.After(from) && one.sent.Before(to) {
			took = append(took, one.took)
		}
	}
	if d.n = len(took); d.n > 0 {
		d.p50, d.p99 = percentiles(took)
		d.longest = slices.Max(took)
	}
	return d
}

// delays are those of deliveries.
type delays struct {
	n                 int
	p50, p99, longest time.Duration
}

// String is the delays in one line.
func (d delays) String() string {
	return fmt.Sprintf("p50 %.0f ms, p99 %.0f ms, longest %.0f ms (%d deliveries)", ms(d.p50), ms(d.p99), ms(d.longest), d.n)
}

// leave ends the submissions, lets all dashboards come to the log's head for so long,
// and holds what they were told against the log.
func (a *spectators) leave(atMost time.Duration) (*churned, error) {
	a.w.end()
	found := &churned{dashboards: len(a.g.all)}
	var err error
	if found.audit, err = a.c.audit(a.c.t.ctx, a.w.ledger); err != nil {
		return nil, errors.Join(err, a.g.end())
	}
	found.wrong = awaitPlace(a.c.t, a.g.all, int64(len(found.log)), atMost)
	found.wrong = firstOf(found.wrong, a.g.end())
	found.hold(a.g.all)
	return found, nil
}
