package models

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what a visitor's feedback is about, by their own choice.
type Kind string

// The kinds, in the order they are offered.
const (
	KindBug      Kind = "bug"
	KindIdea     Kind = "idea"
	KindQuestion Kind = "question"
	KindPraise   Kind = "praise"
	KindOther    Kind = "other"
)

// Kinds lists all kinds; the caller owns the slice.
func Kinds() []Kind { return []Kind{KindBug, KindIdea, KindQuestion, KindPraise, KindOther} }

// Valid reports whether k is one of Kinds.
func (k Kind) Valid() bool { return slices.Contains(Kinds(), k) }

// Status is where a piece of feedback stands.
type Status string

// The statuses, in the order work goes through them.
const (
	StatusNew        Status = "new"
	StatusOpen       Status = "open"
	StatusInProgress Status = "in_progress"
	StatusResolved   Status = "resolved"
	StatusClosed     Status = "closed"
)

// Statuses lists all statuses; the caller owns the slice.
func Statuses() []Status {
	return []Status{StatusNew, StatusOpen, StatusInProgress, StatusResolved, StatusClosed}
}

// Valid reports whether s is one of Statuses.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// Priority is how much a piece of feedback presses.
type Priority string

// The priorities, from least to most.
const (
	PriorityLow    Priority = "low"
	PriorityNormal Priority = "normal"
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Priorities lists all priorities from least to most; the caller owns the slice.
func Priorities() []Priority {
	return []Priority{PriorityLow, PriorityNormal, PriorityHigh, PriorityUrgent}
}

// Rank is the priority's place in Priorities, by which lists are sorted; -1 if
// it has none.
func (p Priority) Rank() int { return slices.Index(Priorities(), p) }

// PriorityOfRank is Rank's inverse.
func PriorityOfRank(rank int) Priority {
	all := Priorities()
	return all[max(0, min(rank, len(all)-1))]
}

// Feedback is one message of a visitor and what became of it.
type Feedback struct {
	ID             ID
	OrganizationID ID
	ProjectID      ID
	SessionID      ID
	Message        string
	PageURL        string
	Kind           Kind // "" where the visitor chose none
	Rating         int  // 1–5, 0 where none was given
	Email          string
	Name           string
	// Identity is the site's own id of the visitor, where the site has signed it; ""
	// where nobody has.
	Identity   string
	Context    json.RawMessage // an object, or nil
	Status     Status
	AssigneeID ID
	Tags       []string
	Priority   Priority
	// Rev counts changes from 1; a writer names the one it has seen.
	Rev         int64
	Quarantined bool
	// QuarantineReasons says why, in words that staff can judge.
	QuarantineReasons []string
	// ReceiptVersion is part of the receipt's signature: raising it revokes
	// every receipt given out before.
	ReceiptVersion int
	// Attachments is how many files it has; Files are they, where they were read.
	Attachments int
	Files       []Attachment
	// VisitorAt is when the visitor last said something.
	VisitorAt time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Outline is the item without anything that a visitor said or that tells who they are:
// for who may change feedback and not read it.
func (f *Feedback) Outline() *Feedback {
	return &Feedback{
		ID: f.ID, OrganizationID: f.OrganizationID, ProjectID: f.ProjectID, Status: f.Status, AssigneeID: f.AssigneeID, Tags: f.Tags,
		Priority: f.Priority, Rev: f.Rev, Quarantined: f.Quarantined, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
	}
}

// Triage is a change that staff make. Nil fields stay as they are; Rev is the
// revision the member has on screen, 0 where it does not matter.
type Triage struct {
	Status     *Status
	AssigneeID *ID // points to "" to unassign
	Tags       *[]string
	Priority   *Priority
	// Quarantined: false takes it into the inbox, true out of it.
	Quarantined *bool
	Rev         int64
	// AddTags and RemoveTags change the tags that the item has, where Tags does not
	// name them all.
	AddTags, RemoveTags []string
}

// BulkChange is a change of one item of several.
type BulkChange struct {
	ID     ID
	Change Triage
}

// BulkOutcome is what became of it.
type BulkOutcome struct {
	ID ID
	// Err says why the item is as it was.
	Err  error
	Item *Feedback
	// Before holds the fields that were changed as they were; none are set where
	// nothing was.
	Before Triage
}

// Any reports whether the change names a field.
func (t *Triage) Any() bool {
	return t.Status != nil || t.AssigneeID != nil || t.Tags != nil || t.Priority != nil || t.Quarantined != nil || len(t.AddTags)+len(t.RemoveTags) > 0
}

// Tags are short labels: at most 20 on an item, 50 code points each.
const (
	maxTags      = 20
	maxTagLength = 50
)

// Check holds a change of one item to what the fields may be. It needs the
// revision.
func (t *Triage) Check() error {
	var p problems
	t.check(&p)
	if t.Rev < 1 {
		p.add("rev", "must be the revision that was read, at least 1")
	}
	return p.err()
}

// Check holds a change of one item of several to what the fields may be.
func (c *BulkChange) Check() error {
	var p problems
	c.Change.check(&p)
	return p.err()
}

func (t *Triage) check(p *problems) {
	if !t.Any() {
		p.add("", "must name at least one field to change")
	}
	if t.Status != nil && !t.Status.Valid() {
		p.add("status", "must be one of %v", Statuses())
	}
	if t.Priority != nil && t.Priority.Rank() < 0 {
		p.add("priority", "must be one of %v", Priorities())
	}
	if t.AssigneeID != nil && *t.AssigneeID != "" && !t.AssigneeID.Valid() {
		p.add("assignee_id", "must be a member's id")
	}
	if t.Tags != nil {
		normal := normalizeTags(p, *t.Tags)
		t.Tags = &normal
	}
	t.AddTags, t.RemoveTags = normalizeTags(p, t.AddTags), normalizeTags(p, t.RemoveTags)
}

// Retagged is what the change makes of an item's tags; false where they stay.
func (t *Triage) Retagged(tags []string) ([]string, bool, error) {
	next := tags
	if t.Tags != nil {
		next = *t.Tags
	}
	if len(t.AddTags)+len(t.RemoveTags) > 0 {
		next = slices.DeleteFunc(append(slices.Clone(next), t.AddTags...), func(tag string) bool { return slices.Contains(t.RemoveTags, tag) })
		slices.Sort(next)
		next = slices.Compact(next)
	}
	if len(next) > maxTags {
		return tags, false, InvalidField("tags", fmt.Sprintf("must have at most %d entries", maxTags))
	}
	return next, !slices.Equal(next, tags), nil
}

func normalizeTags(p *problems, tags []string) []string {
	if len(tags) > maxTags {
		p.add("tags", "must have at most %d entries", maxTags)
		return nil
	}
	normal := make([]string, 0, len(tags))
	for _, tag := range tags {
		tag = strings.TrimSpace(tag)
		if checkText(p, "tags", tag) && checkLength(p, "tags", tag, 1, maxTagLength) && !slices.Contains(normal, tag) {
			normal = append(normal, tag)
		}
	}
	slices.Sort(normal)
	return normal
}
