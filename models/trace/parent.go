package trace

import (
	"encoding/hex"
	"strings"

	"earshot/models"
)

// Parent is the span that a request says it comes from.
type Parent struct {
	Context models.TraceContext
	// Unsampled: whoever began the trace does not keep it.
	Unsampled bool
}

// The form of a traceparent (https://www.w3.org/TR/trace-context/#traceparent-header):
// version, trace-id, parent-id and flags, in lower-case hexadecimal.
const (
	parentLength = 55
	sampledFlag  = 1
)

// ReadParent reads a traceparent header. One that is not valid is as good as none.
func ReadParent(header string) Parent {
	if len(header) < parentLength || header[:2] == "ff" || strings.ToLower(header) != header {
		return Parent{}
	}
	// A later version may go on behind a dash.
	if len(header) > parentLength && (header[:2] == "00" || header[parentLength] != '-') {
		return Parent{}
	}
	var p Parent
	var version, flags [1]byte
	for _, part := range []struct {
		into     []byte
		from, to int
	}{{version[:], 0, 2}, {p.Context.TraceID[:], 3, 35}, {p.Context.SpanID[:], 36, 52}, {flags[:], 53, 55}} {
		if part.to < parentLength && header[part.to] != '-' {
			return Parent{}
		}
		if _, err := hex.Decode(part.into, []byte(header[part.from:part.to])); err != nil {
			return Parent{}
		}
	}
	if !p.Context.Traced() || p.Context.SpanID == [8]byte{} {
		return Parent{}
	}
	p.Unsampled = flags[0]&sampledFlag == 0
	return p
}
