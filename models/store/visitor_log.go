package store

import (
	"context"

	"earshot/models"
)

// visitorLog finds a visitor's part of a log by way of their items, because of
// the log's events hardly one is theirs. The joins keep the order in which they
// are written.
func visitorLog(d dialect) string {
	return `SELECT e.* FROM feedback AS f
	` + d.join() + ` events AS e ON e.feedback_id = f.id AND e.project_id = f.project_id AND e.type <> 'FeedbackReceived'
	WHERE f.session_id = ? AND f.erased_at IS NULL AND f.project_id = ? AND f.organization_id = ?
	AND e.type IN ('FeedbackUpdated', 'MessagePosted') AND e.seq > ? AND f.` + ofProject + `
	ORDER BY e.seq LIMIT ?`
}

// ReadVisitorLog reads up to limit entries after since that speak of a visitor
// session's items, oldest first. Their numbers are the project's, so there are
// holes between them. What an entry says beside the status is not the visitor's
// to know.
func (s *Store) ReadVisitorLog(ctx context.Context, scope models.Scope, project, session models.ID, since int64, limit int) ([]models.LogEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return nil, err
	}
	if session == "" { // as erased items have it
		return nil, nil
	}
	var events []eventRow
	err = db.Raw(visitorLog(dialectOf(db)), session, project, scope.Organization(), since, limit).Scan(&events).Error
	if err != nil {
		return nil, translate(err)
	}
	spoken, err := s.spokenOf(ctx, events)
	if err != nil {
		return nil, err
	}
	entries := make([]models.LogEntry, 0, len(events))
	for _, event := range events {
		entry, err := event.entry(spoken)
		if err != nil {
			return nil, err
		}
		entry.SessionID = session
		entries = append(entries, entry)
	}
	return entries, nil
}
