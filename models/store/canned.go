package store

import (
	"context"

	"earshot/models"
)

type cannedReplyRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	Name           string
	Body           string
	Rev            int64
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	UpdatedAt      int64 `gorm:"autoUpdateTime:false"`
}

func (cannedReplyRow) TableName() string { return "canned_replies" }

func (r cannedReplyRow) reply() models.CannedReply {
	return models.CannedReply{
		ID: r.ID, OrganizationID: r.OrganizationID, ProjectID: r.ProjectID, Name: r.Name, Body: r.Body, Rev: r.Rev,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

// CannedReplies is one page of a project's, oldest first.
func (s *Store) CannedReplies(ctx context.Context, scope models.Scope, project models.ID, page Page) (List[models.CannedReply], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return List[models.CannedReply]{}, err
	}
	replies := chronology[cannedReplyRow, models.CannedReply]{
		name: "canned replies", sort: "created_at",
		key:  func(row cannedReplyRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row cannedReplyRow) (models.CannedReply, error) { return row.reply(), nil },
	}
	return replies.page(s.read.WithContext(ctx).Model(&cannedReplyRow{}).
		Where("project_id = ? AND organization_id = ?", project, scope.Organization()), page)
}

// CreateCannedReply stores a new one, checked by its Normalize.
func (s *Store) CreateCannedReply(ctx context.Context, scope models.Scope, reply models.CannedReply) (models.CannedReply, error) {
	if _, err := s.Project(ctx, scope, reply.ProjectID); err != nil {
		return reply, err
	}
	at := s.millis()
	row := cannedReplyRow{
		ID: models.NewID(), OrganizationID: scope.Organization(), ProjectID: reply.ProjectID, Name: reply.Name, Body: reply.Body, Rev: 1,
		CreatedAt: at, UpdatedAt: at,
	}
	err := s.writer.do(ctx, false, func(t *tx) error {
		var n int64
		if err := t.orm().Model(&cannedReplyRow{}).Where("project_id = ?", reply.ProjectID).Count(&n).Error; err != nil {
			return err
		}
		if n >= models.MaxCannedReplies {
			return models.Errorf(models.CodeForbidden, "a project may have no more than %d canned replies", models.MaxCannedReplies)
		}
		return t.orm().Create(&row).Error
	})
	return row.reply(), err
}

// UpdateCannedReply changes name and body of the revision that was read; of another
// it is CodeConflict.
func (s *Store) UpdateCannedReply(ctx context.Context, scope models.Scope, reply models.CannedReply) (models.CannedReply, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return reply, err
	}
	changed := make(chan cannedReplyRow, 1)
	err := s.writer.do(ctx, false, func(t *tx) error {
		var row cannedReplyRow
		if err := owned(t.orm(), scope).Where("id = ?", reply.ID).Take(&row).Error; err != nil {
			return err
		}
		if row.Rev != reply.Rev {
			return models.Errorf(models.CodeConflict, "the reply was changed in the meantime")
		}
		row.Name, row.Body, row.Rev, row.UpdatedAt = reply.Name, reply.Body, row.Rev+1, t.now.UnixMilli()
		select {
		case <-changed:
		default:
		}
		changed <- row
		return t.orm().Save(&row).Error
	})
	if err != nil {
		return reply, err
	}
	row := <-changed
	return row.reply(), nil
}

// CannedReply reads one.
func (s *Store) CannedReply(ctx context.Context, scope models.Scope, id models.ID) (models.CannedReply, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return models.CannedReply{}, err
	}
	var row cannedReplyRow
	err = owned(db, scope).Where("id = ?", id).Take(&row).Error
	return row.reply(), translate(err)
}

// DeleteCannedReply removes one.
func (s *Store) DeleteCannedReply(ctx context.Context, scope models.Scope, id models.ID) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		deleted := owned(t.orm(), scope).Where("id = ?", id).Delete(&cannedReplyRow{})
		if deleted.Error == nil && deleted.RowsAffected == 0 {
			return errNotFound
		}
		return deleted.Error
	})
}
