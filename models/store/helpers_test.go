package store

import (
	"context"
	"sync"
	"testing"
	"time"

	"earshot/models"
)

// await waits until a condition holds, and fails the test where it never does.
func await(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what is waited for did not happen within 30 s")
		}
	}
}

// holdWriter keeps the writer busy until release is called.
func holdWriter(t testing.TB, s *Store) (release func()) {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	var once, entered sync.Once
	go func() {
		_ = s.writer.do(context.Background(), false, func(*tx) error {
			entered.Do(func() { close(held) })
			<-free
			return nil
		})
	}()
	<-held
	release = func() { once.Do(func() { close(free) }) }
	t.Cleanup(release)
	return release
}

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// openWithClock opens a store whose time stands still until it is moved.
func openWithClock(t testing.TB) (*Store, *clock) {
	t.Helper()
	s := openTest(t, nil)
	path := s.path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s, err := Open(t.Context(), Options{Path: path, Log: s.log, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, c
}

func wantCode(t *testing.T, what string, err error, code models.Code) {
	t.Helper()
	if models.CodeOf(err) != code {
		t.Errorf("%s: %v, want code %q", what, err, code)
	}
}
