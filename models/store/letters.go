package store

import (
	"context"
	"time"

	"earshot/models"
)

type letterRow struct {
	ID        models.ID `gorm:"primaryKey"`
	Sealed    []byte
	DueAt     int64
	Attempts  int64
	ExpiresAt int64
}

func (letterRow) TableName() string { return "letters" }

// Letter is a mail about an account, sealed.
type Letter struct {
	ID     models.ID
	Sealed []byte
}

const (
	// letterRetry is how long a letter waits after its first attempt; each further
	// one doubles it.
	letterRetry = 15 * time.Second
	// longestLetterWait bounds that: people wait for these.
	longestLetterWait = 10 * time.Minute
)

// PutLetter keeps a letter until it is sent, or of no use any more.
func (s *Store) PutLetter(ctx context.Context, sealed []byte, lifetime time.Duration) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Create(&letterRow{
			ID: models.NewID(), Sealed: sealed, DueAt: t.now.UnixMilli(), ExpiresAt: t.now.Add(lifetime).UnixMilli(),
		}).Error
	})
}

// BeginLetter takes the letter that has been due for longest; nil where none is.
// Without EndLetter it is due again after a while.
func (s *Store) BeginLetter(ctx context.Context) (*Letter, error) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var due int64
	err := s.read.WithContext(reading).Model(&letterRow{}).Where("due_at <= ?", s.millis()).Limit(1).Count(&due).Error
	if err != nil || due == 0 {
		return nil, translate(err)
	}
	var begun *Letter
	err = s.writer.do(ctx, false, func(t *tx) error {
		begun = nil
		at := t.now.UnixMilli()
		if err := t.orm().Where("expires_at <= ?", at).Delete(&letterRow{}).Error; err != nil {
			return err
		}
		var row letterRow
		if err := t.orm().Where("due_at <= ?", at).Order("due_at, id").Limit(1).Find(&row).Error; err != nil || row.ID == "" {
			return err
		}
		begun = &Letter{ID: row.ID, Sealed: row.Sealed}
		const doublings = 10
		row.DueAt = t.now.Add(min(letterRetry<<min(row.Attempts, doublings), longestLetterWait)).UnixMilli()
		row.Attempts++
		return t.orm().Save(&row).Error
	})
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// EndLetter forgets a letter that was sent, or never will be.
func (s *Store) EndLetter(ctx context.Context, id models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error { return t.orm().Where("id = ?", id).Delete(&letterRow{}).Error })
}
