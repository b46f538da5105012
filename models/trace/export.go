package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// queueLength bounds the spans that wait, batchLength those of one POST, and
	// batchInterval the time that they wait for company; OpenTelemetry's defaults.
	queueLength   = 2048
	batchLength   = 512
	batchInterval = 5 * time.Second
	// postTimeout bounds one POST, and postTries how often a batch is tried where the
	// endpoint has no time for it.
	postTimeout = 10 * time.Second
	postTries   = 3
	retryPause  = time.Second
)

// exporter hands spans over. It holds nobody up: where they are not taken as fast
// as they come, they are dropped.
type exporter struct {
	Options
	client *http.Client
	queue  chan *Span
	// leave says that there are no more spans; cancel ends what takes too long.
	leave  chan struct{}
	once   sync.Once
	ctx    context.Context //nolint:containedctx // of the exporter's own goroutine
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startExporter(options Options) *exporter {
	if options.Exported == nil {
		options.Exported = func(string, int) {}
	}
	if options.Failed == nil {
		options.Failed = func(error) {}
	}
	e := &exporter{
		Options: options, client: &http.Client{Timeout: postTimeout}, queue: make(chan *Span, queueLength), leave: make(chan struct{}),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.ended.Go(e.run)
	return e
}

func (e *exporter) close(ctx context.Context) {
	e.once.Do(func() { close(e.leave) })
	stop := context.AfterFunc(ctx, e.cancel)
	defer stop()
	e.ended.Wait()
	e.cancel()
	e.client.CloseIdleConnections()
}

func (e *exporter) add(s *Span) {
	select {
	case e.queue <- s:
	default:
		e.Exported("dropped", 1)
	}
}

func (e *exporter) run() {
	ticker := time.NewTicker(batchInterval)
	defer ticker.Stop()
	batch := make([]*Span, 0, batchLength)
	flush := func() {
		if len(batch) > 0 {
			e.export(batch)
			clear(batch)
			batch = batch[:0]
		}
	}
	for {
		select {
		case s := <-e.queue:
			if batch = append(batch, s); len(batch) == batchLength {
				flush()
			}
		case <-ticker.C:
			flush()
		case <-e.leave:
			for len(e.queue) > 0 {
				if batch = append(batch, <-e.queue); len(batch) == batchLength {
					flush()
				}
			}
			flush()
			return
		}
	}
}

// export posts a batch, again where the endpoint asks for that.
func (e *exporter) export(batch []*Span) {
	body := encode(e.Resource, batch)
	var err error
	for try := range postTries {
		var again bool
		if again, err = e.post(body); err == nil {
			e.Exported("exported", len(batch))
			return
		}
		if !again || try == postTries-1 || !e.pause(retryPause<<try) {
			break
		}
	}
	e.Exported("failed", len(batch))
	if e.ctx.Err() == nil {
		e.Failed(err)
	}
}

func (e *exporter) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.ctx.Done():
	case <-e.leave: // a server that leaves does not wait for who has no time
	}
	return false
}

// post makes one attempt; again is true where another may succeed
// (https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes).
func (e *exporter) post(body []byte) (again bool, err error) {
	request, err := http.NewRequestWithContext(e.ctx, http.MethodPost, e.Endpoint, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	for name, value := range e.Headers {
		request.Header.Set(name, value)
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return true, fmt.Errorf("post spans: %w", errors.Unwrap(err)) // without the address
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	_ = answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return again, fmt.Errorf("post spans: %s", answer.Status)
	}
	return false, nil
}
