package trace

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of fields in OTLP's messages
// (https://github.com/open-telemetry/opentelemetry-proto/blob/v1.11.0/opentelemetry/proto/trace/v1/trace.proto).
const (
	requestResourceSpans = 1

	resourceSpansResource = 1
	resourceSpansScopes   = 2
	resourceAttributes    = 1

	scopeSpansScope = 1
	scopeSpansSpans = 2
	scopeName       = 1

	spanTraceID    = 1
	spanSpanID     = 2
	spanParentID   = 4
	spanName       = 5
	spanKind       = 6
	spanBegin      = 7
	spanEnd        = 8
	spanAttributes = 9
	spanStatus     = 15

	statusMessage = 2
	statusCode    = 3
	statusError   = 2

	attributeKey   = 1
	attributeValue = 2
	valueString    = 1
	valueInt       = 3
)

// encode makes an ExportTraceServiceRequest of spans.
func encode(resource map[string]string, spans []*Span) []byte {
	var about []byte
	for _, name := range slices.Sorted(maps.Keys(resource)) {
		about = message(about, resourceAttributes, attribute(Attribute{name, resource[name]}))
	}
	scope := message(nil, scopeSpansScope, text(nil, scopeName, "earshot"))
	for _, s := range spans {
		scope = message(scope, scopeSpansSpans, s.encode())
	}
	all := message(message(nil, resourceSpansResource, about), resourceSpansScopes, scope)
	return message(nil, requestResourceSpans, all)
}

func (s *Span) encode() []byte {
	b := message(nil, spanTraceID, s.context.TraceID[:])
	b = message(b, spanSpanID, s.context.SpanID[:])
	if s.parent != [8]byte{} {
		b = message(b, spanParentID, s.parent[:])
	}
	b = text(b, spanName, s.name)
	b = protowire.AppendTag(b, spanKind, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(s.kind)) //nolint:gosec // one of two small numbers
	b = moment(b, spanBegin, s.begin)
	b = moment(b, spanEnd, s.end)
	for _, a := range s.attributes {
		b = message(b, spanAttributes, attribute(a))
	}
	if s.failure != "" {
		status := text(nil, statusMessage, s.failure)
		status = protowire.AppendTag(status, statusCode, protowire.VarintType)
		b = message(b, spanStatus, protowire.AppendVarint(status, statusError))
	}
	return b
}

func attribute(a Attribute) []byte {
	var value []byte
	switch v := a.Value.(type) {
	case string:
		value = text(nil, valueString, v)
	case int64:
		value = protowire.AppendTag(nil, valueInt, protowire.VarintType)
		value = protowire.AppendVarint(value, uint64(v)) //nolint:gosec // two's complement is int64's form on the wire
	}
	return message(text(nil, attributeKey, a.Name), attributeValue, value)
}

func message(b []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), content)
}

func text(b []byte, field protowire.Number, content string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), content)
}

func moment(b []byte, field protowire.Number, at time.Time) []byte {
	b = protowire.AppendTag(b, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, uint64(at.UnixNano()))
}
