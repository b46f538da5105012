// Package metrics has everything that a server counts about itself, under the names
// that Prometheus reads. They stand in one place, so that dashboards and alerts can
// be held against them. Nothing is counted by tenant, address or path: the number of
// series is bounded by the program, not by who uses it.
package metrics

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

const namespace = "earshot"

// ContentType is that of Write: Prometheus's text format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Metrics counts for one server. Its counters are atomics: whoever counts waits for
// nobody.
type Metrics struct {
	registry *prometheus.Registry
	reading  sync.Mutex

	HTTP    HTTP
	Sockets Sockets
	Hub     Hub
	Writer  Writer

	submissions, logins, refusals, jobs, mails, spans *prometheus.CounterVec
}

// Unread makes metrics for who is given none: they are counted and nobody reads them.
func Unread() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.HTTP = newHTTP(m.registry)
	m.Sockets = newSockets(m.registry)
	m.Hub = newHub(m.registry)
	m.Writer = newWriter(m.registry)
	m.submissions = counters(m.registry, "submissions_total", "Submissions that are on disk.", "outcome")
	m.logins = counters(m.registry, "logins_total", "Attempts to sign in with a password.", "outcome")
	m.refusals = counters(m.registry, "refusals_total", "Requests and events that were refused, by the wire's code.", "way", "code")
	m.jobs = counters(m.registry, "jobs_finished_total", "Exports and imports that have ended.", "kind", "status")
	m.mails = counters(m.registry, "mails_total", "Attempts to hand a mail to the mail server.", "outcome")
	m.spans = counters(m.registry, "spans_total", "Spans of traces, by what became of them.", "outcome")
	return m
}

// New makes a server's metrics, all zero.
func New(version, commit string) *Metrics {
	m := Unread()
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say which build runs.",
	}, []string{"version", "commit", "go"})
	info.WithLabelValues(version, commit, runtime.Version()).Set(1)
	m.registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Submitted counts a submission that is on disk: "accepted", "quarantined" or
// "repeated".
func (m *Metrics) Submitted(outcome string) { m.submissions.WithLabelValues(outcome).Inc() }

// Login counts an attempt to sign in: "succeeded", "wrong", "throttled" or "failed".
func (m *Metrics) Login(outcome string) { m.logins.WithLabelValues(outcome).Inc() }

// Refused counts a refusal by its code; way is "http", "visitor" or "dashboard".
func (m *Metrics) Refused(way, code string) { m.refusals.WithLabelValues(way, code).Inc() }

// JobFinished counts a job that has ended.
func (m *Metrics) JobFinished(kind, status string) { m.jobs.WithLabelValues(kind, status).Inc() }

// Mailed counts what became of an attempt: "delivered", "put_off", "rejected" or
// "unreachable".
func (m *Metrics) Mailed(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// Traced counts spans: "exported", "dropped" for want of room, or "failed".
func (m *Metrics) Traced(outcome string, spans int) {
	m.spans.WithLabelValues(outcome).Add(float64(spans))
}

// Gauge has read asked for a value whenever the metrics are read. It may be asked
// for by several goroutines, and must not block for long. values of labels tell
// gauges of one name apart; they are given in the order of names.
func (m *Metrics) Gauge(name, help string, read func() float64, labels ...Label) {
	constant := prometheus.Labels{}
	for _, label := range labels {
		constant[label.Name] = label.Value
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: name, Help: help, ConstLabels: constant,
	}, read))
}

// Label is a gauge's.
type Label struct{ Name, Value string }

// Names lists all metrics by the names under which they are registered, each with its
// labels; the caller owns the map.
func (m *Metrics) Names() map[string][]string {
	described := make(chan *prometheus.Desc)
	go func() {
		defer close(described)
		m.registry.Describe(described)
	}()
	names := map[string][]string{}
	for desc := range described {
		// A Desc tells its parts in this text alone.
		text := desc.String()
		name := between(text, `fqName: "`, `"`)
		for _, labels := range []string{between(text, "constLabels: {", "}"), between(text, "variableLabels: {", "}")} {
			for label := range strings.SplitSeq(labels, ",") {
				label, _, _ = strings.Cut(label, "=")
				if label = strings.TrimSpace(label); label != "" && !slices.Contains(names[name], label) {
					names[name] = append(names[name], label)
				}
			}
		}
		if names[name] == nil {
			names[name] = []string{}
		}
	}
	return names
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// Write writes all metrics in Prometheus's text format, for one reader after the
// other: a scrape that comes too often must not cost more for that.
func (m *Metrics) Write(w io.Writer) error {
	m.reading.Lock()
	defer m.reading.Unlock()
	families, err := m.registry.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return nil
}

// HTTP is rate, errors and duration of requests, by the route's pattern: a path may
// hold a receipt, and there are too many of them.
type HTTP struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	InFlight prometheus.Gauge
}

