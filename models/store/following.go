package store

import (
	"context"

	"earshot/models"
)

// LogHeads reads how far the logs of projects reach; those that have nothing, or are
// deleted, are not in it. It is for a server that tells its sockets what others have
// committed: whose sockets they are was settled when they were opened.
func (s *Store) LogHeads(ctx context.Context, projects []models.ID) (map[models.ID]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var rows []struct {
		ID   models.ID
		Last int64
	}
	err := s.read.WithContext(ctx).Table("projects AS p").Select("p.id AS id, "+lastSeq+" AS last").
		Where("p.id IN ?", projects).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	heads := make(map[models.ID]int64, len(rows))
	for _, row := range rows {
		heads[row.ID] = row.Last
	}
	return heads, nil
}

// Committed reads up to limit entries of a project's log after since, oldest first, as
// they would be published had they been committed here: with the visitor's session of
// what is theirs to know.
func (s *Store) Committed(ctx context.Context, project models.ID, since int64, limit int) ([]models.LogEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var events []struct {
		eventRow
		SessionID *models.ID
	}
	err := s.read.WithContext(ctx).Table("events AS e").Select("e.*, f.session_id AS session_id").
		Joins("LEFT JOIN feedback AS f ON f.id = e.feedback_id AND f.project_id = e.project_id").
		Where("e.project_id = ? AND e.seq > ?", project, since).Order("e.seq").Limit(limit).Find(&events).Error
	if err != nil {
		return nil, translate(err)
	}
	rows := make([]eventRow, len(events))
	for i, event := range events {
		rows[i] = event.eventRow
	}
	spoken, err := s.spokenOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	entries := make([]models.LogEntry, 0, len(rows))
	for i, row := range rows {
		entry, err := row.entry(spoken)
		if err != nil {
			return nil, err
		}
		if session := events[i].SessionID; session != nil && entry.Type != models.EventFeedbackReceived {
			entry.SessionID = *session
		}
		entries = append(entries, entry)
	}
	return entries, nil
}
