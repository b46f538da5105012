package protocol

import (
	"time"

	"earshot/models"
)

// What a visitor and staff say to each other about an item, and what staff say
// among themselves. The envelope's id of a message is its own and its
// idempotency key.

// MessageSent is the visitor's side of a conversation.
type MessageSent struct {
	FeedbackID models.ID `json:"feedback_id"`
	Body       string    `json:"body" doc:"1 to 5,000 code points after trimming"`
}

// ReplySent is the staff's side: the visitor gets it.
type ReplySent struct {
	FeedbackID models.ID `json:"feedback_id"`
	Body       string    `json:"body" doc:"1 to 5,000 code points after trimming"`
}

// NoteAdded is a note among staff, which no visitor ever sees.
type NoteAdded struct {
	FeedbackID models.ID `json:"feedback_id"`
	Body       string    `json:"body" doc:"1 to 5,000 code points after trimming"`
}

// NoteEdited changes a note that is still at the revision given.
type NoteEdited struct {
	FeedbackID models.ID `json:"feedback_id"`
	MessageID  models.ID `json:"message_id"`
	Body       string    `json:"body" doc:"1 to 5,000 code points after trimming"`
	Rev        int64     `json:"rev" minimum:"1"`
}

// NoteDeleted deletes a note that is still at the revision given.
type NoteDeleted struct {
	FeedbackID models.ID `json:"feedback_id"`
	MessageID  models.ID `json:"message_id"`
	Rev        int64     `json:"rev" minimum:"1"`
}

// Viewing says what a member has open, and whether they write an answer. It lasts
// until the next one or the socket's end.
type Viewing struct {
	FeedbackID *models.ID `json:"feedback_id" nullable:"true" doc:"null: nothing"`
	Typing     bool       `json:"typing,omitempty"`
}

// MessageAccepted acknowledges a message, a note or a change of one: it is on disk.
type MessageAccepted struct {
	ID models.ID `json:"id"`
}

// MessageRejected says why a message was not taken.
type MessageRejected struct {
	Code         models.Code         `json:"code"`
	Message      string              `json:"message"`
	Errors       []models.FieldError `json:"errors,omitempty" doc:"The fields that are not valid"`
	RetryAfterMS int64               `json:"retry_after_ms,omitempty" doc:"Milliseconds" minimum:"0"`
}

// ReplyPosted is an answer of staff, as its visitor gets it.
type ReplyPosted struct {
	FeedbackID models.ID `json:"feedback_id"`
	MessageID  models.ID `json:"message_id"`
	AuthorName string    `json:"author_name" doc:"Empty where the member gave none"`
	Body       string    `json:"body"`
	At         time.Time `json:"at"`
}

// AgentTyping says that somebody is writing an answer right now. Nothing says
// that they stopped: it is over when none came for some seconds.
type AgentTyping struct {
	FeedbackID models.ID `json:"feedback_id"`
}

// MessagePosted is a message of either side, as staff get it.
type MessagePosted struct {
	ProjectID  models.ID     `json:"project_id"`
	FeedbackID models.ID     `json:"feedback_id"`
	MessageID  models.ID     `json:"message_id"`
	Body       string        `json:"body"`
	Author     models.Author `json:"author"`
	Rev        int64         `json:"rev"`
	At         time.Time     `json:"at"`
}

// DashboardNoteAdded is a new note. Body is absent in a replay where the note was
// changed since: a later event tells of that.
type DashboardNoteAdded struct {
	ProjectID  models.ID     `json:"project_id"`
	FeedbackID models.ID     `json:"feedback_id"`
	MessageID  models.ID     `json:"message_id"`
	Body       string        `json:"body,omitempty"`
	Author     models.Author `json:"author"`
	Rev        int64         `json:"rev"`
	At         time.Time     `json:"at"`
}

// DashboardNoteEdited is a note's new text, likewise.
type DashboardNoteEdited struct {
	ProjectID  models.ID     `json:"project_id"`
	FeedbackID models.ID     `json:"feedback_id"`
	MessageID  models.ID     `json:"message_id"`
	Body       string        `json:"body,omitempty"`
	Author     models.Author `json:"author"`
	Rev        int64         `json:"rev"`
	At         time.Time     `json:"at"`
}

// DashboardNoteDeleted takes a note off the screen.
type DashboardNoteDeleted struct {
	ProjectID  models.ID     `json:"project_id"`
	FeedbackID models.ID     `json:"feedback_id"`
	MessageID  models.ID     `json:"message_id"`
	Author     models.Author `json:"author"`
	Rev        int64         `json:"rev"`
	At         time.Time     `json:"at"`
}

// PresenceDiff is what changed since the PresenceState or PresenceDiff before.
// A member who turned to another item has both left and joined.
type PresenceDiff struct {
	ProjectID models.ID `json:"project_id"`
	Joined    []Member  `json:"joined"`
	Left      []Member  `json:"left"`
	Visitors  int       `json:"visitors"`
	// Pages are all that PresenceState tells of them, not a difference.
	Pages []PagePresence `json:"pages,omitempty"`
}

func (MessageSent) visitorClientEvent() string { return "MessageSent" }

func (MessageAccepted) visitorServerEvent() string { return "MessageAccepted" }
func (MessageRejected) visitorServerEvent() string { return "MessageRejected" }
func (ReplyPosted) visitorServerEvent() string     { return "ReplyPosted" }
func (AgentTyping) visitorServerEvent() string     { return "AgentTyping" }

func (ReplySent) dashboardClientEvent() string   { return "ReplySent" }
func (NoteAdded) dashboardClientEvent() string   { return "NoteAdded" }
func (NoteEdited) dashboardClientEvent() string  { return "NoteEdited" }
func (NoteDeleted) dashboardClientEvent() string { return "NoteDeleted" }
func (Viewing) dashboardClientEvent() string     { return "Viewing" }

func (MessageAccepted) dashboardServerEvent() string      { return "MessageAccepted" }
func (MessageRejected) dashboardServerEvent() string      { return "MessageRejected" }
func (MessagePosted) dashboardServerEvent() string        { return "MessagePosted" }
func (DashboardNoteAdded) dashboardServerEvent() string   { return "NoteAdded" }
func (DashboardNoteEdited) dashboardServerEvent() string  { return "NoteEdited" }
func (DashboardNoteDeleted) dashboardServerEvent() string { return "NoteDeleted" }
func (PresenceDiff) dashboardServerEvent() string         { return "PresenceDiff" }
