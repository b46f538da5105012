// Package ratelimit bounds how often something may happen, by the generic cell
// rate algorithm: a budget that refills evenly, so that there is no window whose
// edge lets twice as much through.
package ratelimit

import (
	"context"
	"crypto/sha256"
	"fmt"
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
}

// clocked is a store that tells another clock's time than the machine's.
type clocked struct {
	throttled.GCRAStoreCtx
	now func() time.Time
}

func (c clocked) GetWithTime(ctx context.Context, key string) (int64, time.Time, error) {
	value, _, err := c.GCRAStoreCtx.GetWithTime(ctx, key)
	return value, c.now(), err //nolint:wrapcheck // the limiter's own
}

// New makes a Limiter of count events per period, of which all may come at once,
// by the clock now.
func New(count int, period time.Duration, now func() time.Time) (*Limiter, error) {
	memory, err := memstore.NewCtx(maxKeys)
	if err != nil {
		return nil, fmt.Errorf("make rate limiter: %w", err)
	}
	quota := throttled.RateQuota{MaxRate: throttled.PerDuration(count, period), MaxBurst: count - 1}
	gcra, err := throttled.NewGCRARateLimiterCtx(clocked{memory, now}, quota)
	if err != nil {
		return nil, fmt.Errorf("make rate limiter: %w", err)
	}
	return &Limiter{gcra: gcra}, nil
}

// Unlimited makes a Limiter that allows everything.
func Unlimited() *Limiter { return &Limiter{} }

// Take counts one event of key. Past the limit it returns CodeRateLimited with
// the time after which the next is allowed, and counts nothing.
func (l *Limiter) Take(ctx context.Context, key string) error { return l.TakeN(ctx, key, 1) }

// TakeN is Take of n events that come together or not at all.
func (l *Limiter) TakeN(ctx context.Context, key string, n int) error {
	if l.gcra == nil {
		return nil
	}
	limited, result, err := l.count(ctx, key, n)
	if err != nil {
		return err
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
	_, _, err := l.count(ctx, key, -1)
	return err
}

// count hashes the key, which may be as long as a client likes: what is kept of
// it is not.
func (l *Limiter) count(ctx context.Context, key string, n int) (limited bool, result throttled.RateLimitResult, err error) {
	sum := sha256.Sum256([]byte(key))
	lock := &l.locks[int(sum[0])%len(l.locks)]
	lock.Lock()
	defer lock.Unlock()
	if limited, result, err = l.gcra.RateLimitCtx(ctx, string(sum[:16]), n); err != nil {
		err = fmt.Errorf("rate limit: %w", err)
	}
	return limited, result, err
}
