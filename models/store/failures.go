package store

import (
	"context"
	"crypto/sha256"
	"time"

	"gorm.io/gorm/clause"

	"earshot/models"
)

// failureRow counts attempts of a kind that did not succeed; its key is a hash, so
// that what was tried is not kept.
type failureRow struct {
	Key    []byte `gorm:"primaryKey"`
	Count  int64
	Until  int64
	LastAt int64
}

func (failureRow) TableName() string { return "failures" }

const (
	// FreeAttempts are not followed by a delay, but the last: people mistype.
	FreeAttempts = 5
	// The delays grow from the first to the last, doubled each time.
	firstDelay   = time.Second
	longestDelay = 15 * time.Minute
	// failuresForgotten is when somebody starts afresh.
	failuresForgotten = 24 * time.Hour
)

// attemptDelay is how long nothing is tried after so many attempts in a row.
func attemptDelay(count int64) time.Duration {
	over := count - FreeAttempts
	if over < 0 {
		return 0
	}
	const doublings = 10 // of a second are more than a quarter of an hour
	return min(firstDelay<<min(over, doublings), longestDelay)
}

func attemptKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:16]
}

// Attempt counts an attempt to prove something before it is made, so that of many at
// once no more are made than of as many in a row. CodeRateLimited, with the time
// until the next, where it may not be made now. It lasts over restarts.
func (s *Store) Attempt(ctx context.Context, key string) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		at := t.now.UnixMilli()
		forgotten := t.now.Add(-failuresForgotten).UnixMilli()
		row := failureRow{Key: attemptKey(key)}
		if err := t.orm().Where("key = ? AND last_at > ?", row.Key, forgotten).Limit(1).Find(&row).Error; err != nil {
			return err
		}
		wait := time.Duration(row.Until-at) * time.Millisecond
		// A clock that was wrong for a while must not lock somebody out for good.
		if wait > 0 && wait <= longestDelay {
			return &models.Error{Code: models.CodeRateLimited, Message: "too many attempts that failed; try again later", RetryAfter: wait}
		}
		row.Count++
		row.LastAt, row.Until = at, t.now.Add(attemptDelay(row.Count)).UnixMilli()
		err := t.orm().Exec("DELETE FROM failures WHERE key IN (SELECT key FROM failures WHERE last_at <= ? LIMIT ?)", forgotten, pruneBatch).Error
		if err != nil {
			return err
		}
		return t.orm().Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	})
}

// Succeeded starts afresh, after an attempt that succeeded.
func (s *Store) Succeeded(ctx context.Context, key string) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Where("key = ?", attemptKey(key)).Delete(&failureRow{}).Error
	})
}
