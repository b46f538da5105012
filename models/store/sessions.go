package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// RotationGrace is how long a refresh token still works after its successor was
// given out: two tabs may refresh at once, and an answer may get lost.
const RotationGrace = 10 * time.Second

// CreateSession starts a session of a user in an organisation, with its first
// refresh token.
func (s *Store) CreateSession(
	ctx context.Context, user, organization models.ID, from models.SignIn, token models.TokenHash, lifetime time.Duration,
) (models.Session, error) {
	var row sessionRow
	err := s.writer.do(ctx, false, func(t *tx) error {
		at := t.now.UnixMilli()
		row = sessionRow{
			ID: models.NewID(), UserID: user, OrganizationID: organization, Agent: from.Agent, Address: from.Address,
			CreatedAt: at, UsedAt: at, ExpiresAt: t.now.Add(lifetime).UnixMilli(),
		}
		if err := t.pruneSessions(); err != nil {
			return err
		}
		if from.PasswordHash != "" {
			// A password that was changed since it was looked at opens nothing any more.
			var same int64
			err := t.orm().Model(&userRow{}).Where("id = ? AND password_hash = ?", user, from.PasswordHash).Count(&same).Error
			if err != nil {
				return err
			}
			if same == 0 {
				return models.Errorf(models.CodeUnauthorized, "the password was changed meanwhile")
			}
		}
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		if err := t.orm().Create(&refreshTokenRow{Hash: token, SessionID: row.ID, CreatedAt: at}).Error; err != nil {
			return err
		}
		by := models.By{Kind: models.ActorUser, ID: user, Address: from.Address}
		return t.audit(models.WithBy(ctx, by), organization, noted{action: models.AuditSignedIn, kind: "session", object: row.ID})
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
			if err := t.audit(ctx, session.OrganizationID, noted{action: models.AuditTokenReused, kind: "session", object: session.ID}); err != nil {
				return err
			}
			return t.endSessions(t.orm().Where("id = ?", session.ID))
		}
		if err := t.moveSession(&session, organization); err != nil {
			return err
		}
		session.ExpiresAt, session.UsedAt = t.now.Add(lifetime).UnixMilli(), at
		if address := models.ByOf(ctx).Address; address != "" {
			session.Address = address
		}
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

// RevokeSession ends a session: its refresh tokens and its access tokens. Who asks has
// one of them, and so is its user.
func (s *Store) RevokeSession(ctx context.Context, id models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		var row sessionRow
		if err := t.orm().Where("id = ?", id).Limit(1).Find(&row).Error; err != nil {
			return err
		}
		by := models.By{Kind: models.ActorUser, ID: row.UserID, Address: models.ByOf(ctx).Address}
		return t.revokeSession(models.WithBy(ctx, by), t.orm().Where("id = ?", id))
	})
}

// RevokeOwnSession is RevokeSession for who wants to end a session of their own;
// somebody else's is CodeNotFound.
func (s *Store) RevokeOwnSession(ctx context.Context, user, id models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		chosen := t.orm().Where("id = ? AND user_id = ? AND revoked_at IS NULL AND expires_at > ?", id, user, t.now.UnixMilli())
		if err := chosen.Session(&gorm.Session{}).Take(&sessionRow{}).Error; err != nil {
			return err
		}
		return t.revokeSession(ctx, chosen)
	})
}

// revokeSession ends the one session that is chosen, if it goes on.
func (t *tx) revokeSession(ctx context.Context, chosen *gorm.DB) error {
	chosen = chosen.Session(&gorm.Session{})
	var row sessionRow
	if err := chosen.Where("revoked_at IS NULL").Limit(1).Find(&row).Error; err != nil || row.ID == "" {
		return err
	}
	if err := t.endSessions(chosen); err != nil {
		return err
	}
	return t.audit(ctx, row.OrganizationID, noted{action: models.AuditSignedOut, kind: "session", object: row.ID})
}

// Sessions are a user's that go on, the last used first.
func (s *Store) Sessions(ctx context.Context, user models.ID) ([]models.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var rows []sessionRow
	err := s.read.WithContext(ctx).Where("user_id = ? AND revoked_at IS NULL AND expires_at > ?", user, s.millis()).
		Order("used_at DESC, id DESC").Limit(MaxLimit).Find(&rows).Error
	sessions := make([]models.Session, len(rows))
	for i, row := range rows {
		sessions[i] = row.session()
	}
	return sessions, translate(err)
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
