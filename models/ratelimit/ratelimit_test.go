package ratelimit

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
)

func newLimiter(t *testing.T, count int, period time.Duration) *Limiter {
	t.Helper()
	l, err := New(count, period, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTakeAllowsTheBudgetAtOnce(t *testing.T) {
	l := newLimiter(t, 6, time.Hour)
	for i := range 6 {
		if err := l.Take(t.Context(), "a"); err != nil {
			t.Fatalf("event %d of 6: %v", i+1, err)
		}
	}
	err := l.Take(t.Context(), "a")
	limited := (*models.Error)(nil)
	if !errors.As(err, &limited) || limited.Code != models.CodeRateLimited {
		t.Fatalf("event 7 of 6: %v, want rate_limited", err)
	}
	// The budget refills evenly: one in ten minutes.
	if limited.RetryAfter <= 9*time.Minute || limited.RetryAfter > 10*time.Minute {
		t.Errorf("the next is allowed after %v, want about 10 min", limited.RetryAfter)
	}
	if err := l.Take(t.Context(), "b"); err != nil {
		t.Errorf("another key: %v, want its own budget", err)
	}
}

func TestRefusalsCountNothing(t *testing.T) {
	const period = 200 * time.Millisecond
	l := newLimiter(t, 2, period)
	deadline := time.Now().Add(10 * time.Second)
	allowed := 0
	// Asking all the time must not keep the budget from refilling.
	for allowed < 6 && time.Now().Before(deadline) {
		switch err := l.Take(t.Context(), "a"); {
		case err == nil:
			allowed++
		case models.CodeOf(err) != models.CodeRateLimited:
			t.Fatal(err)
		}
	}
	if allowed < 6 {
		t.Errorf("%d events were allowed in 10 s, want 6 within about 400 ms", allowed)
	}
}

// A project's budget is one key for all of its visitors: many at once must
// neither fail nor pass by it.
func TestManyAtOnceShareOneBudget(t *testing.T) {
	const budget, goroutines, each = 600, 64, 100
	l := newLimiter(t, budget, time.Hour)
	var allowed atomic.Int64
	var failures sync.Map
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				switch err := l.Take(t.Context(), "project"); {
				case err == nil:
					allowed.Add(1)
				case models.CodeOf(err) != models.CodeRateLimited:
					failures.Store(err.Error(), true)
				}
			}
		})
	}
	wg.Wait()
	failures.Range(func(text, _ any) bool {
		t.Errorf("failed with %q, want no failure but rate_limited", text)
		return true
	})
	if n := allowed.Load(); n != budget {
		t.Errorf("%d of %d were allowed, want %d", n, goroutines*each, budget)
	}
}

func TestUnlimited(t *testing.T) {
	l := Unlimited()
	for range 10_000 {
		if err := l.Take(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	l := newLimiter(t, 1, time.Hour)
	if err := l.Take(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	for i := range maxKeys {
		if err := l.Take(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	if err := l.Take(t.Context(), "first"); err != nil {
		t.Errorf("the least recently seen key is still known after %d others: %v", maxKeys, err)
	}
}
