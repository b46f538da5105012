package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"earshot/realtime/protocol"
)

// drain ends a server with SIGTERM while many sockets are open and some of them
// submit.
type drain struct {
	Sockets int           `default:"2000" help:"Visitors' sockets."`
	Writers int           `default:"64" help:"How many of them submit."`
	Within  time.Duration `default:"10s" help:"The time to leave in, at most."`
}

// drained is how a server left.
type drained struct {
	audit
	sockets int
	took    time.Duration
	exit    error

	untold int         // sockets that were not told GoingAway
	codes  map[int]int // how often they were closed with which code
}

// Run is called by kong.
func (d drain) Run(t *test) error {
	t.printf("SIGTERM with %d sockets, of which %d submit\n", d.Sockets, d.Writers)
	found, err := d.leave(t)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := found.holds(d.Within); err != nil {
		return err
	}
	d.Sockets, d.Writers = min(d.Sockets, 200), min(d.Writers, 20)
	if found, err = d.leave(t, "--bare"); err != nil {
		return err
	}
	return t.mustFail("a server that leaves sockets to themselves", found.holds(d.Within))
}

func (d drain) leave(t *test, flags ...string) (found *drained, err error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	p, err := t.launch(launch{data: folder, flags: flags})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	l := newLedger()
	guests, staying, err := d.invite(ctx, p, l)
	if err == nil {
		if _, ok := l.acknowledgedAfter(time.Now().Add(time.Second), dialTimeout); !ok {
			err = errors.New("nothing is acknowledged")
		}
	}
	if err != nil {
		cancel()
		staying.Wait()
		return nil, errors.Join(err, p.stop())
	}
	found = &drained{sockets: len(guests), codes: map[int]int{}}
	began := time.Now()
	found.exit = p.stop()
	found.took = time.Since(began)
	staying.Wait() // they end with the server
	found.count(guests)
	found.audit, err = l.compare(t.ctx, folder)
	return found, err
}

// invite opens the sockets and has them read until ctx or they end.
func (d drain) invite(ctx context.Context, p *process, l *ledger) (guests []*guest, staying *sync.WaitGroup, err error) {
	staying = &sync.WaitGroup{}
	for i := range d.Sockets {
		var own *ledger
		if i >= d.Sockets-d.Writers { // last: their load is not for the others' handshakes
			own = l
		}
		g, err := dialGuest(p, own)
		if err != nil {
			return guests, staying, fmt.Errorf("socket %d: %w", i, err)
		}
		guests = append(guests, g)
		staying.Go(func() { g.stay(ctx) })
	}
	return guests, staying, nil
}

func (d *drained) count(guests []*guest) {
	for _, g := range guests {
		if !g.goingAway {
			d.untold++
		}
		d.codes[g.code]++
	}
}

// String is what happened, in two lines.
func (d *drained) String() string {
	return fmt.Sprintf("gone after %.0f ms (%v); sockets not told: %d, by close code: %v\n  %s", ms(d.took), exitOf(d.exit), d.untold, d.codes, d.audit)
}

func exitOf(err error) string {
	if err != nil {
		return err.Error()
	}
	return "exit status 0"
}

// goingAway is the close code of a server that leaves.
const goingAway = int(protocol.CloseGoingAway)

func (d *drained) holds(within time.Duration) error {
	if err := d.audit.holds(); err != nil {
		return err
	}
	switch {
	case d.exit != nil:
		return fmt.Errorf("the server did not end well: %w", d.exit)
	case d.took > within:
		return fmt.Errorf("leaving took %v, %v are allowed", d.took, within)
	case d.untold > 0:
		return fmt.Errorf("%d of %d sockets were not told that the server goes", d.untold, d.sockets)
	case d.codes[goingAway] != d.sockets:
		return fmt.Errorf("close codes of %d sockets: %v, want %d for all", d.sockets, d.codes, goingAway)
	}
	return nil
}
