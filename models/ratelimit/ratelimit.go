// Package ratelimit bounds how often something may happen, by the generic cell
// rate algorithm: a budget that refills evenly, so that there is no window whose
// edge lets twice as much through.
package ratelimit

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"

	"earshot/models"
)

// maxKeys bounds the memory of a limiter: the least recently seen keys are
// forgotten first. A key takes about 200 bytes.
const maxKeys = 1 << 16

// Limiter allows a number of events in a period, for each key on its own.
type Limiter struct {
	gcra *throttled.GCRARateLimiterCtx // nil: no limit
	// locks let one goroutine at a time count a key. The library compares and
	// swaps, and gives up with an error after ten lost races, which the busiest
	// project's visitors would lose.
	locks [64]sync.Mutex
	seed  maphash.Seed
}

// New makes a Limiter of count events per period, of which all may come at once.
func New(count int, period time.Duration) (*Limiter, error) {
	memory, err := memstore.NewCtx(maxKeys)
	if err != nil {
		return nil, fmt.Errorf("make rate limiter: %w", err)
	}
	quota := throttled.RateQuota{MaxRate: throttled.PerDuration(count, period), MaxBurst: count - 1}
	gcra, err := throttled.NewGCRARateLimiterCtx(memory, quota)
	if err != nil {
		return nil, fmt.Errorf("make rate limiter: %w", err)
	}
	return &Limiter{gcra: gcra, seed: maphash.MakeSeed()}, nil
}

// Unlimited makes a Limiter that allows everything.
func Unlimited() *Limiter { return &Limiter{} }

// Take counts one event of key. Past the limit it returns CodeRateLimited with
// the time after which the next is allowed, and counts nothing.
func (l *Limiter) Take(ctx context.Context, key string) error {
	if l.gcra == nil {
		return nil
	}
	lock := &l.locks[maphash.String(l.seed, key)%uint64(len(l.locks))]
	lock.Lock()
	limited, result, err := l.gcra.RateLimitCtx(ctx, key, 1)
	lock.Unlock()
	if err != nil {
		return fmt.Errorf("rate limit: %w", err)
	}
	if !limited {
		return nil
	}
	return &models.Error{Code: models.CodeRateLimited, Message: "too many requests; try again later", RetryAfter: result.RetryAfter}
}

// Return takes back one event of key that was taken and turned out not to count.
func (l *Limiter) Return(ctx context.Context, key string) error {
	if l.gcra == nil {
		return nil
	}
	if _, _, err := l.gcra.RateLimitCtx(ctx, key, -1); err != nil {
		return fmt.Errorf("rate limit: %w", err)
	}
	return nil
}
