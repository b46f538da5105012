package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// RotationGrace is how long a refresh token still works after its successor was
// given out: two tabs may refresh at once, and an answer may get lost.
const RotationGrace = 10 * time.Second

// CreateSession starts a session of a user in an organisation, with its first
// refresh token.
func (s *Store) CreateSession(ctx context.Context, user, organization models.ID, token models.TokenHash, lifetime time.Duration) (models.Session, error) {
	var row sessionRow
	err := s.writer.do(ctx, false, func(t *tx) error {
		at := t.now.UnixMilli()
		row = sessionRow{ID: models.NewID(), UserID: user, OrganizationID: organization, CreatedAt: at, ExpiresAt: t.now.Add(lifetime).UnixMilli()}
		if err := t.pruneSessions(); err != nil {
			return err
		}
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		return t.orm().Create(&refreshTokenRow{Hash: token, SessionID: row.ID, CreatedAt: at}).Error
	})
	if err != nil {
		return models.Session{}, err
	}
	return row.session(), nil
}

// Rotation is what came of a refresh.
type Rotation struct {
	Session models.Session
	// Reused: the token was rotated long ago, so somebody has a copy of it. The
	// session is revoked; nothing was given out.
	Reused bool
}

// RotateRefreshToken replaces a refresh token by its successor and prolongs the
// session. A token that is unknown, older than its lifetime, or of a session
// that ended, is CodeUnauthorized. With an organisation the session moves there, if the user
// is a member.
func (s *Store) RotateRefreshToken(ctx context.Context, old, successor models.TokenHash, lifetime time.Duration, organization models.ID) (Rotation, error) {
	var result Rotation
	err := s.writer.do(ctx, false, func(t *tx) error {
		result = Rotation{}
		var token refreshTokenRow
		var session sessionRow
		err := t.orm().Where("hash = ?", []byte(old)).Take(&token).Error
		if err == nil {
			err = t.orm().Where("id = ?", token.SessionID).Take(&session).Error
		}
		at := t.now.UnixMilli()
		oldest := t.now.Add(-lifetime).UnixMilli()
		if errors.Is(err, gorm.ErrRecordNotFound) ||
			(err == nil && (session.RevokedAt != nil || session.ExpiresAt <= at || token.CreatedAt <= oldest)) {
			return models.Errorf(models.CodeUnauthorized, "the session has ended")
		}
		if err != nil {
			return err
		}
		if token.RotatedAt != nil && max(at-*token.RotatedAt, *token.RotatedAt-at) > RotationGrace.Milliseconds() {
			result = Rotation{Session: session.session(), Reused: true}
			return t.endSessions(t.orm().Where("id = ?", session.ID))
		}
		if err := t.moveSession(&session, organization); err != nil {
			return err
		}
		session.ExpiresAt = t.now.Add(lifetime).UnixMilli()
		if err := t.orm().Save(&session).Error; err != nil {
			return err
		}
		if token.RotatedAt == nil {
			if err := t.orm().Model(&token).Update("rotated_at", at).Error; err != nil {
				return err
			}
		}
		if err := t.pruneRefreshTokens(session.ID, oldest); err != nil {
			return err
		}
		result.Session = session.session()
		return t.orm().Create(&refreshTokenRow{Hash: successor, SessionID: session.ID, CreatedAt: at}).Error
	})
	if err != nil {
		return Rotation{}, err
	}
	return result, nil
}

func (t *tx) moveSession(session *sessionRow, organization models.ID) error {
	if organization == "" || organization == session.OrganizationID {
		return nil
	}
	err := t.orm().Where("organization_id = ? AND user_id = ?", organization, session.UserID).Take(&memberRow{}).Error
	session.OrganizationID = organization
	return err
}

// SessionOfRefreshToken finds the session a refresh token belongs to, ended or
// not.
func (s *Store) SessionOfRefreshToken(ctx context.Context, token models.TokenHash) (models.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row sessionRow
	err := s.read.WithContext(ctx).Table("sessions AS s").Select("s.*").
		Joins("JOIN refresh_tokens AS r ON r.session_id = s.id").Where("r.hash = ?", []byte(token)).Take(&row).Error
	return row.session(), translate(err)
}

// RevokeSession ends a session: its refresh tokens and its access tokens.
func (s *Store) RevokeSession(ctx context.Context, id models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.endSessions(t.orm().Where("id = ?", id))
	})
}

