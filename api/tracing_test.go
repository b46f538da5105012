package api_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models/trace"
)

// collector is a small OTLP receiver.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	raw   []byte
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData // the same fields as an ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &data)
		}
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw = append(c.raw, body...)
		for _, resource := range data.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) option(config *api.Config) {
	config.Tracing = &trace.Options{Endpoint: c.URL + "/v1/traces", Resource: map[string]string{"service.name": "earshot"}, Ratio: 1}
}

func (c *collector) all() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spans
}

// chain is the names of a span and those that it is a part of, from the first.
func (c *collector) chain(span *tracepb.Span) []string {
	for _, parent := range c.spans {
		if string(parent.GetSpanId()) == string(span.GetParentSpanId()) && string(parent.GetTraceId()) == string(span.GetTraceId()) {
			return append(c.chain(parent), span.GetName())
		}
	}
	return []string{span.GetName()}
}

// A submission is followed from its request to the sockets of the dashboards, in the
// trace that the request says it comes from; nothing private goes along.
func TestASubmissionIsTraced(t *testing.T) {
	t.Parallel()
	c := startCollector(t)
	const traced, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	var key, receipt string
	t.Run("serve", func(t *testing.T) {
		s := apitest.Start(t, c.option)
		owner, project := s.Project(t)
		key = project.Key
		dashboards := 0
		for range 10 { // eight of them are followed
			socket := dashboardSocket(t, s, owner)
			if err := socket.WriteJSON(map[string]any{"type": "Subscribe", "data": map[string]any{"project_id": project.ID}}); err != nil {
				t.Fatal(err)
			}
			await(t, socket, "Subscribed")
			defer func() { await(t, socket, "FeedbackReceived") }()
			dashboards++
		}
		r := s.Client(t).Do(post, "/w/"+project.Key+"/feedback", submission("Nobody else's business"), "Traceparent", "00-"+traced+"-"+parent+"-01").Want(201)
		var body api.Receipt
		r.JSON(&body)
		receipt = body.ReceiptURL
		s.Client(t).Do(post, "/w/"+project.Key+"/feedback", submission("Not kept"), "Traceparent", "00-"+strings.Repeat("1", 32)+"-"+parent+"-00").Want(201)
		s.Client(t).Get("/readyz", 200)
		awaitSeries(t, s, `earshot_sockets_open{kind="dashboard"}`, fmt.Sprint(dashboards))
	}) // what waits is handed over at the end
	counts := map[string]int{}
	for _, span := range c.all() {
		if hex.EncodeToString(span.GetTraceId()) != traced {
			if hex.EncodeToString(span.GetTraceId()) == strings.Repeat("1", 32) || strings.Contains(span.GetName(), "readyz") {
				t.Errorf("%s was not to be traced", span.GetName())
			}
			continue
		}
		counts[strings.Join(c.chain(span), " > ")]++
		if span.GetName() == "POST /w/:key/feedback" && hex.EncodeToString(span.GetParentSpanId()) != parent {
			t.Errorf("the request's parent is %x, want %s", span.GetParentSpanId(), parent)
		}
		if span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() {
			t.Errorf("%s ends before it begins", span.GetName())
		}
	}
	request := "POST /w/:key/feedback"
	for chain, want := range map[string]int{
		request: 1, request + " > intake": 1, request + " > intake > commit": 1, request + " > intake > commit > publish": 1,
		request + " > intake > commit > publish > socket write": 8,
	} {
		if counts[chain] != want {
			t.Errorf("there are %d of %s, want %d; all: %v", counts[chain], chain, want, counts)
		}
	}
	for _, private := range []string{"Nobody else", "shop.example", key, receipt, apitest.OwnerEmail, "127.0.0.1"} {
		if strings.Contains(string(c.raw), private) {
			t.Errorf("%q is in the traces", private)
		}
	}
}

// What comes by a visitor's socket begins a trace of its own.
func TestASocketsSubmissionIsTraced(t *testing.T) {
	t.Parallel()
	c := startCollector(t)
	t.Run("serve", func(t *testing.T) {
		s := apitest.Start(t, c.option)
		_, project := s.Project(t)
		ws, _ := visitorSocket(t, s, project, "")
		await(t, ws, "Connected")
		err := ws.WriteJSON(map[string]any{"type": "FeedbackSubmitted", "id": "01890000-0000-7000-8000-000000000001", "data": submission("Broken")})
		if err != nil {
			t.Fatal(err)
		}
		await(t, ws, "FeedbackReceived")
	})
	for _, span := range c.all() {
		if strings.Join(c.chain(span), " > ") == "FeedbackSubmitted > intake > commit" {
			return
		}
	}
	t.Errorf("no such trace among %v", c.all())
}

// A collector that is away costs nobody anything but the traces.
func TestTracesThatNobodyTakes(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, func(c *api.Config) {
		c.Tracing = &trace.Options{Endpoint: "http://127.0.0.1:1/v1/traces", Ratio: 1}
		c.Drain = 2 * time.Second
	})
	_, project := s.Project(t)
	s.Submit(t, project, "Broken")
}
