package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// churn has dashboards lose their connections again and again, as on a train,
// and come back to their place in the log.
type churn struct {
	Dashboards int           `default:"200" help:"How many."`
	Lasts      time.Duration `default:"10m" help:"How long, shorter than an access token lives."`
	Least      time.Duration `default:"1s" help:"The shortest life of a connection."`
	Most       time.Duration `default:"5s" help:"The longest."`
	Writers    int           `default:"8" help:"Writers over POST."`
	Pace       int           `default:"100" help:"Their submissions a second, together."`

	flags []string // further ones of the server
	// renews: an access token that has expired is followed by another.
	renews bool
}

// access is the token that all dashboards share. Each log-in costs the server
// memory and time, so there is one for all of them.
type access struct {
	mu    sync.Mutex
	addr  string
	token string
}

// after gives the token that follows one that has expired.
func (a *access) after(ctx context.Context, old string) (token string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == old {
		a.token, err = login(ctx, a.addr)
	}
	return a.token, err
}

// churned is what the dashboards were told, all together.
type churned struct {
	audit
	dashboards, joined          int
	events                      int64
	missing, repeated, disorder int64
	wrong                       error // the first dashboard's that was told something else
}

// Run is called by kong.
func (c churn) Run(t *test) error {
	t.printf("%d dashboards lose their connection every %v to %v, for %v\n", c.Dashboards, c.Least, c.Most, c.Lasts)
	found, err := c.happens(t, false)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := found.holds(); err != nil {
		return err
	}
	c.Lasts, c.Dashboards = min(c.Lasts, c.Most), min(c.Dashboards, 50)
	if found, err = c.happens(t, true); err != nil {
		return err
	}
	return t.mustFail("dashboards that do not say where they were", found.holds())
}

// String is what happened, in two lines.
func (c *churned) String() string {
	return fmt.Sprintf("%d events to each of %d dashboards over %d connections: missing %d, repeated %d, out of order %d\n  %s",
		c.events, c.dashboards, c.joined, c.missing, c.repeated, c.disorder, c.audit)
}

func (c *churned) holds() error {
	switch {
	case c.wrong != nil:
		return c.wrong
	case c.joined <= c.dashboards:
		return errors.New("no dashboard has come back")
	}
	return c.audit.holds()
}

func (c churn) happens(t *test, forgetful bool) (found *churned, err error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	p, err := t.launch(launch{data: folder, flags: c.flags})
	if err != nil {
		return nil, err
	}
	l := newLedger()
	g, err := c.suffer(t, p, l, forgetful)
	if err = errors.Join(err, p.stop()); err != nil {
		return nil, err
	}
	return t.told(g, l, folder)
}

// suffer submits while dashboards come and go.
func (c churn) suffer(t *test, p *process, l *ledger, forgetful bool) (*gathering, error) {
	var there sync.WaitGroup
	shared := &access{addr: p.Addr, token: p.Token}
	there.Add(c.Dashboards)
	g := gather(t.ctx, c.Dashboards, func() *follower { return &follower{p: p, forgetful: forgetful} },
		func(ctx context.Context, f *follower) error {
			return c.follow(ctx, f, shared, sync.OnceFunc(there.Done))
		})
	there.Wait()
	load := newLoad(p, c.Writers, (*process).dialPost)
	load.sending, load.acknowledging = l.send, func(id models.ID) { l.acknowledge(id, p.started) }
	load.run(t.ctx, c.Lasts, c.Pace)
	patience := dialTimeout
	if forgetful {
		patience = min(patience, c.Most+2*time.Second) // long enough for one that remembers
	}
	g.late = awaitPlace(t, g.all, load.acknowledged.Load(), patience)
	return g, errors.Join(g.end(), load.err)
}

// follow joins again each time that it has dropped its connection. It says once
// that it is there, or that it cannot be.
func (c churn) follow(ctx context.Context, f *follower, shared *access, there func()) error {
	defer there()
	token := f.p.Token
	for ctx.Err() == nil {
		err := f.join(token)
		if err == nil {
			there()
			err = f.readUntil(ctx, time.Now().Add(c.Least+rand.N(c.Most-c.Least)))
			f.drop()
		}
		if err != nil && c.renews && expired(err) {
			token, err = shared.after(ctx, token)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// expired is true of what a server answers to an access token whose time is over.
func expired(err error) bool {
	var closed *closedError
	if errors.As(err, &closed) {
		return closed.code == int(protocol.CloseTokenExpired)
	}
	var refused *upgradeError
	return errors.As(err, &refused) && refused.code == http.StatusUnauthorized
}

// told holds what dashboards were told against the log of a server that has
// ended.
func (t *test) told(g *gathering, l *ledger, folder string) (*churned, error) {
	found := &churned{dashboards: len(g.all), wrong: g.late}
	var err error
	if found.audit, err = l.compare(t.ctx, folder); err != nil {
		return nil, err
	}
	found.hold(g.all)
	return found, nil
}

// hold counts what dashboards were told, against the log; of one that began behind its
// start, against the rest.
func (c *churned) hold(all []*follower) {
	truths := map[int64]uint64{}
	c.events = int64(len(c.log))
	for i, f := range all {
		c.joined += f.joined
		c.missing += f.missing
		c.repeated += f.repeated
		c.disorder += f.disorder
		truth, known := truths[f.from]
		if !known {
			for _, id := range c.log[min(f.from, c.events):] {
				truth = chained(truth, id)
			}
			truths[f.from] = truth
		}
		if err := f.fault(truth); err != nil {
			c.wrong = firstOf(c.wrong, fmt.Errorf("dashboard %d: %w", i, err))
		}
	}
}
