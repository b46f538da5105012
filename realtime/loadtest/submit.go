package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
)

// submit measures submissions.
type submit struct{ options }

// Run measures acknowledged submissions a second, each on disk, with the
// control's beside them.
func (s submit) Run(t *test) error {
	for _, way := range []struct {
		name string
		dial func(*process) (transport, error)
	}{
		{"visitors' sockets", (*process).dialVisitor},
		{"POST", (*process).dialPost},
	} {
		t.printf("Submissions over %s, each synced to disk before its acknowledgement\n", way.name)
		t.printf("%8s %10s %9s %9s %15s %8s %18s %6s\n", "writers", "acks/s", "p50 ms", "p99 ms", "server µs/ack", "counted", "bare control/s", "ratio")
		for _, writers := range s.Writers {
			if err := s.submissionsWith(t, writers, way.dial); err != nil {
				return err
			}
		}
		t.printf("\n")
	}
	return nil
}

func (s submit) submissionsWith(t *test, writers int, dial func(*process) (transport, error)) error {
	control, err := s.rate(t, writers, dial, func() (*process, error) { return t.launch(launch{flags: []string{"--bare"}}) })
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	ours, err := s.rate(t, writers, dial, func() (*process, error) { return t.start(s.Profile) })
	if err != nil {
		return err
	}
	t.printf("%8d %10.0f %9.2f %9.2f %15.1f %8s %18.0f %6.2f\n", writers, ours.perSecond, ms(ours.p50), ms(ours.p99),
		ours.serverMicros, "all", control.perSecond, ours.perSecond/control.perSecond)
	return nil
}

// rate is what one server reached; all that it acknowledged was counted back.
type rate struct {
	perSecond, serverMicros float64
	p50, p99                time.Duration
}

func (s submit) rate(t *test, writers int, dial func(*process) (transport, error), start func() (*process, error)) (r rate, err error) {
	p, err := start()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	warm := newLoad(p, writers, dial)
	warm.run(t.ctx, s.warmup(), 0)
	before, err := p.usage()
	if err != nil {
		return r, err
	}
	load := newLoad(p, writers, dial)
	elapsed := load.run(t.ctx, s.duration(), 0)
	after, err := p.usage()
	if err != nil {
		return r, err
	}
	stored, err := p.stored(t.ctx)
	if err != nil {
		return r, err
	}
	acknowledged, failed := warm.acknowledged.Load()+load.acknowledged.Load(), warm.failed.Load()+load.failed.Load()
	if stored != acknowledged || failed > 0 {
		return r, fmt.Errorf("%d writers: %d of %d acknowledged are stored, %d failed: %w",
			writers, stored, acknowledged, failed, errors.Join(warm.err, load.err))
	}
	n := load.acknowledged.Load()
	r.perSecond = float64(n) / elapsed.Seconds()
	r.serverMicros = float64((after.cpu - before.cpu).Microseconds()) / float64(max(n, 1))
	r.p50, r.p99 = load.percentiles()
	return r, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// load is a number of writers, each with one submission on its way at a time.
type load struct {
	p       *process
	writers int
	dial    func(*process) (transport, error)
	// sending and acknowledging are told of each submission; may be nil.
	sending, acknowledging func(models.ID)
	enough                 int64 // ends it before its time; 0: there is no such number

	sent *sync.Map // when each id was sent, where somebody asks; else nil

	acknowledged, failed atomic.Int64
	mu                   sync.Mutex
	latencies            []time.Duration
	err                  error // the first failure
}

func newLoad(p *process, writers int, dial func(*process) (transport, error)) *load {
	return &load{p: p, writers: writers, dial: dial}
}

// run submits for d, at pace submissions a second all together, or unpaced.
func (l *load) run(ctx context.Context, d time.Duration, pace int) time.Duration {
	ways := make([]transport, l.writers)
	for w := range ways {
		way, err := l.dial(l.p)
		if err != nil {
			l.fail(fmt.Errorf("writer %d: %w", w, err))
			return d
		}
		defer func() { _ = way.close() }()
		ways[w] = way
	}
	start := time.Now()
	end := start.Add(d)
	var wg sync.WaitGroup
	for w := range l.writers {
		wg.Go(func() { l.write(ctx, ways[w], w, start, end, pace) })
	}
	wg.Wait()
	return time.Since(start)
}

func (l *load) write(ctx context.Context, way transport, writer int, start, end time.Time, pace int) {
	latencies := make([]time.Duration, 0, 1<<14)
	for i := 0; ctx.Err() == nil && time.Now().Before(end) && !l.hasEnough(); i++ {
		if pace > 0 {
			// Writer w sends the submissions w, w+writers, … of an even stream.
			n := i*l.writers + writer
			time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(pace))))
		}
		id := models.NewID()
		if l.sending != nil {
			l.sending(id)
		}
		sent := time.Now()
		if l.sent != nil {
			l.sent.Store(id, sent)
		}
		if err := way.submit(id); err != nil {
			l.fail(err)
			continue
		}
		latencies = append(latencies, time.Since(sent))
		l.acknowledged.Add(1)
		if l.acknowledging != nil {
			l.acknowledging(id)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latencies = append(l.latencies, latencies...)
}

func (l *load) hasEnough() bool { return l.enough > 0 && l.acknowledged.Load() >= l.enough }

func (l *load) fail(err error) {
	l.failed.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *load) percentiles() (p50, p99 time.Duration) { return percentiles(l.latencies) }

func percentiles(d []time.Duration) (p50, p99 time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	return d[len(d)/2], d[len(d)*99/100]
}
