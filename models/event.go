package models

import "time"

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
	// SessionID is the visitor's whose item was updated. Only the log of that
	// visitor and what is published have it.
	SessionID ID
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
	AssigneeID *ID       `json:"assignee_id,omitempty" doc:"empty: unassigned"`
	Tags       *[]string `json:"tags,omitempty"`
	Priority   *Priority `json:"priority,omitempty"`
}

// Actor is the member behind a change.
type Actor struct {
	UserID ID     `json:"user_id"`
	Name   string `json:"name"`
}
