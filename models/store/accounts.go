package store

import (
	"context"
	"encoding/json"
	"fmt"

	"earshot/models"
)

// AccountLink is what the token in a letter's link stands for: an account, at the
// address that the letter went to. Whoever has it reads that address's mail.
type AccountLink struct {
	User  models.ID `json:"user"`
	Email string    `json:"email"`
}

// takeLink uses a link up and confirms the address that it went to. A link to an
// address that the account does not have any more is CodeUnauthorized.
func (t *tx) takeLink(purpose Purpose, token models.TokenHash) (link AccountLink, err error) {
	row, err := findToken(t.orm(), purpose, token, t.now.UnixMilli())
	if err != nil {
		return link, err
	}
	if err := json.Unmarshal([]byte(row.Payload), &link); err != nil {
		return link, fmt.Errorf("decode token payload: %w", err)
	}
	if err := t.orm().Delete(&row).Error; err != nil {
		return link, err
	}
	confirmed := t.orm().Model(&userRow{}).Where("id = ? AND email = ?", link.User, link.Email).Update("email_verified_at", t.now.UnixMilli())
	if confirmed.Error == nil && confirmed.RowsAffected == 0 {
		return link, models.Errorf(models.CodeUnauthorized, "this link is for an address that the account does not have any more")
	}
	return link, confirmed.Error
}

// ConfirmEmail uses up a link that was mailed to confirm an address.
func (s *Store) ConfirmEmail(ctx context.Context, token models.TokenHash) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		_, err := t.takeLink(PurposeVerify, token)
		return err
	})
}

// ResetPassword uses up a link to choose a new password, stores the password's hash,
// and ends the account's sessions, whose ids it gives.
func (s *Store) ResetPassword(ctx context.Context, token models.TokenHash, hash string) ([]models.ID, error) {
	var ended []models.ID
	err := s.writer.do(ctx, false, func(t *tx) error {
		link, err := t.takeLink(PurposeReset, token)
		if err != nil {
			return err
		}
		by := models.By{Kind: models.ActorUser, ID: link.User, Address: models.ByOf(ctx).Address}
		ended, err = t.setPassword(models.WithBy(ctx, by), link.User, hash, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}
