package models

// TraceContext says which span of a trace what comes next belongs to (W3C Trace
// Context). The zero value belongs to none.
type TraceContext struct {
	TraceID [16]byte
	SpanID  [8]byte
}

// Traced reports whether there is a trace.
func (c TraceContext) Traced() bool { return c.TraceID != [16]byte{} }
