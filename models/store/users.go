package store

import (
	"context"

	"gorm.io/gorm"

	"earshot/models"
)

// HasUsers reports whether anybody can sign in yet.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var n int64
	err := s.read.WithContext(ctx).Model(&userRow{}).Limit(1).Count(&n).Error
	return n > 0, translate(err)
}

// CreateFirstOwner makes the first user, who owns a new organisation. It fails
// with CodeForbidden when there is a user already: two who come at once do not
// both get in.
func (s *Store) CreateFirstOwner(ctx context.Context, user models.User, organization models.Organization) (models.User, models.Organization, error) {
	return s.createOwner(ctx, user, organization, (*tx).refuseSecondOwner)
}

// SetUp is CreateFirstOwner for who holds a setup link. All such links are used
// up by the same transaction, so that one which made no owner still works.
// CodeUnauthorized where the token is not, or no longer, good.
func (s *Store) SetUp(ctx context.Context, token models.TokenHash, user models.User, organization models.Organization) (models.User, models.Organization, error) {
	return s.createOwner(ctx, user, organization, func(t *tx) error {
		if err := t.refuseSecondOwner(); err != nil {
			return err
		}
		if _, err := findToken(t.orm(), PurposeSetup, token, t.now.UnixMilli()); err != nil {
			return err
		}
		return t.orm().Where("purpose = ?", string(PurposeSetup)).Delete(&oneTimeTokenRow{}).Error
	})
}

func (t *tx) refuseSecondOwner() error {
	var n int64
	if err := t.orm().Model(&userRow{}).Limit(1).Count(&n).Error; err != nil {
		return err
	}
	if n > 0 {
		return models.Errorf(models.CodeForbidden, "the first owner exists already")
	}
	return nil
}

// CreateOwner makes a user who owns a new organisation; CodeConflict where the
// address is taken.
func (s *Store) CreateOwner(ctx context.Context, user models.User, organization models.Organization) (models.User, models.Organization, error) {
	return s.createOwner(ctx, user, organization, func(*tx) error { return nil })
}

// createOwner makes an owner where allowed says so.
func (s *Store) createOwner(
	ctx context.Context, user models.User, organization models.Organization, allowed func(*tx) error,
) (models.User, models.Organization, error) {
	var made models.User
	var owned models.Organization
	err := s.writer.do(ctx, false, func(t *tx) error {
		err := allowed(t)
		if err == nil {
			made, owned, err = t.createOwner(ctx, user, organization)
		}
		return err
	})
	if err != nil {
		return models.User{}, models.Organization{}, err
	}
	return made, owned, nil
}

func (t *tx) createOwner(ctx context.Context, user models.User, organization models.Organization) (models.User, models.Organization, error) {
	at := t.now.UnixMilli()
	org := organizationRow{ID: models.NewID(), Name: organization.Name, CreatedAt: at}
	if err := t.orm().Create(&org).Error; err != nil {
		return user, organization, err
	}
	created, err := t.createMember(ctx, user, org.ID, models.RoleOwner)
	return created, models.Organization{ID: org.ID, Name: org.Name, CreatedAt: fromMillis(at)}, err
}

func (t *tx) createMember(ctx context.Context, user models.User, organization models.ID, role models.Role) (models.User, error) {
	made, err := t.createUser(user)
	if err != nil {
		return made, err
	}
	return made, t.join(ctx, organization, made.ID, role)
}

func (t *tx) createUser(user models.User) (models.User, error) {
	var taken int64
	if err := t.orm().Model(&userRow{}).Where("email = ?", user.Email).Count(&taken).Error; err != nil {
		return user, err
	}
	if taken > 0 {
		return user, models.Errorf(models.CodeConflict, "there is a user with this address already")
	}
	at := t.now.UnixMilli()
	row := userRow{ID: models.NewID(), Email: user.Email, Name: user.Name, PasswordHash: user.PasswordHash, CreatedAt: at}
	if user.EmailVerified {
		row.EmailVerifiedAt = &at
	}
	return row.user(), t.orm().Create(&row).Error
}

// join makes a user a member.
func (t *tx) join(ctx context.Context, organization, user models.ID, role models.Role) error {
	member := memberRow{OrganizationID: organization, UserID: user, Role: role, CreatedAt: t.now.UnixMilli()}
	if err := t.orm().Create(&member).Error; err != nil {
		return err
	}
	return t.audit(ctx, organization, noted{
		action: models.AuditMemberJoined, kind: "user", object: user, detail: map[string]string{"role": string(role)},
	})
}

