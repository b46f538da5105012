package store

import (
	"bytes"
	"context"
	"errors"

	"gorm.io/gorm"

	"earshot/models"
)

// Posted is what became of a message: it is on disk.
type Posted struct {
	Message models.Message
	// Repeated: the same message was accepted before; nothing was written.
	Repeated bool
}

// PostMessage stores a message or a note of a member, normalised by its
// Normalize, once, however often it comes. The same id with anything else is
// CodeIDConflict.
func (s *Store) PostMessage(ctx context.Context, scope models.Scope, in models.NewMessage) (Posted, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return Posted{}, err
	}
	return s.post(ctx, in, func(t *tx) (*feedbackRow, error) { return t.lockFeedback(scope, in.FeedbackID) })
}

// PostVisitorMessage is PostMessage for the visitor whose session the item is of.
// Somebody else's item is not found.
func (s *Store) PostVisitorMessage(ctx context.Context, project *models.Project, session models.ID, in models.NewMessage) (Posted, error) {
	scope := models.ScopeOf(project.OrganizationID)
	return s.post(ctx, in, func(t *tx) (*feedbackRow, error) {
		row, err := t.lockFeedback(scope, in.FeedbackID)
		if err == nil && (row.ProjectID != project.ID || row.SessionID != session || session == "") {
			err = errNotFound
		}
		return row, err
	})
}

func (s *Store) post(ctx context.Context, in models.NewMessage, find func(*tx) (*feedbackRow, error)) (posted Posted, err error) {
	var result Posted
	err = s.writer.do(ctx, false, func(t *tx) error {
		item, err := find(t)
		if err != nil {
			return err
		}
		result, err = t.post(in, item)
		return err
	})
	if err != nil {
		return Posted{}, err
	}
	return result, nil
}

func (t *tx) post(in models.NewMessage, item *feedbackRow) (Posted, error) {
	var earlier messageRow
	err := t.orm().Where("id = ?", in.ID).Take(&earlier).Error
	switch {
	case err == nil && bytes.Equal(earlier.Fingerprint, in.Fingerprint()):
		return Posted{Message: earlier.message(), Repeated: true}, nil
	case err == nil:
		return Posted{}, models.Errorf(models.CodeIDConflict, "this id was used for something else")
	case !errors.Is(err, gorm.ErrRecordNotFound):
		return Posted{}, err
	}
	at := t.now.UnixMilli()
	row := messageRow{
		ID: in.ID, OrganizationID: item.OrganizationID, ProjectID: item.ProjectID, FeedbackID: item.ID,
		UserID: in.Author.UserID, AuthorName: in.Author.Name, Internal: in.Visibility == models.VisibilityInternal,
		Fingerprint: in.Fingerprint(), Body: in.Body, Rev: 1, CreatedAt: at, UpdatedAt: at,
	}
	if in.Author.Kind == models.AuthorVisitor {
		row.AuthorName = item.Name
	}
	if err := t.orm().Create(&row).Error; err != nil {
		return Posted{}, err
	}
	message := row.message()
	entry := models.LogEntry{ProjectID: item.ProjectID, Type: models.EventNoteAdded, FeedbackID: item.ID, At: t.now, Message: &message}
	if !row.Internal {
		entry.Type = models.EventMessagePosted
		entry.SessionID = item.SessionID
		if err := t.touch(item, row); err != nil {
			return Posted{}, err
		}
		if err := t.queueMail(item, row); err != nil {
			return Posted{}, err
		}
	}
	return Posted{Message: message}, t.append(entry)
}

// touch moves an item up among those that were changed last, and keeps when it
// was first answered. A message changes nothing that a member may overwrite, so
// the item's rev stays.
func (t *tx) touch(item *feedbackRow, by messageRow) error {
	changes := map[string]any{"updated_at": by.CreatedAt}
	switch {
	case by.UserID == "":
		changes["visitor_at"] = by.CreatedAt
	case item.FirstReplyAt == nil:
		changes["first_reply_at"] = by.CreatedAt
	}
	if err := t.orm().Model(&feedbackRow{}).Where("n = ?", item.N).Updates(changes).Error; err != nil || item.FirstReplyAt != nil || by.UserID == "" {
		return err
	}
	answered := *item
	answered.FirstReplyAt = &by.CreatedAt
	return t.recount(item, &answered)
}

// NoteChange is what a member does to a note: a new text, or none to delete it.
type NoteChange struct {
	FeedbackID, MessageID models.ID
	Rev                   int64
	Body                  string // "": delete
	By                    models.ID
	// AnyAuthor lets By change what others wrote.
	AnyAuthor bool
}

// ChangeNote edits or deletes a note that is still at the revision that the
// member saw; otherwise CodeConflict. Public messages are not changed: visitors
// have read them.
func (s *Store) ChangeNote(ctx context.Context, scope models.Scope, change NoteChange) (models.Message, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return models.Message{}, err
	}
	var changed models.Message
	err := s.writer.do(ctx, false, func(t *tx) error {
		if _, err := t.lockFeedback(scope, change.FeedbackID); err != nil {
			return err
		}
		var err error
		changed, err = t.changeNote(change)
		return err
	})
	if err != nil {
		return models.Message{}, err
	}
	return changed, nil
}

func (t *tx) changeNote(change NoteChange) (models.Message, error) {
	var row messageRow
	err := t.orm().Where("id = ? AND feedback_id = ? AND internal = TRUE AND deleted_at IS NULL", change.MessageID, change.FeedbackID).Take(&row).Error
	switch {
	case err != nil:
		return models.Message{}, err
	case row.UserID != change.By && !change.AnyAuthor:
		return models.Message{}, models.Errorf(models.CodeForbidden, "this note is somebody else's")
	case row.Rev != change.Rev:
		return models.Message{}, models.Errorf(models.CodeConflict, "the note was changed in the meantime")
	}
	row.Rev++
	row.Body, row.UpdatedAt = change.Body, t.now.UnixMilli()
	kind := models.EventNoteEdited
	if change.Body == "" {
		kind = models.EventNoteDeleted
		row.DeletedAt, row.Fingerprint = &row.UpdatedAt, []byte{}
	}
	if err := t.orm().Save(&row).Error; err != nil {
		return models.Message{}, err
	}
	message := row.message()
	return message, t.append(models.LogEntry{
		ProjectID: row.ProjectID, Type: kind, FeedbackID: row.FeedbackID, At: t.now, Message: &message,
	})
}
