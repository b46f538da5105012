package store

import (
	"fmt"
	"testing"
	"time"

	"earshot/models"
)

// openWithWindow opens a store that keeps less of its logs, at a time that stands
// still until it is moved.
func openWithWindow(t testing.TB, w window) (*Store, *clock) {
	t.Helper()
	s, c := openWithClock(t)
	path := s.path
	closeStore(t, s)
	s, err := Open(t.Context(), Options{Path: path, Log: s.log, Now: c.Now, window: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, c
}

func headOf(t *testing.T, s *Store, scope models.Scope, p *models.Project) Head {
	t.Helper()
	head, err := s.LogHead(t.Context(), scope, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func awaitFirst(t *testing.T, s *Store, scope models.Scope, p *models.Project, first int64) {
	t.Helper()
	await(t, func() bool { return headOf(t, s, scope, p).First == first })
}

// What goes is outside of both: older than the age, and not among the last.
func TestOldEventsAreRemoved(t *testing.T) {
	t.Parallel()
	const day, keep = 24 * time.Hour, 5
	s, c := openWithWindow(t, window{age: day, events: keep, interval: time.Millisecond})
	scope, p := newProject(t, s)
	_, quiet := newProject(t, s)
	submit := func(project *models.Project, n int) {
		t.Helper()
		for i := range n {
			mustSubmit(t, s, newFeedback(project, fmt.Sprint(i)))
		}
		awaitIndexed(t, s)
	}
	stays := func(what string, first int64) {
		t.Helper()
		time.Sleep(50 * time.Millisecond) // many a look
		if head := headOf(t, s, scope, p); head.First != first {
			t.Errorf("%s: the log begins at %d, want %d", what, head.First, first)
		}
	}
	const old = 2*removalBatch + 30
	submit(p, old)
	submit(quiet, keep)
	stays("all are young", 1)
	c.add(day)
	awaitFirst(t, s, scope, p, old-keep+1)
	submit(p, 2)
	awaitFirst(t, s, scope, p, old-keep+3)
	submit(p, 20) // the old ones are no longer among the last, the others are young
	awaitFirst(t, s, scope, p, old+1)
	stays("the rest is young", old+1)
	c.add(10 * day)
	awaitFirst(t, s, scope, p, old+22-keep+1)
	if head := headOf(t, s, scope, p); head.Last != old+22 {
		t.Errorf("the log ends at %d, want %d", head.Last, old+22)
	}
	var n int64
	if err := s.read.Raw("SELECT count(*) FROM events WHERE project_id = ?", quiet.ID).Scan(&n).Error; err != nil || n != keep {
		t.Errorf("the quiet project has %d events (%v), want all %d", n, err, keep)
	}
}

// The newest event tells the next one's number, so not even a window of nothing
// removes it.
func TestTheLastEventStays(t *testing.T) {
	t.Parallel()
	s, c := openWithWindow(t, window{interval: time.Millisecond})
	scope, p := newProject(t, s)
	for i := range 3 {
		mustSubmit(t, s, newFeedback(p, fmt.Sprint(i)))
	}
	c.add(time.Hour)
	awaitFirst(t, s, scope, p, 3)
	time.Sleep(50 * time.Millisecond)
	mustSubmit(t, s, newFeedback(p, "fourth"))
	if head := headOf(t, s, scope, p); head.Last != 4 {
		t.Errorf("the log ends at %d, want 4", head.Last)
	}
}