// CreateMember makes a user who is a member of the scope's organisation.
func (s *Store) CreateMember(ctx context.Context, scope models.Scope, user models.User, role models.Role) (models.User, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return user, err
	}
	var made models.User
	err := s.writer.do(ctx, false, func(t *tx) error {
		var err error
		made, err = t.createMember(ctx, user, scope.Organization(), role)
		return err
	})
	if err != nil {
		return models.User{}, err
	}
	return made, nil
}

// Organizations lists all organisations, for the operator's commands.
func (s *Store) Organizations(ctx context.Context) ([]models.Organization, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rows, err := gorm.G[organizationRow](s.read).Order("created_at, id").Find(ctx)
	if err != nil {
		return nil, translate(err)
	}
	list := make([]models.Organization, len(rows))
	for i, row := range rows {
		list[i] = models.Organization{ID: row.ID, Name: row.Name, CreatedAt: fromMillis(row.CreatedAt)}
	}
	return list, nil
}

// UserByEmail finds who signs in with an address in its normal form.
func (s *Store) UserByEmail(ctx context.Context, email string) (models.User, error) {
	return s.userWhere(ctx, "email = ?", email)
}

// User reads one user by id.
func (s *Store) User(ctx context.Context, id models.ID) (models.User, error) {
	return s.userWhere(ctx, "id = ?", id)
}

func (s *Store) userWhere(ctx context.Context, condition string, value any) (models.User, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := gorm.G[userRow](s.read).Where(condition, value).Take(ctx)
	return row.user(), translate(err)
}

// Memberships lists the organisations that a user belongs to, oldest first.
func (s *Store) Memberships(ctx context.Context, user models.ID) ([]models.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	// gorm does not fill embedded types that are not exported.
	var rows []struct {
		ID        models.ID
		Name      string
		CreatedAt int64
		Role      models.Role
	}
	err := s.read.WithContext(ctx).Table("members AS m").Select("o.*, m.role").
		Joins("JOIN organizations AS o ON o.id = m.organization_id").
		Where("m.user_id = ?", user).Order("m.created_at, o.id").Scan(&rows).Error
	list := make([]models.Membership, len(rows))
	for i, row := range rows {
		list[i] = models.Membership{
			Organization: models.Organization{ID: row.ID, Name: row.Name, CreatedAt: fromMillis(row.CreatedAt)}, Role: row.Role,
		}
	}
	return list, translate(err)
}

// SetPassword stores a new password hash and ends the user's sessions but keep, if
// that is not "". The ids of those that ended are returned.
func (s *Store) SetPassword(ctx context.Context, user models.ID, hash string, keep models.ID) ([]models.ID, error) {
	var ended []models.ID
	err := s.writer.do(ctx, false, func(t *tx) (err error) {
		ended, err = t.setPassword(ctx, user, hash, keep)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// setPassword ends what the old password and letters about it could still open.
func (t *tx) setPassword(ctx context.Context, user models.ID, hash string, keep models.ID) (ended []models.ID, err error) {
	updated := t.orm().Model(&userRow{}).Where("id = ?", user).Update("password_hash", hash)
	if updated.Error != nil {
		return nil, updated.Error
	}
	if updated.RowsAffected == 0 {
		return nil, errNotFound
	}
	err = t.orm().Where("purpose = ? AND "+t.w.dialect.text("payload", "user")+" = ?", string(PurposeReset), user).Delete(&oneTimeTokenRow{}).Error
	if err != nil {
		return nil, err
	}
	if ended, err = t.endSessionsOf(user, keep); err != nil {
		return nil, err
	}
	return ended, t.auditMemberships(ctx, user, models.AuditPasswordChanged)
}

// endSessionsOf ends a user's sessions but keep.
func (t *tx) endSessionsOf(user, keep models.ID) (ended []models.ID, err error) {
	err = t.orm().Model(&sessionRow{}).Where("user_id = ? AND id <> ? AND revoked_at IS NULL", user, keep).Pluck("id", &ended).Error
	if err != nil {
		return nil, err
	}
	return ended, t.endSessions(t.orm().Where("user_id = ? AND id <> ?", user, keep))
}

// RenameUser changes how others see a user.
func (s *Store) RenameUser(ctx context.Context, id models.ID, name string) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Model(&userRow{}).Where("id = ?", id).Update("name", name).Error
	})
}
