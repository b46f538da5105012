package store

import (
	"context"

	"gorm.io/gorm/clause"

	"earshot/models"
)

// MarkRead notes that a member has read an item up to now, or takes that back.
func (s *Store) MarkRead(ctx context.Context, scope models.Scope, user, feedback models.ID, read bool) error {
	if _, err := s.Feedback(ctx, scope, feedback); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		at := int64(0) // read up to nothing
		if read {
			at = t.now.UnixMilli()
		}
		return t.orm().Clauses(clause.OnConflict{UpdateAll: true}).Create(&readRow{UserID: user, FeedbackID: feedback, At: at}).Error
	})
}

// Unread says which of the organisation's items have something that the member has
// not read. What came before they joined is not theirs to catch up with, unless
// they asked for it.
func (s *Store) Unread(ctx context.Context, scope models.Scope, user models.ID, items ...*models.Feedback) (map[models.ID]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return nil, err
	}
	var member memberRow
	err = db.Where("organization_id = ? AND user_id = ?", scope.Organization(), user).Limit(1).Find(&member).Error
	if err != nil {
		return nil, translate(err)
	}
	ids := make([]models.ID, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	var rows []readRow
	if err := db.Where("user_id = ? AND feedback_id IN ?", user, ids).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	upTo := make(map[models.ID]int64, len(rows))
	for _, row := range rows {
		upTo[row.FeedbackID] = row.At
	}
	unread := make(map[models.ID]bool, len(items))
	for _, item := range items {
		at, known := upTo[item.ID]
		if !known {
			at = member.CreatedAt
		}
		unread[item.ID] = item.VisitorAt.UnixMilli() > at
	}
	return unread, nil
}
