package store

import (
	"context"
	"encoding/json"
	"fmt"

	"earshot/models"
)

// Head is where a project's log begins and ends.
type Head struct {
	Epoch models.Epoch
	// First is the oldest seq that can still be replayed.
	First int64
	Last  int64
}

// The bounds of the log of project p. Each is one look at an end of the primary
// key's index, so nothing else keeps them: a row to keep them in would be one
// more page in every commit.
const (
	firstSeq = "COALESCE((SELECT MIN(seq) FROM events WHERE project_id = p.id), 1)"
	lastSeq  = "COALESCE((SELECT MAX(seq) FROM events WHERE project_id = p.id), 0)"
)

// LogHead reads where a project's log stands.
func (s *Store) LogHead(ctx context.Context, scope models.Scope, project models.ID) (Head, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return Head{}, err
	}
	var seqs struct{ First, Last int64 }
	err = db.Table("projects AS p").Select(firstSeq+" AS first, "+lastSeq+" AS last").
		Where("p.id = ? AND p.organization_id = ?", project, scope.Organization()).Take(&seqs).Error
	if err != nil {
		return Head{}, translate(err)
	}
	return Head{Epoch: s.epoch, First: seqs.First, Last: seqs.Last}, nil
}

// ReadLog reads up to limit entries after since, oldest first, composed from
// the items as they are now.
func (s *Store) ReadLog(ctx context.Context, scope models.Scope, project models.ID, since int64, limit int) ([]models.LogEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return nil, err
	}
	var events []eventRow
	err = db.Table("events AS e").Select("e.*").Joins("JOIN projects AS p ON p.id = e.project_id").
		Where("e.project_id = ? AND e.seq > ? AND p.organization_id = ?", project, since, scope.Organization()).
		Order("e.seq").Limit(limit).Find(&events).Error
	if err != nil {
		return nil, translate(err)
	}
	items, err := s.itemsOf(ctx, events)
	if err != nil {
		return nil, err
	}
	entries := make([]models.LogEntry, 0, len(events))
	for _, event := range events {
		entry, err := event.entry(items)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// itemsOf reads the items that events speak of. One that is erased between the
// two reads is not among them.
func (s *Store) itemsOf(ctx context.Context, events []eventRow) (map[models.ID]*models.Feedback, error) {
	var ids []models.ID
	for _, event := range events {
		if event.Type == models.EventFeedbackReceived {
			ids = append(ids, event.FeedbackID)
		}
	}
	items := make(map[models.ID]*models.Feedback, len(ids))
	if len(ids) == 0 {
		return items, nil
	}
	var rows []feedbackRow
	if err := s.read.WithContext(ctx).Where("id IN ? AND erased_at IS NULL", ids).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	for i := range rows {
		items[rows[i].ID] = rows[i].feedback()
	}
	return items, nil
}

func (r eventRow) entry(items map[models.ID]*models.Feedback) (models.LogEntry, error) {
	entry := models.LogEntry{ProjectID: r.ProjectID, Seq: r.Seq, Type: r.Type, FeedbackID: r.FeedbackID, At: fromMillis(r.At)}
	switch r.Type {
	case models.EventFeedbackReceived:
		if entry.Feedback = items[r.FeedbackID]; entry.Feedback == nil {
			entry.Type = models.EventFeedbackErased
		}
	case models.EventFeedbackUpdated:
		entry.Update = &models.Update{}
		if err := json.Unmarshal([]byte(r.Data), entry.Update); err != nil {
			return entry, fmt.Errorf("decode event %d of project %s: %w", r.Seq, r.ProjectID, err)
		}
	case models.EventFeedbackErased:
	}
	return entry, nil
}
