package store

import (
	"context"

	"earshot/models"
)

type recoveryCodeRow struct {
	UserID models.ID `gorm:"primaryKey"`
	Hash   []byte    `gorm:"primaryKey"`
}

func (recoveryCodeRow) TableName() string { return "recovery_codes" }

// Factor is a user's second factor as it is stored.
type Factor struct {
	// Secret is sealed; nil where there is none.
	Secret []byte
	// Confirmed: signing in asks for it.
	Confirmed bool
	// Step is the newest time step of which a code was used (RFC 6238 §5.2: a code
	// is good once).
	Step int64
}

// SecondFactor reads a user's second factor.
func (s *Store) SecondFactor(ctx context.Context, user models.ID) (Factor, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row userRow
	err := s.read.WithContext(ctx).Where("id = ?", user).Take(&row).Error
	return Factor{Secret: row.TOTPSecret, Confirmed: row.TOTPConfirmedAt != nil, Step: row.TOTPStep}, translate(err)
}

// BeginFactor stores a secret that is still to be confirmed. CodeConflict where the
// user has a second factor.
func (s *Store) BeginFactor(ctx context.Context, user models.ID, sealed []byte) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.changeFactor(user, "totp_confirmed_at IS NULL", map[string]any{"totp_secret": sealed, "totp_step": 0})
	})
}

// ConfirmFactor makes the secret that was begun the user's second factor, with the
// hashes of new recovery codes. The step is that of the code that confirmed it.
func (s *Store) ConfirmFactor(ctx context.Context, user models.ID, step int64, codes []models.TokenHash) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		err := t.changeFactor(user, "totp_confirmed_at IS NULL AND totp_secret IS NOT NULL",
			map[string]any{"totp_confirmed_at": t.now.UnixMilli(), "totp_step": step})
		if err != nil {
			return err
		}
		if err := t.replaceCodes(user, codes); err != nil {
			return err
		}
		return t.auditMemberships(ctx, user, models.AuditFactorAdded)
	})
}

// changeFactor refuses where the condition does not hold.
func (t *tx) changeFactor(user models.ID, condition string, values map[string]any) error {
	changed := t.orm().Model(&userRow{}).Where("id = ? AND "+condition, user).Updates(values)
	if changed.Error == nil && changed.RowsAffected == 0 {
		return models.Errorf(models.CodeConflict, "the second factor is not in the state for this")
	}
	return changed.Error
}

func (t *tx) replaceCodes(user models.ID, codes []models.TokenHash) error {
	if err := t.orm().Where("user_id = ?", user).Delete(&recoveryCodeRow{}).Error; err != nil || len(codes) == 0 {
		return err
	}
	rows := make([]recoveryCodeRow, len(codes))
	for i, hash := range codes {
		rows[i] = recoveryCodeRow{UserID: user, Hash: hash}
	}
	return t.orm().Create(&rows).Error
}

// RemoveFactor takes a user's second factor away, with its recovery codes.
func (s *Store) RemoveFactor(ctx context.Context, user models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		err := t.changeFactor(user, "totp_secret IS NOT NULL", map[string]any{"totp_secret": nil, "totp_confirmed_at": nil, "totp_step": 0})
		if err != nil {
			return err
		}
		if err := t.replaceCodes(user, nil); err != nil {
			return err
		}
		return t.auditMemberships(ctx, user, models.AuditFactorRemoved)
	})
}

// UseStep uses a time step's code up. False where it, or a later one, was used: of
// several at once only one gets in.
func (s *Store) UseStep(ctx context.Context, user models.ID, step int64) (used bool, err error) {
	var fresh bool
	err = s.writer.do(ctx, false, func(t *tx) error {
		changed := t.orm().Model(&userRow{}).Where("id = ? AND totp_step < ?", user, step).Update("totp_step", step)
		fresh = changed.RowsAffected == 1
		return changed.Error
	})
	return err == nil && fresh, err
}

// UseRecoveryCode uses a recovery code up; left is how many there are still. False
// where it is none, or was used.
func (s *Store) UseRecoveryCode(ctx context.Context, user models.ID, code models.TokenHash) (used bool, left int64, err error) {
	var found bool
	var rest int64
	err = s.writer.do(ctx, false, func(t *tx) error {
		deleted := t.orm().Where("user_id = ? AND hash = ?", user, []byte(code)).Delete(&recoveryCodeRow{})
		if deleted.Error != nil {
			return deleted.Error
		}
		found = deleted.RowsAffected == 1
		return t.orm().Model(&recoveryCodeRow{}).Where("user_id = ?", user).Count(&rest).Error
	})
	if err != nil {
		return false, 0, err
	}
	return found, rest, nil
}

// ReplaceRecoveryCodes makes the old ones worthless. CodeConflict where the user has
// no second factor.
func (s *Store) ReplaceRecoveryCodes(ctx context.Context, user models.ID, codes []models.TokenHash) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		var confirmed int64
		if err := t.orm().Model(&userRow{}).Where("id = ? AND totp_confirmed_at IS NOT NULL", user).Count(&confirmed).Error; err != nil {
			return err
		}
		if confirmed == 0 {
			return models.Errorf(models.CodeConflict, "there is no second factor")
		}
		return t.replaceCodes(user, codes)
	})
}