func newHTTP(r prometheus.Registerer) HTTP {
	h := HTTP{
		requests: counters(r, "http_requests_total", "Requests that were answered, by the route's pattern.", "method", "route", "status"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds",
			Help:    "Time from a request to its answer. Long polls wait up to 25 seconds; a socket's is that of its upgrade.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30},
		}, []string{"method", "route"}),
		InFlight: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "http_requests_in_flight", Help: "Requests that are being answered."}),
	}
	r.MustRegister(h.duration, h.InFlight)
	return h
}

// Answered counts a request. route is a pattern of the route table, "none" where it
// has none for the request.
func (h HTTP) Answered(method, route string, status int, seconds float64) {
	h.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	h.duration.WithLabelValues(method, route).Observe(seconds)
}

// Unread counts a request that the server could not read, so that it has no route.
func (h HTTP) Unread(status int) {
	h.requests.WithLabelValues("unknown", NoRoute, strconv.Itoa(status)).Inc()
}

// NoRoute is the route of requests for which there is none.
const NoRoute = "none"

// Sockets is what happens to sockets.
type Sockets struct {
	opened, closed *prometheus.CounterVec
	// Dropped counts ephemeral events that a reader had no room for.
	Dropped prometheus.Counter
	// Replays observes how many events a place in a log was behind when it had caught
	// up.
	Replays prometheus.Histogram
}

func newSockets(r prometheus.Registerer) Sockets {
	s := Sockets{
		opened:  counters(r, "sockets_opened_total", "Sockets that were opened.", "kind"),
		closed:  counters(r, "sockets_closed_total", "Sockets that were closed, by the close code that we sent: none where the connection was lost, other where the client closed with one that is not ours.", "code"),
		Dropped: counter(r, "ephemeral_events_dropped_total", "Drafts, presence and progress that a slow reader had no room for."),
		Replays: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "replay_events", Help: "Events that a socket was sent from the log until it had caught up.",
			Buckets: []float64{0, 1, 4, 16, 64, 256, 1024, 4096, 16384},
		}),
	}
	r.MustRegister(s.Replays)
	return s
}

// Opened counts a socket; kind is "visitor" or "dashboard".
func (s Sockets) Opened(kind string) { s.opened.WithLabelValues(kind).Inc() }

// Closed counts the close code that was sent to a client, "none" where the connection
// was lost.
func (s Sockets) Closed(code string) { s.closed.WithLabelValues(code).Inc() }

// Hub is what is fanned out.
type Hub struct {
	// Published counts log entries that reached the hub, Delivered those that it
	// handed to subscriptions, Lost those that it had no room for: they are read
	// from the log instead.
	Published, Delivered, Lost prometheus.Counter
}

func newHub(r prometheus.Registerer) Hub {
	return Hub{
		Published: counter(r, "events_published_total", "Committed events that were handed to the hub."),
		Delivered: counter(r, "events_delivered_total", "Events that the hub handed to dashboards' subscriptions."),
		Lost:      counter(r, "hub_events_lost_total", "Committed events that the hub had no room for; subscribers read them from the log."),
	}
}

// Writer is the store's one writer.
type Writer struct {
	// Batch observes how many writes shared a transaction, Seconds what it took with
	// its sync.
	Batch, Seconds prometheus.Histogram
	// Failed counts transactions that failed as a whole, Refused writes that found the
	// queue full.
	Failed, Refused prometheus.Counter
}

func newWriter(r prometheus.Registerer) Writer {
	w := Writer{
		Batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "commit_writes", Help: "Writes that shared one transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		Seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "commit_duration_seconds", Help: "Time of one transaction, its sync to disk included.",
			Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}),
		Failed:  counter(r, "commits_failed_total", "Transactions that failed as a whole."),
		Refused: counter(r, "writes_refused_total", "Writes that were refused because too many waited."),
	}
	r.MustRegister(w.Batch, w.Seconds)
	return w
}

func counter(r prometheus.Registerer, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	r.MustRegister(c)
	return c
}

func counters(r prometheus.Registerer, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	r.MustRegister(c)
	return c
}
