package models

import (
	"time"
)

// MaxRetentionDays bounds how long a project may say that it keeps feedback.
const MaxRetentionDays = 3650

// Erasure says whose feedback of a project is erased: of one session, of one address,
// or what nothing has happened to since a time. One of them is set.
type Erasure struct {
	SessionID ID
	Email     string
	Before    time.Time
}

// Normalize checks an erasure that a member asks for: of a session or an address.
func (e *Erasure) Normalize() error {
	e.Email = normalizeEmail(e.Email)
	if (e.Email == "") == (e.SessionID == "") {
		return InvalidField("email", "either email or session_id must be there")
	}
	if e.SessionID != "" && !e.SessionID.Valid() {
		return InvalidField("session_id", "must be the id of a session")
	}
	return nil
}

// ErasureReport counts what an erasure takes away.
type ErasureReport struct {
	Items    int64
	Messages int64
	// Attachments are files, with their content.
	Attachments int64
	// Events are lines of the project's log: they become tombstones that keep their
	// numbers.
	Events int64
	// Exports are files that end, whatever else is in them; Mails are letters that wait.
	Exports, Mails int64
	// Sessions are visitors' sessions, which are not known any more afterwards.
	Sessions int64
}

// Add adds another report's counts.
func (r *ErasureReport) Add(other ErasureReport) {
	r.Items += other.Items
	r.Messages += other.Messages
	r.Attachments += other.Attachments
	r.Events += other.Events
	r.Exports += other.Exports
	r.Mails += other.Mails
	r.Sessions += other.Sessions
}
