package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

type inviteRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	Hash           []byte
	Email          string
	Role           models.Role
	CreatedBy      models.ID
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	ExpiresAt      int64
}

func (inviteRow) TableName() string { return "invites" }

func (r inviteRow) invite() models.Invite {
	return models.Invite{
		ID: r.ID, Email: r.Email, Role: r.Role, CreatedBy: r.CreatedBy, CreatedAt: fromMillis(r.CreatedAt), ExpiresAt: fromMillis(r.ExpiresAt),
	}
}

// maxInvites bounds an organisation's open invitations.
const maxInvites = 200

// CreateInvite stores an invitation, normalised by its Normalize, with the hash of
// its link's token, and fills in its id and times. One to an address takes the place
// of an earlier one to it.
func (s *Store) CreateInvite(ctx context.Context, scope models.Scope, invite *models.Invite, hash models.TokenHash, lifetime time.Duration) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	organization := scope.Organization()
	row := inviteRow{ID: models.NewID(), OrganizationID: organization, Hash: hash, Email: invite.Email, Role: invite.Role, CreatedBy: invite.CreatedBy}
	err := s.writer.do(ctx, false, func(t *tx) error {
		if mine, err := t.roleOf(scope, invite.CreatedBy); err != nil || !mine.CanManage() || !mine.Above(invite.Role) {
			return cmp.Or(err, errRole())
		}
		row.CreatedAt, row.ExpiresAt = t.now.UnixMilli(), t.now.Add(lifetime).UnixMilli()
		if err := t.orm().Where("expires_at <= ?", row.CreatedAt).Delete(&inviteRow{}).Error; err != nil {
			return err
		}
		if invite.Email != "" {
			if err := t.orm().Where("organization_id = ? AND email = ?", organization, invite.Email).Delete(&inviteRow{}).Error; err != nil {
				return err
			}
			var joined int64
			err := t.orm().Table("members AS m").Joins("JOIN users AS u ON u.id = m.user_id").
				Where("m.organization_id = ? AND u.email = ?", organization, invite.Email).Count(&joined).Error
			if err != nil {
				return err
			}
			if joined > 0 {
				return models.Errorf(models.CodeConflict, "this person is a member already")
			}
		}
		var open int64
		if err := t.orm().Model(&inviteRow{}).Where("organization_id = ?", organization).Count(&open).Error; err != nil {
			return err
		}
		if open >= maxInvites {
			return models.Errorf(models.CodeForbidden, "an organisation has at most %d open invitations", maxInvites)
		}
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		return t.audit(ctx, organization, noted{
			action: models.AuditInvited, kind: "invite", object: row.ID, detail: map[string]string{"role": string(row.Role)},
		})
	})
	if err != nil {
		return err
	}
	*invite = row.invite()
	return nil
}

// Invites is one page of an organisation's open invitations, the newest first.
func (s *Store) Invites(ctx context.Context, scope models.Scope, page Page) (List[models.Invite], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return List[models.Invite]{}, err
	}
	invites := chronology[inviteRow, models.Invite]{
		name: "invites", sort: "-created_at",
		key:  func(row inviteRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row inviteRow) (models.Invite, error) { return row.invite(), nil },
	}
	return invites.page(db.Model(&inviteRow{}).Where("organization_id = ? AND expires_at > ?", scope.Organization(), s.millis()), page)
}

// RevokeInvite takes an invitation back.
func (s *Store) RevokeInvite(ctx context.Context, scope models.Scope, id models.ID) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		deleted := t.orm().Where("id = ? AND organization_id = ?", id, scope.Organization()).Delete(&inviteRow{})
		if deleted.Error != nil {
			return deleted.Error
		}
		if deleted.RowsAffected == 0 {
			return errNotFound
		}
		return t.audit(ctx, scope.Organization(), noted{action: models.AuditInviteRevoked, kind: "invite", object: id})
	})
}

