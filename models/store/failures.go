package store

import (
	"context"
	"crypto/sha256"
	"time"

	"gorm.io/gorm/clause"

	"earshot/models"
)

// failureRow counts failed attempts of a kind; its key is a hash, so that what was
// tried is not kept.
type failureRow struct {
	Key    []byte `gorm:"primaryKey"`
	Count  int64
	Until  int64
	LastAt int64
}

func (failureRow) TableName() string { return "failures" }

const (
	// freeFailures are not answered by a delay: people mistype.
	freeFailures = 5
	// The delays grow from the first to the last, doubled each time.
	firstDelay   = time.Second
	longestDelay = 15 * time.Minute
	// failuresForgotten is when somebody starts afresh.
	failuresForgotten = 24 * time.Hour
)

// failureDelay is how long nothing is tried after the count's failure.
func failureDelay(count int64) time.Duration {
	over := count - freeFailures
	if over < 0 {
		return 0
	}
	const doublings = 10 // of a second are more than a quarter of an hour
	return min(firstDelay<<min(over, doublings), longestDelay)
}

func failureKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:16]
}

// CheckFailures says whether something may be tried now; otherwise CodeRateLimited
// with the time until it may. It lasts over restarts.
func (s *Store) CheckFailures(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row failureRow
	err := s.read.WithContext(ctx).Where("key = ?", failureKey(key)).Limit(1).Find(&row).Error
	// A clock that was wrong for a while must not lock somebody out for good.
	if wait := time.Duration(row.Until-s.millis()) * time.Millisecond; wait > 0 && wait <= longestDelay {
		return &models.Error{Code: models.CodeRateLimited, Message: "too many attempts that failed; try again later", RetryAfter: wait}
	}
	return translate(err)
}

// NoteFailure counts a failed attempt.
func (s *Store) NoteFailure(ctx context.Context, key string) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		at := t.now.UnixMilli()
		forgotten := t.now.Add(-failuresForgotten).UnixMilli()
		err := t.orm().Exec("DELETE FROM failures WHERE key IN (SELECT key FROM failures WHERE last_at <= ? LIMIT ?)", forgotten, pruneBatch).Error
		if err != nil {
			return err
		}
		row := failureRow{Key: failureKey(key)}
		if err := t.orm().Where("key = ? AND last_at > ?", row.Key, forgotten).Limit(1).Find(&row).Error; err != nil {
			return err
		}
		row.Count++
		row.LastAt, row.Until = at, t.now.Add(failureDelay(row.Count)).UnixMilli()
		return t.orm().Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	})
}

// ForgetFailures starts afresh, after an attempt that succeeded.
func (s *Store) ForgetFailures(ctx context.Context, key string) error {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var n int64
	if err := s.read.WithContext(reading).Model(&failureRow{}).Where("key = ?", failureKey(key)).Count(&n).Error; err != nil || n == 0 {
		return translate(err)
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Where("key = ?", failureKey(key)).Delete(&failureRow{}).Error
	})
}
