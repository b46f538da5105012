package main

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
)

// deliveryWriters keep the server busy while deliveries are counted.
const deliveryWriters = 16

// deliver measures deliveries.
type deliver struct{ options }

// Run measures how many events a second reach dashboards that all follow one
// project, and checks each dashboard's sequence.
func (d deliver) Run(t *test) error {
	t.printf("Deliveries while %d writers submit; every dashboard must see every seq once and in order\n", deliveryWriters)
	t.printf("%10s %14s %12s %16s %10s %10s %9s %9s\n", "dashboards", "deliveries/s", "events/s", "server µs/deliv.", "RSS MiB", "missing", "p50 ms", "p99 ms")
	for _, n := range d.Dashboards {
		if err := d.deliveriesTo(t, n); err != nil {
			return err
		}
	}
	t.printf("\n")
	return nil
}

func (d deliver) deliveriesTo(t *test, n int) (err error) {
	p, err := t.start(d.Profile)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := p.stop(); err == nil {
			err = stopErr
		}
	}()
	audience, err := p.subscribe(n)
	if err != nil {
		return err
	}
	defer audience.close()
	load := newLoad(p, deliveryWriters, (*process).dialPost)
	if d.Pace > 0 { // unpaced, the time of a delivery is that of the queues
		load.sent = &sync.Map{}
		audience.sent.Store(load.sent)
	}
	before, err := p.usage()
	if err != nil {
		return err
	}
	start := time.Now()
	load.run(t.ctx, d.duration(), d.Pace)
	events := load.acknowledged.Load()
	missing := audience.waitFor(events)
	elapsed := time.Since(start)
	after, err := p.usage()
	if err != nil {
		return err
	}
	delivered := audience.delivered.Load()
	p50, p99 := audience.took()
	t.printf("%10d %14.0f %12.0f %16.2f %10.1f %10d %9s %9s\n", n, float64(delivered)/elapsed.Seconds(), float64(events)/elapsed.Seconds(),
		float64((after.cpu-before.cpu).Microseconds())/float64(max(delivered, 1)), float64(after.rss)/(1<<20), missing, p50, p99)
	if err := audience.holds(load, missing); err != nil {
		return fmt.Errorf("%d dashboards: %w", n, err)
	}
	return nil
}

// holds is nil where everything that was submitted was delivered, and something was.
func (a *audience) holds(l *load, missing int64) error {
	switch {
	case l.err != nil:
		return fmt.Errorf("%d submissions failed: %w", l.failed.Load(), l.err)
	case l.acknowledged.Load() == 0:
		return errors.New("nothing was submitted")
	case missing > 0 || a.disorder.Load() > 0:
		return fmt.Errorf("%d deliveries missing, %d out of order", missing, a.disorder.Load())
	}
	return nil
}

// audience is a number of dashboards that count what they are told.
type audience struct {
	sockets   []*wsClient
	last      []atomic.Int64
	delivered atomic.Int64
	disorder  atomic.Int64
	readers   sync.WaitGroup

	sent      atomic.Pointer[sync.Map] // when each item was sent, where times are asked for
	mu        sync.Mutex
	latencies []time.Duration
}

// dashboardBuffer lets a client take many events with one system call.
const dashboardBuffer = 32 << 10

func (p *process) subscribe(n int) (*audience, error) {
	a := &audience{last: make([]atomic.Int64, n)}
	for i := range n {
		socket, err := dialSocket(p.Addr, "/api/v1/socket", p.Token, dashboardBuffer)
		if err != nil {
			a.close()
			return nil, fmt.Errorf("dashboard %d: %w", i, err)
		}
		a.sockets = append(a.sockets, socket)
		subscribe := fmt.Sprintf(`{"type":"Subscribe","id":"%s","data":{"project_id":"%s"}}`, models.NewID(), p.Project)
		if err := errors.Join(socket.send(subscribe), awaitType(socket, "Subscribed")); err != nil {
			a.close()
			return nil, fmt.Errorf("dashboard %d: %w", i, err)
		}
		a.readers.Go(func() { a.read(socket, &a.last[i]) })
	}
	return a, nil
}

func awaitType(socket *wsClient, kind string) error {
	prefix := `{"type":"` + kind + `"`
	for {
		event, err := socket.next()
		if err != nil {
			return err
		}
		if len(event) >= len(prefix) && string(event[:len(prefix)]) == prefix {
			return nil
		}
	}
}

func (a *audience) read(socket *wsClient, head *atomic.Int64) {
	var last int64
	for {
		event, err := socket.next()
		if err != nil {
			return
		}
		seq := seqOf(event)
		if seq == 0 {
			continue
		}
		if seq != last+1 {
			a.disorder.Add(1)
		}
		last = seq
		head.Store(seq)
		a.delivered.Add(1)
		if sent := a.sent.Load(); sent != nil {
			a.note(sent, event, time.Now())
		}
	}
}

var itemID = []byte(`"data":{"id":"`)

// note keeps how long an item took from its visitor to this dashboard.
func (a *audience) note(sent *sync.Map, event []byte, at time.Time) {
	_, rest, _ := bytes.Cut(event, itemID)
	id, _, _ := bytes.Cut(rest, []byte{'"'})
	began, ok := sent.Load(models.ID(id))
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latencies = append(a.latencies, at.Sub(began.(time.Time))) //nolint:forcetypeassert // load stores nothing else
}

// took is what deliveries took; "-" where times were not asked for.
func (a *audience) took() (p50, p99 string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.latencies) == 0 {
		return "-", "-"
	}
	median, slowest := percentiles(a.latencies)
	return fmt.Sprintf("%.2f", ms(median)), fmt.Sprintf("%.2f", ms(slowest))
}

// waitFor waits until all have seen the log's head, and gives the number of
// deliveries that have not come by then.
func (a *audience) waitFor(head int64) (missing int64) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		missing = 0
		for i := range a.last {
			missing += max(0, head-a.last[i].Load()) // one that is ahead makes up for nobody
		}
		if missing == 0 || time.Now().After(deadline) {
			return missing
		}
	}
}

func (a *audience) close() {
	for _, socket := range a.sockets {
		_ = socket.conn.Close()
	}
	a.readers.Wait()
}
