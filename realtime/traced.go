package realtime

import (
	"sync/atomic"
	"time"

	"earshot/models"
	"earshot/models/trace"
)

// tracedWrites bounds the writes of one publication that become spans: a thousand
// dashboards would make a thousand of them, which tell no more.
const tracedWrites = 8

// written follows a publication to the first sockets that it is written to.
type written struct {
	spans []*trace.Span // of its events that are traced
	began time.Time
	left  atomic.Int32
}

// traceRun begins the spans of what is traced among entries, nil as a rule.
func (h *Hub) traceRun(entries []models.LogEntry) (spans []*trace.Span) {
	if h.tracer == nil {
		return nil
	}
	for _, entry := range entries {
		if entry.Trace != nil {
			span := h.tracer.Go(*entry.Trace, "publish", time.Now())
			span.Set(trace.Attribute{Name: "earshot.event", Value: string(entry.Type)})
			spans = append(spans, span)
		}
	}
	return spans
}

func endPublishing(spans []*trace.Span, subscriptions int) {
	for _, span := range spans {
		span.Set(trace.Attribute{Name: "earshot.subscriptions", Value: int64(subscriptions)})
		span.End(time.Now())
	}
}

func newWritten(spans []*trace.Span) *written {
	if len(spans) == 0 {
		return nil
	}
	w := &written{spans: spans, began: time.Now()}
	w.left.Store(tracedWrites)
	return w
}

// sample is w for the first who ask, nil for the others.
func (w *written) sample() *written {
	if w == nil || w.left.Add(-1) < 0 {
		return nil
	}
	return w
}

// tellWritten ends what waited for frames to be with the system, or with the other
// side's.
func tellWritten(followed []*written) {
	for _, w := range followed {
		now := time.Now()
		for _, span := range w.spans {
			span.Child("socket write", w.began).End(now)
		}
	}
}
