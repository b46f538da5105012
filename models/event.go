package models

import (
	"encoding/json"
	"time"
)

// Epoch names one life of a database's logs. A sequence number means something
// only together with it: a database restored from a backup has a new one.
type Epoch string

// EventType names a durable change in a project's log. The names are those of
// the dashboards' events.
type EventType string

// The durable events.
const (
	EventFeedbackReceived EventType = "FeedbackReceived"
	EventFeedbackUpdated  EventType = "FeedbackUpdated"
	EventFeedbackErased   EventType = "FeedbackErased"
	EventMessagePosted    EventType = "MessagePosted"
	EventNoteAdded        EventType = "NoteAdded"
	EventNoteEdited       EventType = "NoteEdited"
	EventNoteDeleted      EventType = "NoteDeleted"
	EventFeedbackImported EventType = "FeedbackImported"
)

// LogEntry is one row of a project's log together with what is needed to
// compose its event: one change, one seq.
type LogEntry struct {
	ProjectID  ID
	Seq        int64
	Type       EventType
	FeedbackID ID
	At         time.Time
	// Feedback is the item as it is now; set for EventFeedbackReceived.
	Feedback *Feedback
	// Update is set for EventFeedbackUpdated.
	Update *Update
	// Message is set for those of messages and notes, as it was after the change;
	// without its text where a later change has replaced it.
	Message *Message
	// Imported is set for EventFeedbackImported.
	Imported *Imported
	// SessionID is the visitor's whose item was changed. Only the log of that
	// visitor and what is published have it.
	SessionID ID
	// Trace is set in what is published where the change is traced: the span of its
	// commit.
	Trace *TraceContext
}

// Imported is many items at once: too many to tell of each.
type Imported struct {
	JobID ID    `json:"job_id"`
	Count int64 `json:"count"`
}

// Update is what one change did to an item. The wire's member names are its
// form in the log too.
type Update struct {
	Rev     int64   `json:"rev"`
	Changes Changes `json:"changes"`
	By      Actor   `json:"by"`
}

// Changes names the fields that a change touched, with their new values.
type Changes struct {
	Status     *Status   `json:"status,omitempty"`
	AssigneeID *Assignee `json:"assignee_id,omitempty" doc:"null: unassigned"`
	Tags       *[]string `json:"tags,omitempty"`
	Priority   *Priority `json:"priority,omitempty"`
	// Quarantined: false says that the item is new in the inbox.
	Quarantined *bool `json:"quarantined,omitempty"`
}

// Assignee is the member who takes care of an item; "" is nobody, and null in
// JSON.
type Assignee ID

// MarshalJSON implements json.Marshaler.
func (a Assignee) MarshalJSON() ([]byte, error) {
	if a == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(a))
}

// UnmarshalJSON implements json.Unmarshaler. It tells null, nobody, from nothing.
func (c *Changes) UnmarshalJSON(raw []byte) error {
	type plain Changes
	if err := json.Unmarshal(raw, (*plain)(c)); err != nil {
		return err
	}
	var given struct {
		AssigneeID json.RawMessage `json:"assignee_id"`
	}
	if err := json.Unmarshal(raw, &given); err != nil {
		return err
	}
	if string(given.AssigneeID) == "null" {
		c.AssigneeID = new(Assignee)
	}
	return nil
}

// Actor is the member behind a change.
type Actor struct {
	UserID ID     `json:"user_id"`
	Name   string `json:"name"`
}
