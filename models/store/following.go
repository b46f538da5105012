package store

import (
	"context"
	"slices"

	"earshot/models"
)

// LogHeads reads how far the logs of projects reach, 0 of one that has nothing; those that
// are deleted are not in it. It is for a server that tells its sockets what others have
// committed: whose sockets they are was settled when they were opened.
func (s *Store) LogHeads(ctx context.Context, projects []models.ID) (map[models.ID]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	heads := make(map[models.ID]int64, len(projects))
	for some := range slices.Chunk(projects, projectsAtOnce) { // databases bound what one query may name
		var rows []struct {
			ID   models.ID
			Last int64
		}
		err := s.read.WithContext(ctx).Table("projects AS p").Select("p.id AS id, "+lastSeq+" AS last").
			Where("p.id IN ?", some).Scan(&rows).Error
		if err != nil {
			return nil, translate(err)
		}
		for _, row := range rows {
			heads[row.ID] = row.Last
		}
	}
	return heads, nil
}

// Committed reads up to limit entries of a project's log after since, oldest first, as
// they would be published had they been committed here: with the visitor's session of
// what is theirs to know.
func (s *Store) Committed(ctx context.Context, project models.ID, since int64, limit int) ([]models.LogEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var rows []eventRow
	if err := s.read.WithContext(ctx).Where("project_id = ? AND seq > ?", project, since).Order("seq").Limit(limit).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	sessions, err := s.ownersOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	spoken, err := s.spokenOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	entries := make([]models.LogEntry, 0, len(rows))
	for _, row := range rows {
		entry, err := row.entry(spoken)
		if err != nil {
			return nil, err
		}
		if entry.Type != models.EventFeedbackReceived {
			entry.SessionID = sessions[entry.FeedbackID]
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// ownersOf reads whose the items of events are.
func (s *Store) ownersOf(ctx context.Context, events []eventRow) (map[models.ID]models.ID, error) {
	var items []models.ID
	for _, event := range events {
		if event.Type != models.EventFeedbackReceived && event.FeedbackID != "" {
			items = append(items, event.FeedbackID)
		}
	}
	of := map[models.ID]models.ID{}
	if len(items) == 0 {
		return of, nil
	}
	var rows []feedbackRow
	if err := s.read.WithContext(ctx).Select("id", "session_id").Where("id IN ?", items).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	for _, row := range rows {
		of[row.ID] = row.SessionID
	}
	return of, nil
}
