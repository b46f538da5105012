package store

import (
	"testing"
	"time"

	"earshot/models"
)

// A failed write speaks against the storage until one succeeds, or for a while
// where none is tried.
func TestWritable(t *testing.T) {
	t.Parallel()
	s := &Store{writer: &writer{queue: make(chan *op, 1)}}
	for _, tc := range []struct {
		name     string
		failedAt time.Time
		waiting  int
		want     models.Code
	}{
		{"all is well", time.Time{}, 0, ""},
		{"a write has just failed", time.Now(), 0, models.CodeUnavailable},
		{"one failed a while ago", time.Now().Add(-failureMemory), 0, ""},
		{"too many wait", time.Time{}, 1, models.CodeUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.writer.failedAt.Store(0)
			if !tc.failedAt.IsZero() {
				s.writer.failedAt.Store(tc.failedAt.UnixNano())
			}
			for range tc.waiting {
				s.writer.queue <- &op{}
			}
			if got := models.CodeOf(s.Writable()); got != tc.want {
				t.Errorf("code = %q, want %q", got, tc.want)
			}
			for range tc.waiting {
				<-s.writer.queue
			}
		})
	}
}