// endInvitesOf takes back the invitations that a member made and could not make with
// the role that they have from now on, "" for none: who has the link may be themselves.
func (t *tx) endInvitesOf(ctx context.Context, row *memberRow, role models.Role) error {
	var invites []inviteRow
	if err := t.orm().Where("organization_id = ? AND created_by = ?", row.OrganizationID, row.UserID).Find(&invites).Error; err != nil {
		return err
	}
	for _, invite := range invites {
		if role.Above(invite.Role) {
			continue
		}
		if err := t.orm().Delete(&invite).Error; err != nil {
			return err
		}
		if err := t.audit(ctx, row.OrganizationID, noted{action: models.AuditInviteRevoked, kind: "invite", object: invite.ID}); err != nil {
			return err
		}
	}
	return nil
}

// Invite finds the open invitation of a link and its organisation. CodeUnauthorized
// where the link is not, or no longer, good.
func (s *Store) Invite(ctx context.Context, token models.TokenHash) (models.Invite, models.Organization, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := findInvite(s.read.WithContext(ctx), token, s.millis())
	if err != nil {
		return models.Invite{}, models.Organization{}, translate(err)
	}
	var organization organizationRow
	err = s.read.WithContext(ctx).Where("id = ?", row.OrganizationID).Take(&organization).Error
	return row.invite(), models.Organization{ID: organization.ID, Name: organization.Name, CreatedAt: fromMillis(organization.CreatedAt)}, translate(err)
}

func findInvite(db *gorm.DB, token models.TokenHash, now int64) (inviteRow, error) {
	var row inviteRow
	err := db.Where("hash = ? AND expires_at > ?", []byte(token), now).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = models.Errorf(models.CodeUnauthorized, "this invitation was used already, was taken back, or has expired")
	}
	return row, err
}

// AcceptInvite uses an invitation up for a user who is signed in, and says which
// organisation they are a member of now. One that names an address is for the user
// who has that address alone; who has the link was sent it, which proves the address.
func (s *Store) AcceptInvite(ctx context.Context, token models.TokenHash, user models.ID) (models.ID, error) {
	var organization models.ID
	err := s.writer.do(ctx, false, func(t *tx) error {
		invite, err := findInvite(t.orm(), token, t.now.UnixMilli())
		if err != nil {
			return err
		}
		var row userRow
		if err := t.orm().Where("id = ?", user).Take(&row).Error; err != nil {
			return err
		}
		if invite.Email != "" && invite.Email != row.Email {
			return models.Errorf(models.CodeForbidden, "this invitation is for another address than the one you signed in with")
		}
		organization = invite.OrganizationID
		return t.acceptInvite(ctx, invite, user)
	})
	if err != nil {
		return "", err
	}
	return organization, nil
}

// JoinByInvite uses an invitation up for a new user. CodeConflict where the address
// is taken: who has it signs in first.
func (s *Store) JoinByInvite(ctx context.Context, token models.TokenHash, user models.User) (models.User, models.ID, error) {
	var made models.User
	var organization models.ID
	err := s.writer.do(ctx, false, func(t *tx) error {
		invite, err := findInvite(t.orm(), token, t.now.UnixMilli())
		if err != nil {
			return err
		}
		if invite.Email != "" && invite.Email != user.Email {
			return models.InvalidField("email", "the invitation is for another address")
		}
		user.EmailVerified = invite.Email != ""
		if made, err = t.createUser(user); err != nil {
			return err
		}
		organization = invite.OrganizationID
		return t.acceptInvite(models.WithBy(ctx, models.By{Kind: models.ActorUser, ID: made.ID, Address: models.ByOf(ctx).Address}), invite, made.ID)
	})
	if err != nil {
		return models.User{}, "", err
	}
	return made, organization, nil
}

func (t *tx) acceptInvite(ctx context.Context, invite inviteRow, user models.ID) error {
	var member int64
	err := t.orm().Model(&memberRow{}).Where("organization_id = ? AND user_id = ?", invite.OrganizationID, user).Count(&member).Error
	if err != nil {
		return err
	}
	if member > 0 {
		return models.Errorf(models.CodeConflict, "you are a member of this organisation already")
	}
	if err := t.orm().Delete(&invite).Error; err != nil {
		return err
	}
	return t.join(ctx, invite.OrganizationID, user, invite.Role)
}
