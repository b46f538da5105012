package store

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"earshot/models"
)

// memberName is a member with the person's name.
type memberName struct {
	ID           models.ID
	Name         string
	Email        string
	Role         models.Role
	SecondFactor bool
	CreatedAt    int64
}

func (r memberName) member() models.Member {
	return models.Member{
		UserID: r.ID, Name: r.Name, Email: r.Email, Role: r.Role, SecondFactor: r.SecondFactor, JoinedAt: fromMillis(r.CreatedAt),
	}
}

func membersOf(db *gorm.DB, scope models.Scope) *gorm.DB {
	return db.Table("members AS m").Joins("JOIN users AS u ON u.id = m.user_id").
		Select("u.id, u.name, u.email, m.role, u.totp_confirmed_at IS NOT NULL AS second_factor, m.created_at").
		Where("m.organization_id = ?", scope.Organization())
}

// Members is one page of the organisation's members, who joined first before the
// others.
func (s *Store) Members(ctx context.Context, scope models.Scope, page Page) (List[models.Member], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return List[models.Member]{}, err
	}
	members := chronology[memberName, models.Member]{
		name: "members", sort: "created_at",
		key:  func(row memberName) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row memberName) (models.Member, error) { return row.member(), nil },
	}
	return members.page(db.Table("(?) AS named", membersOf(db, scope)), page)
}

// errLastOwner: somebody has to be able to let others in.
func errLastOwner() error {
	return models.Errorf(models.CodeForbidden, "an organisation needs an owner: make somebody else one first")
}

// SetRole changes a member's role, by somebody whose role is above both the old and
// the new one. Invitations that they could not make with the new one end. It gives the
// sessions that the member has in the organisation: what
// is open by them is the caller's to close, so that it is opened anew.
func (s *Store) SetRole(ctx context.Context, scope models.Scope, user models.ID, role models.Role, by models.Claims) (models.Member, []models.ID, error) {
	var member models.Member
	var sessions []models.ID
	err := s.changeMember(ctx, scope, user, by, func(t *tx, row *memberRow, mine models.Role) error {
		if !mine.CanManage() || !mine.Above(role) {
			return errRole()
		}
		var named memberName
		if err := membersOf(t.orm(), scope).Where("u.id = ?", user).Take(&named).Error; err != nil {
			return err
		}
		named.Role = role
		member, sessions = named.member(), nil
		if row.Role == role {
			return nil
		}
		if err := t.keepOwner(row); err != nil {
			return err
		}
		changed := t.orm().Model(&memberRow{}).Where("organization_id = ? AND user_id = ?", row.OrganizationID, user).Update("role", role)
		if changed.Error != nil {
			return changed.Error
		}
		var err error
		if sessions, err = t.sessionsIn(row); err != nil {
			return err
		}
		if err := t.endInvitesOf(ctx, row, role); err != nil {
			return err
		}
		return t.audit(ctx, row.OrganizationID, noted{
			action: models.AuditRoleChanged, kind: "user", object: user, detail: map[string]string{"from": string(row.Role), "to": string(role)},
		})
	})
	if err != nil {
		return models.Member{}, nil, err
	}
	return member, sessions, nil
}

// RemoveMember ends a membership, the invitations that the member made, the sessions
// that they have in the organisation and, where withKeys says so, the API keys that they
// made, whose secrets they may know. It gives the ids of the sessions and keys. What they
// wrote stays, and so does their account. Whoever leaves by themselves needs no role for
// it, but one that manages for the keys.
func (s *Store) RemoveMember(ctx context.Context, scope models.Scope, user models.ID, withKeys bool, by models.Claims) ([]models.ID, error) {
	var ended []models.ID
	err := s.changeMember(ctx, scope, user, by, func(t *tx, row *memberRow, mine models.Role) error {
		if !mine.CanManage() && (by.UserID != user || withKeys) {
			return errRole()
		}
		if err := t.keepOwner(row); err != nil {
			return err
		}
		var err error
		if ended, err = t.sessionsIn(row); err != nil {
			return err
		}
		if err := t.endSessions(t.orm().Where("organization_id = ? AND user_id = ?", row.OrganizationID, user)); err != nil {
			return err
		}
		if err := t.handOverViews(row); err != nil {
			return err
		}
		if err := t.endInvitesOf(ctx, row, ""); err != nil {
			return err
		}
		if withKeys {
			keys, err := t.endKeysOf(ctx, row)
			if err != nil {
				return err
			}
			ended = append(ended, keys...)
		}
		// What else is theirs in the organisation goes with the row, by its foreign keys.
		if err := t.orm().Where("organization_id = ? AND user_id = ?", row.OrganizationID, user).Delete(&memberRow{}).Error; err != nil {
			return err
		}
		return t.audit(ctx, row.OrganizationID, noted{action: models.AuditMemberRemoved, kind: "user", object: user})
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// handOverViews gives the views that a member shared to an owner: others use them.
func (t *tx) handOverViews(row *memberRow) error {
	var heir memberRow
	err := t.orm().Where("organization_id = ? AND role = ? AND user_id <> ?", row.OrganizationID, models.RoleOwner, row.UserID).
		Order("created_at, user_id").Limit(1).Find(&heir).Error
	if err != nil || heir.UserID == "" {
		return err
	}
	return t.orm().Model(&viewRow{}).Where("organization_id = ? AND user_id = ? AND shared", row.OrganizationID, row.UserID).
		Update("user_id", heir.UserID).Error
}

// changeMember finds a member for somebody who may change them, by the role that they
// have now: their own may have been changed since they asked.
func (s *Store) changeMember(
	ctx context.Context, scope models.Scope, user models.ID, by models.Claims, change func(t *tx, row *memberRow, mine models.Role) error,
) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		var row memberRow
		err := t.orm().Where("organization_id = ? AND user_id = ?", scope.Organization(), user).Take(&row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return errNotFound
		}
		if err != nil {
			return err
		}
		mine, err := t.roleOf(scope, by.UserID)
		if err != nil {
			return err
		}
		if by.UserID != user && !mine.Above(row.Role) {
			return errRole()
		}
		return change(t, &row, mine)
	})
}

// roleOf is a member's role now; "" of who is none any more.
func (t *tx) roleOf(scope models.Scope, user models.ID) (models.Role, error) {
	var row memberRow
	err := t.orm().Where("organization_id = ? AND user_id = ?", scope.Organization(), user).Limit(1).Find(&row).Error
	return row.Role, err
}

func errRole() error { return models.Errorf(models.CodeForbidden, "your role does not allow this") }

// keepOwner refuses to take the organisation's last owner.
func (t *tx) keepOwner(row *memberRow) error {
	if row.Role != models.RoleOwner {
		return nil
	}
	var others int64
	err := t.orm().Model(&memberRow{}).Where("organization_id = ? AND role = ? AND user_id <> ?", row.OrganizationID, models.RoleOwner, row.UserID).
		Count(&others).Error
	if err == nil && others == 0 {
		err = errLastOwner()
	}
	return err
}

func (t *tx) sessionsIn(row *memberRow) (ids []models.ID, err error) {
	err = t.orm().Model(&sessionRow{}).Where("user_id = ? AND organization_id = ? AND revoked_at IS NULL", row.UserID, row.OrganizationID).
		Pluck("id", &ids).Error
	return ids, err
}
