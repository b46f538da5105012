package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// natsAway takes NATS away from nodes for a while. They hear of each other by their looks
// at the log, later, and of everything.
type natsAway struct {
	Nodes      int           `default:"3" help:"Servers that share a PostgreSQL database and NATS."`
	Dashboards int           `default:"15" help:"How many."`
	Writers    int           `default:"6" help:"How many, half over sockets, half over POST."`
	Pause      time.Duration `default:"100ms" help:"Of each writer, after each submission."`
	Around     time.Duration `default:"5s" help:"How long times are taken before it, and after it."`
	Lasts      time.Duration `default:"60s" help:"How long it is away."`
	Within     time.Duration `default:"2500ms" help:"The longest delivery meanwhile: the time between two looks (1.5s) and a second."`
	After      time.Duration `default:"250ms" help:"The median of deliveries once it is back, at most."`
}

// reunited is the time in which nodes find NATS again.
const reunited = 3 * time.Second

// untold is what became of deliveries while NATS was away.
type untold struct {
	*churned
	before, in, after delays
	unready           error // the first node that said that it takes no requests
}

// Run is called by kong.
func (n natsAway) Run(t *test) error {
	t.printf("NATS is away for %v, under %d nodes, %d writers and %d dashboards\n", n.Lasts, n.Nodes, n.Writers, n.Dashboards)
	found, err := n.happens(t, false)
	if err != nil {
		return err
	}
	t.printf("  before: %s\n  away:   %s\n  after:  %s\n  %s\n", found.before, found.in, found.after, found.churned)
	if err := found.holds(n); err != nil {
		return err
	}
	n.Lasts, n.Around = min(n.Lasts, time.Second), min(n.Around, time.Second)
	if found, err = n.happens(t, true); err != nil {
		return err
	}
	return t.mustFail("nodes that do not look at the log", found.holds(n))
}

func (n natsAway) happens(t *test, alone bool) (found *untold, err error) {
	c, err := t.startCluster(setting{nodes: n.Nodes, alone: alone})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	a := c.attend(watching{dashboards: n.Dashboards, writers: n.Writers, pause: n.Pause, oneNode: true, timed: true})
	found = &untold{}
	var at [4]time.Time // its parts begin
	at[0] = time.Now()
	err = t.wait(n.Around)
	if at[1] = time.Now(); err == nil {
		c.nats.Stop()
		found.unready, err = c.stayReady(t, n.Lasts)
	}
	if at[2] = time.Now(); err == nil {
		err = errors.Join(c.nats.Run(), t.wait(reunited))
	}
	if at[3] = time.Now(); err == nil {
		err = t.wait(n.Around)
	}
	patience := dialTimeout
	if alone {
		patience = 2 * n.Within
	}
	told, leaveErr := a.leave(patience)
	found.churned = told
	found.before, found.in, found.after = a.between(at[0], at[1]), a.between(at[1], at[2]), a.between(at[3], time.Now())
	return found, errors.Join(err, leaveErr)
}

func (u *untold) holds(n natsAway) error {
	if u.wrong != nil {
		return u.wrong
	}
	if err := u.audit.holds(); err != nil {
		return err
	}
	switch {
	case u.in.n == 0 || u.after.n == 0:
		return errors.New("nothing was delivered")
	case u.in.longest > n.Within:
		return fmt.Errorf("a delivery took %v without NATS, %v are allowed", u.in.longest, n.Within)
	case u.after.p50 > n.After:
		return fmt.Errorf("deliveries take %v after NATS is back, %v are allowed", u.after.p50, n.After)
	}
	return u.unready
}

// stayReady asks all nodes again and again, for so long, whether requests should be sent
// to them; unready is the first answer that says otherwise.
func (c *cluster) stayReady(t *test, lasts time.Duration) (unready, err error) {
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		unready = firstOf(unready, c.allReady(t.ctx))
		if err := t.wait(100 * time.Millisecond); err != nil {
			return unready, err
		}
	}
	return unready, nil
}

// allReady is nil where all nodes say that requests should be sent to them.
func (c *cluster) allReady(ctx context.Context) error {
	for i, n := range c.nodes {
		status, body, err := n.readiness(ctx)
		if err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
		if status != http.StatusOK {
			return fmt.Errorf("node %d is not ready: %s", i, body)
		}
	}
	return nil
}
