// Package trace follows single submissions from the visitor's request to the
// dashboard's socket, as OpenTelemetry spans over OTLP/HTTP.
//
// It is small instead of complete: OpenTelemetry's own SDK with its exporter takes
// 2.7 MiB of memory at the start and 4 MB of the program, whether or not anybody
// traces. This takes next to none where it is off: a nil Tracer makes nil Spans, and
// these do nothing.
package trace

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	"earshot/models"
)

// Options is what a Tracer is made from.
type Options struct {
	// Endpoint takes spans by POST, such as http://localhost:4318/v1/traces.
	Endpoint string
	// Headers go with each POST. They may hold a credential.
	Headers map[string]string
	// Resource says what the spans are from: service.name and others.
	Resource map[string]string
	// Ratio of the traces is kept, from 0 to 1.
	Ratio float64
	// Exported is told of spans that were handed over, and of those that were not for
	// want of room or of somebody who takes them. May be nil.
	Exported func(outcome string, spans int)
	// Failed is told why the endpoint did not take spans. May be nil.
	Failed func(error)
}

// Tracer makes spans. A nil Tracer makes none.
type Tracer struct {
	exporter *exporter
	// below: a trace is kept where the end of its id is below it.
	below uint64
}

// Start starts a Tracer; end it with Close.
func Start(options Options) *Tracer {
	return &Tracer{exporter: startExporter(options), below: uint64(options.Ratio * math.MaxInt64)}
}

// Close hands over what waits, for as long as ctx goes on.
func (t *Tracer) Close(ctx context.Context) {
	if t != nil {
		t.exporter.close(ctx)
	}
}

// Kind is what a span is to those around it (OTLP's SpanKind).
type Kind int

// The kinds.
const (
	Internal Kind = 1
	Server   Kind = 2
)

// Attribute is one fact of a span: a string or an int64. What visitors wrote, who
// they are and whose they are is none.
type Attribute struct {
	Name  string
	Value any
}

// Span is a part of a trace that has begun. A nil Span does nothing. One goroutine
// at a time uses it, but for Child, which may be called at any time.
type Span struct {
	tracer     *Tracer
	context    models.TraceContext
	parent     [8]byte
	name       string
	kind       Kind
	begin, end time.Time
	attributes []Attribute
	failure    string
}

// Begin begins a trace or, where its parent is in one, goes on with that; it is nil
// where that trace is not kept. at is the beginning.
func (t *Tracer) Begin(parent Parent, name string, kind Kind, at time.Time) *Span {
	if t == nil || parent.Unsampled {
		return nil
	}
	id := parent.Context.TraceID
	for id == [16]byte{} {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64()) //nolint:gosec // names a trace, hides nothing
		binary.BigEndian.PutUint64(id[8:], rand.Uint64()) //nolint:gosec // likewise
	}
	// As OpenTelemetry's TraceIdRatioBased: whoever sees the id decides alike.
	if binary.BigEndian.Uint64(id[8:])>>1 >= t.below {
		return nil
	}
	return t.span(models.TraceContext{TraceID: id, SpanID: parent.Context.SpanID}, name, kind, at)
}

func (t *Tracer) span(parent models.TraceContext, name string, kind Kind, at time.Time) *Span {
	s := &Span{tracer: t, context: parent, parent: parent.SpanID, name: name, kind: kind, begin: at}
	for s.context.SpanID = [8]byte{}; s.context.SpanID == [8]byte{}; {
		binary.BigEndian.PutUint64(s.context.SpanID[:], rand.Uint64()) //nolint:gosec // names a span, hides nothing
	}
	return s
}

// Go goes on with a trace that comes from elsewhere in this program; nil where there
// is none.
func (t *Tracer) Go(parent models.TraceContext, name string, at time.Time) *Span {
	if t == nil || !parent.Traced() {
		return nil
	}
	return t.span(parent, name, Internal, at)
}

// Child begins a part of the span.
func (s *Span) Child(name string, at time.Time) *Span {
	if s == nil {
		return nil
	}
	return s.tracer.span(s.context, name, Internal, at)
}

// Context is what is handed to those that go on with the trace; nil where there is
// none.
func (s *Span) Context() *models.TraceContext {
	if s == nil {
		return nil
	}
	return &s.context
}

// Rename is for who learns late what it is.
func (s *Span) Rename(name string) {
	if s != nil {
		s.name = name
	}
}

// Set adds facts.
func (s *Span) Set(attributes ...Attribute) {
	if s != nil {
		s.attributes = append(s.attributes, attributes...)
	}
}

// Fail marks a span as one that went wrong. why is for everybody who reads traces.
func (s *Span) Fail(why string) {
	if s != nil {
		s.failure = why
	}
}

// End ends the span and leaves it to the exporter.
func (s *Span) End(at time.Time) {
	if s != nil {
		s.end = at
		s.tracer.exporter.add(s)
	}
}

type spanKey struct{}

// With puts a span into a context; nil leaves that as it is.
func With(ctx context.Context, s *Span) context.Context {
	if s == nil {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, s)
}

// Of is the context's span, nil for none.
func Of(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}
