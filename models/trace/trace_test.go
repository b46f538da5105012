package trace

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver takes spans as a collector does, with OpenTelemetry's own types.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*tracepb.Span
	refuse  atomic.Int32 // so many posts with 503
	headers http.Header
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.refuse.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		var data tracepb.TracesData // the request's fields are the same
		if err := proto.Unmarshal(body, &data); err != nil || request.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("read what was posted: %v, headers %v", err, request.Header)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.headers = request.Header
		for _, resource := range data.GetResourceSpans() {
			if len(data.ProtoReflect().GetUnknown())+len(resource.ProtoReflect().GetUnknown()) > 0 {
				t.Error("there are fields that OTLP does not have")
			}
			for _, scope := range resource.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// counted adds up what became of spans.
type counted struct {
	mu  sync.Mutex
	got map[string]int
}

func (c *counted) add(outcome string, spans int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got == nil {
		c.got = map[string]int{}
	}
	c.got[outcome] += spans
}

func TestSpansAreHandedOver(t *testing.T) {
	r := startReceiver(t)
	r.refuse.Store(1)
	var c counted
	tracer := Start(Options{Endpoint: r.URL, Headers: map[string]string{"X-Key": "secret"}, Ratio: 1, Exported: c.add})
	began := time.Now()
	root := tracer.Begin(Parent{}, "root", Server, began)
	root.Set(Attribute{"text", "é"}, Attribute{"number", int64(-3)})
	child := root.Child("child", began)
	child.Fail("unavailable")
	child.End(began.Add(time.Second))
	root.End(began.Add(2 * time.Second))
	for range batchLength - 2 { // a whole batch goes at once, and again where it was refused for now
		root.Child("more", began).End(began)
	}
	await(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.spans) == batchLength })
	tracer.Close(t.Context())
	first, second := r.spans[0], r.spans[1]
	if first.GetName() != "child" || first.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR || first.GetStatus().GetMessage() != "unavailable" ||
		string(first.GetParentSpanId()) != string(second.GetSpanId()) || string(first.GetTraceId()) != string(second.GetTraceId()) {
		t.Errorf("the child is %v", first)
	}
	if second.GetKind() != tracepb.Span_SPAN_KIND_SERVER || len(second.GetParentSpanId()) != 0 || len(second.GetTraceId()) != 16 || len(second.GetSpanId()) != 8 ||
		second.GetStartTimeUnixNano() != uint64(began.UnixNano()) || second.GetEndTimeUnixNano() != uint64(began.Add(2*time.Second).UnixNano()) ||
		second.GetAttributes()[0].GetValue().GetStringValue() != "é" || second.GetAttributes()[1].GetValue().GetIntValue() != -3 {
		t.Errorf("the root is %v", second)
	}
	if r.headers.Get("X-Key") != "secret" || c.got["exported"] != batchLength || len(c.got) != 1 {
		t.Errorf("headers %v, outcomes %v", r.headers, c.got)
	}
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited for 10 s")
		}
	}
}

// Who makes spans is never held up: past what may wait they are dropped, and the end
// does not take longer than it may.
func TestAReceiverThatStallsHoldsNobodyUp(t *testing.T) {
	stalled := make(chan struct{})
	r := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stalled }))
	defer r.Close()
	defer close(stalled)
	var c counted
	tracer := Start(Options{Endpoint: r.URL, Ratio: 1, Exported: c.add})
	began := time.Now()
	const spans = 2 * (queueLength + batchLength)
	for range spans {
		tracer.Begin(Parent{}, "span", Internal, began).End(began)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	tracer.Close(ctx)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if c.got["dropped"] < queueLength || c.got["dropped"]+c.got["failed"] != spans {
		t.Errorf("outcomes = %v, want all %d accounted for", c.got, spans)
	}
}

func TestSampling(t *testing.T) {
	parent := ReadParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") // kept from 51.7 % on
	unsampled := parent
	unsampled.Unsampled = true
	for _, tc := range []struct {
		name   string
		ratio  float64
		parent Parent
		want   bool
	}{
		{"all", 1, Parent{}, true},
		{"none", 0, Parent{}, false},
		{"a parent that is kept", 1, parent, true},
		{"a parent that is not", 1, unsampled, false},
		{"a stranger's parent past the ratio", 0.51, parent, false},
		{"a stranger's parent within it", 0.52, parent, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tracer := &Tracer{below: uint64(tc.ratio * (1 << 63))}
			if got := tracer.Begin(tc.parent, "span", Server, time.Now()) != nil; got != tc.want {
				t.Errorf("kept = %t, want %t", got, tc.want)
			}
		})
	}
	var off *Tracer
	span := off.Begin(parent, "span", Server, time.Now())
	span.Child("child", time.Now()).End(time.Now())
	if span != nil || With(t.Context(), span) != t.Context() || Of(t.Context()) != nil || span.Context() != nil {
		t.Error("a tracer that is off makes something")
	}
}
