package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"earshot/models"
)

// submissions measures acknowledged submissions a second, each on disk.
func (t *test) submissions() error {
	t.printf("Submissions over POST, each synced to disk before its acknowledgement\n")
	t.printf("%8s %12s %10s %10s %14s %10s\n", "writers", "acks/s", "p50 ms", "p99 ms", "server µs/ack", "counted")
	for _, writers := range t.options.Writers {
		if err := t.submissionsWith(writers); err != nil {
			return err
		}
	}
	t.printf("\n")
	return nil
}

func (t *test) submissionsWith(writers int) (err error) {
	p, err := t.start()
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := p.stop(); err == nil {
			err = stopErr
		}
	}()
	warm := newLoad(p, writers)
	warm.run(t.ctx, t.warmup(), 0)
	before, err := p.usage()
	if err != nil {
		return err
	}
	load := newLoad(p, writers)
	elapsed := load.run(t.ctx, t.duration(), 0)
	after, err := p.usage()
	if err != nil {
		return err
	}
	stored, err := p.stored(t.ctx)
	if err != nil {
		return err
	}
	acknowledged := warm.acknowledged.Load() + load.acknowledged.Load()
	counted := "all"
	if stored != acknowledged || load.failed.Load()+warm.failed.Load() > 0 {
		counted = fmt.Sprintf("%d of %d, %d failed", stored, acknowledged, load.failed.Load()+warm.failed.Load())
		err = fmt.Errorf("%d writers: %s", writers, counted)
	}
	n := load.acknowledged.Load()
	p50, p99 := load.percentiles()
	t.printf("%8d %12.0f %10.2f %10.2f %14.1f %10s\n", writers, float64(n)/elapsed.Seconds(), ms(p50), ms(p99),
		float64((after.cpu-before.cpu).Microseconds())/float64(max(n, 1)), counted)
	return err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// load is a number of writers, each with one request on its way at a time.
type load struct {
	p       *process
	writers int
	client  *fasthttp.Client

	acknowledged, failed atomic.Int64
	mu                   sync.Mutex
	latencies            []time.Duration
}

func newLoad(p *process, writers int) *load {
	return &load{p: p, writers: writers, client: &fasthttp.Client{
		MaxConnsPerHost: writers, NoDefaultUserAgentHeader: true, DisablePathNormalizing: true,
	}}
}

// run submits for d, at pace submissions a second all together, or unpaced.
func (l *load) run(ctx context.Context, d time.Duration, pace int) time.Duration {
	start := time.Now()
	end := start.Add(d)
	var wg sync.WaitGroup
	for w := range l.writers {
		wg.Go(func() { l.write(ctx, w, start, end, pace) })
	}
	wg.Wait()
	return time.Since(start)
}

func (l *load) write(ctx context.Context, writer int, start, end time.Time, pace int) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI("http://" + l.p.Addr + "/w/" + l.p.Key + "/feedback")
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	latencies := make([]time.Duration, 0, 1<<14)
	for i := 0; ctx.Err() == nil && time.Now().Before(end); i++ {
		if pace > 0 {
			// Writer w sends the submissions w, w+writers, … of an even stream.
			n := i*l.writers + writer
			time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(pace))))
		}
		request.SetBodyString(submission(models.NewID()))
		sent := time.Now()
		err := l.client.Do(request, response)
		if err != nil || response.StatusCode() != fasthttp.StatusCreated {
			l.failed.Add(1)
			continue
		}
		latencies = append(latencies, time.Since(sent))
		l.acknowledged.Add(1)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latencies = append(l.latencies, latencies...)
}

func (l *load) percentiles() (p50, p99 time.Duration) { return percentiles(l.latencies) }

func percentiles(d []time.Duration) (p50, p99 time.Duration) {
	if len(d) == 0 {
		return 0, 0
	}
	slices.Sort(d)
	return d[len(d)/2], d[len(d)*99/100]
}
