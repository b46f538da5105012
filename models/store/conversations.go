package store

import (
	"context"

	"earshot/models"
)

// Messages is one page of what was said about an item, notes included, deleted
// ones not. sort is "created_at", or "-created_at" for the newest first.
func (s *Store) Messages(ctx context.Context, scope models.Scope, feedback models.ID, page Page, sort string) (List[models.Message], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Feedback(ctx, scope, feedback); err != nil {
		return List[models.Message]{}, err
	}
	messages := chronology[messageRow, models.Message]{
		name: "messages", sort: sort,
		key:  func(row messageRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row messageRow) (models.Message, error) { return row.message(), nil },
	}
	return messages.page(s.read.WithContext(ctx).Model(&messageRow{}).
		Where("feedback_id = ? AND organization_id = ? AND deleted_at IS NULL", feedback, scope.Organization()), page)
}

// Conversation is an item as its visitor sees it.
type Conversation struct {
	Feedback *models.Feedback
	Messages []models.Message // public ones, oldest first
}

// maxConversationMessages bounds what one item brings along; the newest are kept.
const maxConversationMessages = 200

// Conversations is one page of a visitor session's items, newest first, with
// their public messages.
func (s *Store) Conversations(ctx context.Context, project *models.Project, session models.ID, page Page) (List[Conversation], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	list := List[Conversation]{}
	after, err := decodeCursor(page.Cursor, "conversations")
	if err != nil || session == "" { // as erased items have it
		return list, err
	}
	query := s.read.WithContext(ctx).Model(&feedbackRow{}).
		Where("session_id = ? AND erased_at IS NULL AND project_id = ? AND "+ofProject, session, project.ID)
	if after != nil {
		query = query.Where("n < ?", after.N)
	}
	var rows []feedbackRow
	if err := query.Order("n DESC").Limit(page.Limit + 1).Find(&rows).Error; err != nil {
		return list, translate(err)
	}
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		list.NextCursor = cursor{List: "conversations", N: rows[page.Limit-1].N}.encode()
	}
	for i := range rows {
		item := rows[i].feedback()
		messages, err := s.publicMessages(ctx, item.ID, maxConversationMessages)
		if err != nil {
			return list, err
		}
		if err := s.FillFiles(ctx, item); err != nil {
			return list, err
		}
		list.Items = append(list.Items, Conversation{Feedback: item, Messages: messages})
	}
	return list, nil
}

// PublicMessages is what an item's visitor may read of its conversation, oldest
// first, all of it. The caller has proved who asks.
func (s *Store) PublicMessages(ctx context.Context, feedback models.ID) ([]models.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	const all = -1
	return s.publicMessages(ctx, feedback, all)
}

func (s *Store) publicMessages(ctx context.Context, feedback models.ID, limit int) ([]models.Message, error) {
	var rows []messageRow
	err := s.read.WithContext(ctx).Where("feedback_id = ? AND internal = FALSE AND deleted_at IS NULL", feedback).
		Order("created_at DESC, id DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	messages := make([]models.Message, len(rows))
	for i, row := range rows {
		messages[len(rows)-1-i] = row.message()
	}
	return messages, nil
}