// endSessions ends the chosen sessions that have not ended yet. Their expiry is
// then now, too: that is what finds them to be pruned.
func (t *tx) endSessions(chosen *gorm.DB) error {
	at := t.now.UnixMilli()
	return chosen.Model(&sessionRow{}).Where("revoked_at IS NULL").
		Updates(map[string]any{"revoked_at": at, "expires_at": at}).Error
}

// pruneBatch bounds what one write deletes along the way. A use adds one row
// and may delete this many, so that what has ended goes sooner than more comes.
const pruneBatch = 200

// pruneSessions deletes ended sessions: first their tokens, of which one may
// have thousands, then those that have none left.
func (t *tx) pruneSessions() error {
	at := t.now.UnixMilli()
	err := t.orm().Exec(`DELETE FROM refresh_tokens WHERE hash IN (SELECT r.hash FROM sessions AS s
		JOIN refresh_tokens AS r ON r.session_id = s.id WHERE s.expires_at <= ? LIMIT ?)`, at, pruneBatch).Error
	if err != nil {
		return err
	}
	return t.orm().Exec(`DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions AS s WHERE s.expires_at <= ?
		AND NOT EXISTS (SELECT 1 FROM refresh_tokens AS r WHERE r.session_id = s.id) LIMIT ?)`, at, pruneBatch).Error
}

// pruneRefreshTokens deletes a session's tokens from before oldest. Rotated ones
// stay until then: coming back they tell that somebody has a copy.
func (t *tx) pruneRefreshTokens(session models.ID, oldest int64) error {
	return t.orm().Exec(`DELETE FROM refresh_tokens WHERE hash IN
		(SELECT hash FROM refresh_tokens WHERE session_id = ? AND created_at <= ? LIMIT ?)`, session, oldest, pruneBatch).Error
}

// pruneOneTimeTokens deletes those that nobody used in time.
func (t *tx) pruneOneTimeTokens() error {
	return t.orm().Exec(`DELETE FROM one_time_tokens WHERE hash IN
		(SELECT hash FROM one_time_tokens WHERE expires_at <= ? LIMIT ?)`, t.now.UnixMilli(), pruneBatch).Error
}

// Authorize says who a session's holder is right now: the role comes from the
// store, so that a change of it holds at once. CodeUnauthorized where the
// session, the user or the membership has ended.
func (s *Store) Authorize(ctx context.Context, session models.ID) (models.Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	claims, err := s.holders(ctx, []models.ID{session})
	if err != nil {
		return models.Claims{}, err
	}
	if len(claims) == 0 {
		return models.Claims{}, models.Errorf(models.CodeUnauthorized, "the session has ended")
	}
	return claims[0], nil
}

// sessionsAtOnce is how many sessions one query asks for.
const sessionsAtOnce = 500

// AuthorizeAll is Authorize of many sessions; those that have ended are not in
// what it gives.
func (s *Store) AuthorizeAll(ctx context.Context, sessions []models.ID) (map[models.ID]models.Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	open := make(map[models.ID]models.Claims, len(sessions))
	for some := range slices.Chunk(sessions, sessionsAtOnce) {
		claims, err := s.holders(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, c := range claims {
			open[c.SessionID] = c
		}
	}
	return open, nil
}

func (s *Store) holders(ctx context.Context, sessions []models.ID) ([]models.Claims, error) {
	var rows []struct {
		ID             models.ID
		UserID         models.ID
		OrganizationID models.ID
		Role           models.Role
	}
	err := s.read.WithContext(ctx).Raw(`SELECT s.id, s.user_id, s.organization_id, m.role FROM sessions AS s
		JOIN members AS m ON m.organization_id = s.organization_id AND m.user_id = s.user_id
		WHERE s.id IN ? AND s.revoked_at IS NULL AND s.expires_at > ?`, sessions, s.millis()).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	claims := make([]models.Claims, len(rows))
	for i, row := range rows {
		claims[i] = models.Claims{UserID: row.UserID, SessionID: row.ID, Scope: models.ScopeOf(row.OrganizationID), Role: row.Role}
	}
	return claims, nil
}

// Purpose keeps the uses of one-time tokens apart.
type Purpose string

// The purposes of one-time tokens.
const (
	PurposeSetup  Purpose = "setup"
	PurposeTicket Purpose = "ticket"
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
