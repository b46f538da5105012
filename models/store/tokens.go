package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// Purpose keeps the uses of one-time tokens apart.
type Purpose string

// The purposes of one-time tokens.
const (
	PurposeSetup  Purpose = "setup"
	PurposeTicket Purpose = "ticket"
	PurposeReset  Purpose = "password reset"
	PurposeVerify Purpose = "email verification"
)

// PutToken stores what a one-time token stands for, as JSON, until it expires.
func (s *Store) PutToken(ctx context.Context, purpose Purpose, token models.TokenHash, payload any, lifetime time.Duration) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode token payload: %w", err)
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		if err := t.pruneOneTimeTokens(); err != nil {
			return err
		}
		return t.orm().Create(&oneTimeTokenRow{
			Hash: token, Purpose: string(purpose), Payload: string(raw), ExpiresAt: t.now.Add(lifetime).UnixMilli(),
		}).Error
	})
}

// TakeToken uses a token up and decodes what it stood for into payload. Only
// one of several callers at once gets it; the others, and who comes too late,
// get CodeUnauthorized.
func (s *Store) TakeToken(ctx context.Context, purpose Purpose, token models.TokenHash, payload any) error {
	var row oneTimeTokenRow
	err := s.writer.do(ctx, false, func(t *tx) error {
		var err error
		if row, err = findToken(t.orm(), purpose, token, t.now.UnixMilli()); err != nil {
			return err
		}
		return t.orm().Delete(&row).Error
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(row.Payload), payload); err != nil {
		return fmt.Errorf("decode token payload: %w", err)
	}
	return nil
}

// CheckToken reports, without using it up, whether a token is good.
func (s *Store) CheckToken(ctx context.Context, purpose Purpose, token models.TokenHash) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	_, err := findToken(s.read.WithContext(ctx), purpose, token, s.millis())
	return translate(err)
}

func findToken(db *gorm.DB, purpose Purpose, token models.TokenHash, now int64) (oneTimeTokenRow, error) {
	var row oneTimeTokenRow
	err := db.Where("hash = ? AND purpose = ? AND expires_at > ?", []byte(token), string(purpose), now).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, models.Errorf(models.CodeUnauthorized, "this link or ticket was used already, or has expired")
	}
	return row, err
}

// pruneOneTimeTokens deletes those that nobody used in time.
func (t *tx) pruneOneTimeTokens() error {
	return t.orm().Exec(`DELETE FROM one_time_tokens WHERE hash IN
		(SELECT hash FROM one_time_tokens WHERE expires_at <= ? LIMIT ?)`, t.now.UnixMilli(), pruneBatch).Error
}
