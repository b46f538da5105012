package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// restart ends a server and starts it again while many clients are connected,
// which all come back.
type restart struct {
	Clients int           `default:"2000" help:"Visitors' sockets."`
	Writers int           `default:"8" help:"Writers over POST, once the server is back."`
	Pace    int           `default:"400" help:"Their submissions a second, together."`
	Back    time.Duration `default:"8500ms" help:"The time from the server's return to that of 95 of 100 clients, at most: the longest that a client waits with its first try (3.5s) and 5s more."`
	Crowd   float64       `default:"0.2" help:"The largest share of the clients that may try within 100ms."`
}

// returned is how the clients came back.
type returned struct {
	clients, back     int           // back: within the time
	p95, all          time.Duration // from the server's return
	crowd             float64
	p50, p99          time.Duration // of submissions meanwhile
	submitted, failed int64
	failure           error // the first
}

// crowdSpan is short beside the time in which clients may come.
const crowdSpan = 100 * time.Millisecond

// Run is called by kong.
func (r restart) Run(t *test) error {
	t.printf("A server of %d clients is started again; %d submissions a second from then on\n", r.Clients, r.Pace)
	found, err := r.happens(t, false)
	if err != nil {
		return err
	}
	t.printf("  with jitter:    %s\n", found)
	if err := r.holds(found); err != nil {
		return err
	}
	if found, err = r.happens(t, true); err != nil {
		return err
	}
	t.printf("  without jitter: %s\n", found)
	return t.mustFail("clients that try again every half second", r.holds(found))
}

func (r restart) holds(found *returned) error {
	switch {
	case found.back*100 < 95*found.clients:
		return fmt.Errorf("only %d of %d clients were back after %v", found.back, found.clients, r.Back)
	case found.failed > 0:
		return fmt.Errorf("%d submissions failed: %w", found.failed, found.failure)
	case found.submitted == 0:
		return errors.New("nothing was submitted meanwhile")
	case found.crowd > r.Crowd:
		return fmt.Errorf("%.0f %% of the clients tried within %v, %.0f %% are allowed", 100*found.crowd, crowdSpan, 100*r.Crowd)
	}
	return nil
}

// String is the return in one line.
func (r *returned) String() string {
	return fmt.Sprintf("95 %% back after %.0f ms, %d of %d after %.0f ms; at most %.0f %% tried within %v; submissions p50 %.1f ms, p99 %.1f ms",
		ms(r.p95), r.back, r.clients, ms(r.all), 100*r.crowd, crowdSpan, ms(r.p50), ms(r.p99))
}

func (r restart) happens(t *test, crowding bool) (found *returned, err error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	again := launch{data: folder}
	if again.listen, err = lowPort(); err != nil {
		return nil, err
	}
	p, err := t.launch(again)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(t.ctx)
	connected := make(chan time.Time)
	clients := make([]*regular, r.Clients)
	var coming sync.WaitGroup
	for i := range clients {
		clients[i] = &regular{p: p, crowding: crowding}
		coming.Go(func() { clients[i].come(ctx, connected) })
	}
	found, from, err := r.measure(t, p, again, connected)
	cancel()
	coming.Wait()
	if err == nil {
		found.crowd = crowd(clients, from, crowdSpan)
	}
	return found, err
}

// measure starts the server again once all are there; from is when it was back.
func (r restart) measure(t *test, p *process, again launch, connected <-chan time.Time) (found *returned, from time.Time, err error) {
	if there := collect(connected, p.started, r.Clients, dialTimeout); len(there) < r.Clients {
		return nil, from, errors.Join(fmt.Errorf("only %d of %d clients came", len(there), r.Clients), p.stop())
	}
	if err := p.stop(); err != nil {
		return nil, from, err
	}
	if p, err = t.spawn(again); err != nil {
		return nil, from, err
	}
	if err := p.awaitReady(); err != nil {
		return nil, from, errors.Join(err, p.stop())
	}
	from = time.Now()
	load := newLoad(p, r.Writers, (*process).dialPost)
	ctx, cancel := context.WithCancel(t.ctx)
	var loading sync.WaitGroup
	loading.Go(func() { load.run(ctx, r.Back, r.Pace) })
	back := collect(connected, p.started, r.Clients, r.Back)
	cancel()
	loading.Wait()
	found = &returned{clients: r.Clients, back: len(back), submitted: load.acknowledged.Load(), failed: load.failed.Load(), failure: load.err}
	found.p50, found.p99 = load.percentiles()
	slices.SortFunc(back, time.Time.Compare)
	if n := r.Clients * 95 / 100; len(back) > n {
		found.p95, found.all = back[n].Sub(from), back[len(back)-1].Sub(from)
	}
	return found, from, p.stop()
}

// collect gives the times after from, up to n of them and for no longer than it
// may take.
func collect(times <-chan time.Time, from time.Time, n int, atMost time.Duration) (all []time.Time) {
	end := time.After(atMost)
	for len(all) < n {
		select {
		case at := <-times:
			if at.After(from) {
				all = append(all, at)
			}
		case <-end:
			return all
		}
	}
	return all
}
