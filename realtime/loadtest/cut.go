package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// cut takes away from one node of several the way to PostgreSQL, and then the way to
// NATS: first as a cable that is pulled, then as a port where nobody listens.
type cut struct {
	Nodes   int           `default:"3" help:"Servers that share a PostgreSQL database and NATS; the first is cut off."`
	Writers int           `default:"20" help:"At the first node, and as many at the others."`
	Lasts   time.Duration `default:"15s" help:"How long each time."`
	Notice  time.Duration `default:"5s" help:"The time in which the node says that it is not ready, at most."`
	Answer  time.Duration `default:"17s" help:"The longest that an answer may take."`
	Back    time.Duration `default:"5s" help:"From the way's return to the node's readiness and its next acknowledgement, at most."`
}

// readiness asks a node whether requests should be sent to it.
func (n *node) readiness(ctx context.Context) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, figuresTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Addr+"/readyz", nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// partition is what a node and the others did while it was cut off.
type partition struct {
	here, others *stood
	noticed      time.Duration // until the node said that it is not ready
	ready        time.Duration // until it was, from the way's return
	meanwhile    int           // acknowledged by the others
}

// Run is called by kong.
func (k cut) Run(t *test) (err error) {
	t.printf("One of %d nodes is cut off for %v each time\n", k.Nodes, k.Lasts)
	c, err := t.startCluster(setting{nodes: k.Nodes, relayed: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	for _, state := range []relayState{holding, refusing} {
		found, err := k.fromPostgres(t, c, state)
		if err != nil {
			return err
		}
		t.printf("  from PostgreSQL, %s\n", found)
		if err := k.holds(found); err != nil {
			return err
		}
	}
	found, err := k.fromPostgres(t, c, passing)
	if err != nil {
		return err
	}
	if err := t.mustFail("a node that is not cut off", k.holds(found)); err != nil {
		return err
	}
	for _, state := range []relayState{holding, refusing} {
		if err := k.fromNATS(t, c, state); err != nil {
			return err
		}
	}
	return nil
}

func (k cut) fromPostgres(t *test, c *cluster, state relayState) (found *partition, err error) {
	found = &partition{here: &stood{}, others: &stood{}, noticed: -1, ready: -1}
	here := &writers{ledger: newLedger(), nodes: c.processes()[:1], refused: found.here.refuse, answered: found.here.answer}
	others := &writers{ledger: newLedger(), nodes: c.processes()[1:], pause: pauseAtMost, refused: found.others.refuse, answered: found.others.answer}
	here.start(t.ctx, k.Writers)
	others.start(t.ctx, k.Writers)
	err = k.happens(t, c.nodes[0], state, here, others, found)
	here.end()
	others.end()
	if err != nil {
		return nil, err
	}
	both := newLedger()
	for _, l := range []*ledger{here.ledger, others.ledger} {
		for id, acknowledged := range l.sent {
			both.sent[id] = acknowledged
		}
	}
	found.here.audit, err = c.audit(t.ctx, both)
	found.here.neverSent = 0 // by others, at another time
	return found, err
}

func (k cut) happens(t *test, n *node, state relayState, here, others *writers, found *partition) error {
	if _, ok := here.ledger.acknowledgedAfter(time.Now(), dialTimeout); !ok {
		return errors.New("nothing was acknowledged before the cut")
	}
	began := time.Now()
	if err := errors.Join(n.database.set(state), t.wait(onItsWay)); err != nil {
		return err
	}
	mine, theirs := here.ledger.acknowledged(), others.ledger.acknowledged()
	for time.Since(began) < k.Lasts {
		status, body, err := n.readiness(t.ctx)
		if err != nil {
			return err
		}
		if status == http.StatusServiceUnavailable && strings.Contains(body, `"database"`) && found.noticed < 0 {
			found.noticed = time.Since(began)
		}
		if err := t.wait(50 * time.Millisecond); err != nil {
			return err
		}
	}
	found.here.inIt, found.meanwhile = here.ledger.acknowledged()-mine, others.ledger.acknowledged()-theirs
	if err := n.database.set(passing); err != nil {
		return err
	}
	back := time.Now()
	var acknowledging sync.WaitGroup
	acknowledging.Go(func() { found.here.awaitBack(here.ledger, k.Back) })
	defer acknowledging.Wait()
	for time.Since(back) < 2*k.Back { // longer than is allowed, to say how late it is
		status, _, err := n.readiness(t.ctx)
		if err != nil {
			return err
		}
		if status == http.StatusOK {
			found.ready = time.Since(back)
			break
		}
		if err := t.wait(50 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// String is what happened, in two lines.
func (a *partition) String() string {
	var again time.Duration
	if len(a.here.backs) > 0 {
		again = a.here.backs[0]
	}
	return fmt.Sprintf("not ready after %.1f s; acknowledged %d, refused %d, longest answer %.1f s; others acknowledged %d, refused %d; ready %.1f s after, acknowledged %.1f s after\n    %s",
		a.noticed.Seconds(), a.here.inIt, a.here.refused, a.here.longest.Seconds(), a.meanwhile, a.others.refused, a.ready.Seconds(), again.Seconds(), a.here.audit)
}

func (k cut) holds(a *partition) error {
	if err := a.here.audit.holds(); err != nil {
		return err
	}
	switch {
	case a.here.wrong != nil:
		return fmt.Errorf("a submission failed otherwise: %w", a.here.wrong)
	case a.others.wrong != nil:
		return fmt.Errorf("a submission to others failed otherwise: %w", a.others.wrong)
	case a.others.refused > 0:
		return fmt.Errorf("%d were refused by others", a.others.refused)
	case a.here.inIt > 0:
		return fmt.Errorf("%d were acknowledged by a node that is cut off", a.here.inIt)
	case a.meanwhile == 0:
		return errors.New("the others acknowledged nothing meanwhile")
	case a.noticed < 0 || a.noticed > k.Notice:
		return fmt.Errorf("the node said after %v that it is not ready, %v are allowed", a.noticed, k.Notice)
	case a.here.longest > k.Answer:
		return fmt.Errorf("an answer took %v, %v are allowed", a.here.longest, k.Answer)
	case a.ready < 0 || a.ready > k.Back:
		return fmt.Errorf("the node said after %v that it is ready again, %v are allowed", a.ready, k.Back)
	case a.here.late > 0:
		return fmt.Errorf("nothing was acknowledged within %v of the way's return", k.Back)
	}
	return nil
}

// fromNATS shows that a node without NATS goes on, ready, and tells and is told later.
func (k cut) fromNATS(t *test, c *cluster, state relayState) error {
	how := natsAway{Within: 2500 * time.Millisecond, After: 250 * time.Millisecond}
	a := c.attend(watching{dashboards: 3 * k.Nodes, writers: 2 * k.Nodes, pause: 5 * pauseAtMost, oneNode: true, live: true, timed: true})
	found := &untold{}
	began := time.Now()
	err := c.nodes[0].nats.set(state)
	if err == nil {
		found.unready, err = c.stayReady(t, k.Lasts)
	}
	ended := time.Now()
	err = errors.Join(err, c.nodes[0].nats.set(passing), t.wait(reunited+k.Lasts))
	again := ended.Add(reunited + k.Lasts/2)
	told, leaveErr := a.leave(dialTimeout)
	if err = errors.Join(err, leaveErr); err != nil {
		return err
	}
	told.neverSent = 0 // by others, at another time
	found.churned, found.in, found.after = told, a.between(began, ended), a.between(again, time.Now())
	t.printf("  from NATS, %s: meanwhile %s; after %s\n", state, found.in, found.after)
	return found.holds(how)
}
