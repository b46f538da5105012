package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// nodesKilled ends one node of several with SIGKILL again and again, and starts it again,
// while writers submit by all of them with the ids that they began with, and dashboards
// come back to their place by another node.
type nodesKilled struct {
	Nodes      int           `default:"3" help:"Servers that share a PostgreSQL database and NATS."`
	Dashboards int           `default:"30" help:"How many."`
	Writers    int           `default:"24" help:"How many, half over sockets, half over POST."`
	Pause      time.Duration `default:"50ms" help:"Of each writer, after each submission."`
	Every      time.Duration `default:"20s" help:"The time between two kills."`
	Down       time.Duration `default:"2s" help:"The time from a kill to the start, at most; drawn at random."`
	Lasts      time.Duration `default:"10m" help:"How long, shorter than an access token lives."`
}

// Run is called by kong.
func (k nodesKilled) Run(t *test) (err error) {
	t.printf("One of %d nodes is killed every %v, for %v, under %d writers and %d dashboards\n", k.Nodes, k.Every, k.Lasts, k.Writers, k.Dashboards)
	c, err := t.startCluster(setting{nodes: k.Nodes})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	const leave = 0.02
	a := c.attend(watching{dashboards: k.Dashboards, writers: k.Writers, pause: k.Pause, leave: leave, roam: true})
	kills, err := k.killing(t, c)
	found, leaveErr := a.leave(dialTimeout)
	if err = errors.Join(err, leaveErr); err != nil {
		return err
	}
	t.printf("  %d kills; %s\n", kills, found)
	if err := found.holds(); err != nil {
		return err
	}
	if err := c.lose(a.w.ledger); err != nil {
		return err
	}
	return k.forgetting(t, c)
}

func (k nodesKilled) killing(t *test, c *cluster) (kills int, err error) {
	for end := time.Now().Add(k.Lasts); time.Now().Before(end); kills++ {
		if err := t.wait(k.Every); err != nil {
			return kills, err
		}
		n := c.nodes[kills%len(c.nodes)]
		if err := n.kill(); err != nil {
			return kills, err
		}
		if err := t.wait(rand.N(k.Down)); err != nil {
			return kills, err
		}
		if err := n.begin(t); err != nil {
			return kills, err
		}
	}
	for _, n := range c.nodes { // so that what is on its way can arrive
		if !n.began {
			continue
		}
		if err := n.awaitReady(); err != nil {
			return kills, err
		}
		n.began = false
	}
	return kills, nil
}

// begin starts a node that was killed, at its address, and does not wait for it.
func (n *node) begin(t *test) error {
	p, err := t.spawn(n.again)
	if err != nil {
		return err
	}
	p.ready = n.ready
	n.process, n.began = p, true
	return nil
}

// forgetting is a control: dashboards that do not say where they were miss what came
// while they were away.
func (k nodesKilled) forgetting(t *test, c *cluster) error {
	a := c.attend(watching{dashboards: k.Dashboards, writers: k.Writers, pause: k.Pause, roam: true, live: true, forgetful: true})
	k.Every = min(k.Every, 3*time.Second)
	k.Lasts = k.Every // one kill
	_, err := k.killing(t, c)
	a.w.end()
	if err = errors.Join(err, t.wait(time.Second), a.g.end()); err != nil {
		return err
	}
	var missing int64
	for _, f := range a.g.all {
		missing += f.missing
	}
	if missing > 0 {
		err = fmt.Errorf("%d events missing", missing)
	}
	return t.mustFail("dashboards that do not say where they were", err)
}
