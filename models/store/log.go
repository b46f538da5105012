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
	if !scope.Admits(project) {
		return Head{}, errNotFound
	}
	var seqs struct{ First, Last int64 }
	err = db.Table("projects AS p").Select(firstSeq+" AS first, "+lastSeq+" AS last").
		Where("p.id = ? AND p.organization_id = ?", project, scope.Organization()).Take(&seqs).Error
	if err != nil {
		return Head{}, translate(err)
	}
	return Head{Epoch: s.Epoch(), First: seqs.First, Last: seqs.Last}, nil
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
	if !scope.Admits(project) {
		return nil, errNotFound
	}
	var events []eventRow
	err = db.Table("events AS e").Select("e.*").Joins("JOIN projects AS p ON p.id = e.project_id").
		Where("e.project_id = ? AND e.seq > ? AND p.organization_id = ?", project, since, scope.Organization()).
		Order("e.seq").Limit(limit).Find(&events).Error
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
		entries = append(entries, entry)
	}
	return entries, nil
}

// spoken is what events speak of, as it is now.
type spoken struct {
	items    map[models.ID]*models.Feedback
	messages map[models.ID]models.Message
}

// messageRef is what the log keeps of an event of a message.
type messageRef struct {
	ID  models.ID `json:"message_id"`
	Rev int64     `json:"rev"`
}

// spokenOf reads what events speak of. What is erased between the two reads is
// not in it.
func (s *Store) spokenOf(ctx context.Context, events []eventRow) (spoken, error) {
	var items, messages []models.ID
	for _, event := range events {
		switch event.Type {
		case models.EventFeedbackReceived:
			items = append(items, event.FeedbackID)
		case models.EventMessagePosted, models.EventNoteAdded, models.EventNoteEdited, models.EventNoteDeleted:
			var ref messageRef
			if err := json.Unmarshal([]byte(event.Data), &ref); err != nil {
				return spoken{}, fmt.Errorf("decode event %d of project %s: %w", event.Seq, event.ProjectID, err)
			}
			messages = append(messages, ref.ID)
		case models.EventFeedbackUpdated, models.EventFeedbackErased, models.EventFeedbackImported:
		}
	}
	found := spoken{map[models.ID]*models.Feedback{}, map[models.ID]models.Message{}}
	if len(items) > 0 {
		var rows []feedbackRow
		if err := s.read.WithContext(ctx).Where("id IN ? AND erased_at IS NULL", items).Find(&rows).Error; err != nil {
			return found, translate(err)
		}
		for i := range rows {
			found.items[rows[i].ID] = rows[i].feedback()
		}
	}
	if len(messages) > 0 {
		var rows []messageRow
		if err := s.read.WithContext(ctx).Where("id IN ?", messages).Find(&rows).Error; err != nil {
			return found, translate(err)
		}
		for _, row := range rows {
			found.messages[row.ID] = row.message()
		}
	}
	return found, nil
}

func (r eventRow) entry(of spoken) (models.LogEntry, error) {
	entry := models.LogEntry{ProjectID: r.ProjectID, Seq: r.Seq, Type: r.Type, FeedbackID: r.FeedbackID, At: fromMillis(r.At)}
	switch r.Type {
	case models.EventFeedbackReceived:
		if entry.Feedback = of.items[r.FeedbackID]; entry.Feedback == nil {
			entry.Type = models.EventFeedbackErased
		}
	case models.EventFeedbackUpdated:
		entry.Update = &models.Update{}
		if err := json.Unmarshal([]byte(r.Data), entry.Update); err != nil {
			return entry, fmt.Errorf("decode event %d of project %s: %w", r.Seq, r.ProjectID, err)
		}
	case models.EventMessagePosted, models.EventNoteAdded, models.EventNoteEdited, models.EventNoteDeleted:
		return r.messageEntry(entry, of)
	case models.EventFeedbackImported:
		entry.Imported = &models.Imported{}
		if err := json.Unmarshal([]byte(r.Data), entry.Imported); err != nil {
			return entry, fmt.Errorf("decode event %d of project %s: %w", r.Seq, r.ProjectID, err)
		}
	case models.EventFeedbackErased:
	}
	return entry, nil
}

// messageEntry tells of a message as its event found it: without the text that a
// later one has changed, which that one tells.
func (r eventRow) messageEntry(entry models.LogEntry, of spoken) (models.LogEntry, error) {
	var ref messageRef
	if err := json.Unmarshal([]byte(r.Data), &ref); err != nil {
		return entry, fmt.Errorf("decode event %d of project %s: %w", r.Seq, r.ProjectID, err)
	}
	message, found := of.messages[ref.ID]
	if !found { // its item was erased in between
		entry.Type = models.EventFeedbackErased
		return entry, nil
	}
	if message.Rev != ref.Rev {
		message.Rev, message.Body = ref.Rev, ""
	}
	entry.Message = &message
	return entry, nil
}
