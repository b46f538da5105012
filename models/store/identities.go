package store

import (
	"context"

	"earshot/models"
)

// identityRow is an account at another provider, under what never changes there.
type identityRow struct {
	Issuer    string `gorm:"primaryKey"`
	Subject   string `gorm:"primaryKey"`
	UserID    models.ID
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (identityRow) TableName() string { return "identities" }

// Identity is what a provider says of who signed in there.
type Identity struct {
	Issuer, Subject string
	Email           string // in its normal form
	EmailVerified   bool
	Name            string
}

// UserByIdentity finds whose account at a provider it is, and links an account that
// has the same address where that is safe. Only the address is compared, never taken
// over: accounts are known by issuer and subject.
//
// The rules for an account that is here already under the address: the provider has
// to have verified it, or it is CodeForbidden; and where we had not, whoever made the
// account here may have been anybody, so their password and sessions end. ended are
// the sessions that did. CodeNotFound where there is no account.
func (s *Store) UserByIdentity(ctx context.Context, identity Identity) (user models.User, ended []models.ID, err error) {
	var found models.User
	var over []models.ID
	err = s.writer.do(ctx, false, func(t *tx) error {
		found, over = models.User{}, nil
		var known identityRow
		err := t.orm().Where("issuer = ? AND subject = ?", identity.Issuer, identity.Subject).Limit(1).Find(&known).Error
		if err != nil {
			return err
		}
		var row userRow
		if known.UserID != "" {
			err := t.orm().Where("id = ?", known.UserID).Take(&row).Error
			found = row.user()
			return err
		}
		if err := t.orm().Where("email = ?", identity.Email).Take(&row).Error; err != nil {
			return err
		}
		if !identity.EmailVerified {
			return models.Errorf(models.CodeForbidden, "the provider has not verified this address: sign in here as before")
		}
		if over, err = t.takeIdentity(ctx, &row, identity); err != nil {
			return err
		}
		found = row.user()
		return nil
	})
	if err != nil {
		return models.User{}, nil, err
	}
	return found, over, nil
}

// takeIdentity links an account. Where we had not verified its address ourselves,
// what was proved until then counts no more.
func (t *tx) takeIdentity(ctx context.Context, row *userRow, identity Identity) (ended []models.ID, err error) {
	if row.EmailVerifiedAt == nil {
		at := t.now.UnixMilli()
		row.EmailVerifiedAt, row.PasswordHash = &at, ""
		row.TOTPSecret, row.TOTPConfirmedAt, row.TOTPStep = nil, nil, 0
		if err := t.orm().Save(row).Error; err != nil {
			return nil, err
		}
		if err := t.replaceCodes(row.ID, nil); err != nil {
			return nil, err
		}
		if ended, err = t.endSessionsOf(row.ID, ""); err != nil {
			return nil, err
		}
	}
	if err := t.link(row.ID, identity); err != nil {
		return nil, err
	}
	by := models.By{Kind: models.ActorUser, ID: row.ID, Address: models.ByOf(ctx).Address}
	return ended, t.auditMemberships(models.WithBy(ctx, by), row.ID, models.AuditIdentityLinked)
}

func (t *tx) link(user models.ID, identity Identity) error {
	return t.orm().Create(&identityRow{
		Issuer: identity.Issuer, Subject: identity.Subject, UserID: user, CreatedAt: t.now.UnixMilli(),
	}).Error
}

// CreateOwnerByIdentity makes a user who signs in at another provider and owns a new
// organisation.
func (s *Store) CreateOwnerByIdentity(ctx context.Context, identity Identity, user models.User, organization models.Organization) (models.User, models.Organization, error) {
	var made models.User
	var owned models.Organization
	err := s.writer.do(ctx, false, func(t *tx) error {
		var err error
		if made, owned, err = t.createOwner(ctx, user, organization); err != nil {
			return err
		}
		return t.link(made.ID, identity)
	})
	if err != nil {
		return models.User{}, models.Organization{}, err
	}
	return made, owned, nil
}
