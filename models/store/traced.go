package store

import (
	"time"

	"earshot/models"
	"earshot/models/trace"
)

// mark says which span the changes of a write go on from.
func (o *op) mark(entries []models.LogEntry) {
	for i := range entries {
		entries[i].Trace = o.commit.Context()
	}
}

// endSpan ends the span of a write's transaction, which it shared with others.
func (o *op) endSpan(batch int, err error) {
	if o.commit == nil {
		return
	}
	o.commit.Set(trace.Attribute{Name: "earshot.commit.writes", Value: int64(batch)})
	if err != nil {
		o.commit.Fail(string(models.CodeOf(translate(err))))
	}
	o.commit.End(time.Now())
}
