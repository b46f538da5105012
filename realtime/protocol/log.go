package protocol

import "earshot/models"

// LogEvent is the dashboard's event for an entry of a project's log.
func LogEvent(entry models.LogEntry) DashboardServerEvent {
	switch entry.Type {
	case models.EventFeedbackReceived:
		return feedbackReceived(entry.Feedback)
	case models.EventFeedbackUpdated:
		return FeedbackUpdated{
			ID: entry.FeedbackID, ProjectID: entry.ProjectID,
			Rev: entry.Update.Rev, Changes: entry.Update.Changes, By: entry.Update.By,
		}
	case models.EventMessagePosted:
		m := entry.Message
		return MessagePosted{m.ProjectID, m.FeedbackID, m.ID, m.Body, m.Author, m.Rev, m.CreatedAt}
	case models.EventNoteAdded:
		m := entry.Message
		return DashboardNoteAdded{m.ProjectID, m.FeedbackID, m.ID, m.Body, m.Author, m.Rev, m.CreatedAt}
	case models.EventNoteEdited:
		m := entry.Message
		return DashboardNoteEdited{m.ProjectID, m.FeedbackID, m.ID, m.Body, m.Author, m.Rev, entry.At}
	case models.EventNoteDeleted:
		m := entry.Message
		return DashboardNoteDeleted{m.ProjectID, m.FeedbackID, m.ID, m.Author, m.Rev, entry.At}
	case models.EventFeedbackImported:
		return FeedbackImported{ProjectID: entry.ProjectID, JobID: entry.Imported.JobID, Count: entry.Imported.Count}
	case models.EventFeedbackErased:
	}
	return FeedbackErased{ID: entry.FeedbackID, ProjectID: entry.ProjectID}
}

// EncodeLog writes the event of a log entry as JSON.
func EncodeLog(entry models.LogEntry, epoch models.Epoch) ([]byte, error) {
	return Encode(DashboardServer, LogEvent(entry), Meta{Epoch: epoch, Seq: entry.Seq})
}

// VisitorLogEvent is what an entry of the log is to the visitor whose item it
// speaks of: nil for most, for what staff do among themselves is not told.
func VisitorLogEvent(entry models.LogEntry) VisitorServerEvent {
	switch m := entry.Message; {
	case entry.Type == models.EventFeedbackUpdated && entry.Update.Changes.Status != nil:
		return StatusChanged{FeedbackID: entry.FeedbackID, Status: *entry.Update.Changes.Status}
	case entry.Type == models.EventMessagePosted && m.Visibility == models.VisibilityPublic && m.Author.Kind == models.AuthorMember:
		return ReplyPosted{FeedbackID: m.FeedbackID, MessageID: m.ID, AuthorName: m.Author.PublicName(), Body: m.Body, At: m.CreatedAt}
	}
	return nil
}

// EncodeVisitorLog writes VisitorLogEvent as JSON; nil where there is none.
func EncodeVisitorLog(entry models.LogEntry, epoch models.Epoch) ([]byte, error) {
	event := VisitorLogEvent(entry)
	if event == nil {
		return nil, nil
	}
	return Encode(VisitorServer, event, Meta{Epoch: epoch, Seq: entry.Seq})
}

func feedbackReceived(f *models.Feedback) DashboardFeedbackReceived {
	return DashboardFeedbackReceived{
		AttachmentCount: f.Attachments,
		ID:              f.ID, ProjectID: f.ProjectID, Message: f.Message, PageURL: f.PageURL,
		Kind: OrNull(f.Kind), Rating: OrNull(f.Rating), CreatedAt: f.CreatedAt, Quarantined: f.Quarantined,
		Visitor: VisitorOf(f),
	}
}

// VisitorOf is what an item tells of its author.
func VisitorOf(f *models.Feedback) Visitor {
	return Visitor{SessionID: f.SessionID, Name: OrNull(f.Name), Email: OrNull(f.Email), Identity: OrNull(f.Identity)}
}

// OrNull is nil for the zero value, which stands for "none" in the domain and
// is null on the wire.
func OrNull[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}
