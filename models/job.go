package models

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// JobKind is what a job does.
type JobKind string

// JobExport writes a project's feedback to a file.
const JobExport JobKind = "export"

// JobStatus is where a job stands.
type JobStatus string

// The statuses. The last three are final.
const (
	JobQueued    JobStatus = "queued"
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded"
	JobFailed    JobStatus = "failed"
	JobCancelled JobStatus = "cancelled"
)

// JobStatuses lists all statuses; the caller owns the slice.
func JobStatuses() []JobStatus {
	return []JobStatus{JobQueued, JobRunning, JobSucceeded, JobFailed, JobCancelled}
}

// Final reports whether nothing more happens to the job.
func (s JobStatus) Final() bool { return s == JobSucceeded || s == JobFailed || s == JobCancelled }

// ExportFormat is how an export is written.
type ExportFormat string

// The formats: CSV after RFC 4180, and one JSON object a line.
const (
	ExportCSV   ExportFormat = "csv"
	ExportJSONL ExportFormat = "jsonl"
)

// Job is work in the background that somebody asked for.
type Job struct {
	ID             ID
	OrganizationID ID
	ProjectID      ID
	UserID         ID
	Kind           JobKind
	Status         JobStatus
	Export         Export
	// Checkpoint is where to go on after a restart; the job's own.
	Checkpoint  json.RawMessage
	Done, Total int64
	// Error says in words what went wrong.
	Error      string
	Cancelling bool
	// Withdrawn: what it made holds something that was erased since, and is not to
	// be had any more.
	Withdrawn  bool
	CreatedAt  time.Time
	UpdatedAt  time.Time
	FinishedAt *time.Time
}

// Export is what an export is of.
type Export struct {
	Format ExportFormat   `json:"format"`
	Filter FeedbackFilter `json:"filter"`
}

// NewExport makes the job of an export. filter is a JSON object with the names of
// the list's filters, or nothing.
func NewExport(project, user ID, format ExportFormat, filter json.RawMessage) (Job, error) {
	job := Job{ID: NewID(), ProjectID: project, UserID: user, Kind: JobExport, Status: JobQueued, Export: Export{Format: format}}
	if format != ExportCSV && format != ExportJSONL {
		return job, InvalidField("format", "must be csv or jsonl")
	}
	var err error
	job.Export.Filter, err = ReadFeedbackFilter(filter)
	if job.Export.Filter.Assignee == "me" {
		job.Export.Filter.Assignee = string(user)
	}
	return job, err
}

// FeedbackFilter narrows feedback down, as a list does. Empty fields admit all.
type FeedbackFilter struct {
	Status   several[Status] `json:"status,omitempty"`
	Kind     several[Kind]   `json:"kind,omitempty"`
	Rating   several[int]    `json:"rating,omitempty"`
	Tag      string          `json:"tag,omitempty"`
	Assignee string          `json:"assignee,omitempty"` // a member's id, "me" or "none"
	Query    string          `json:"q,omitempty"`
	// HasAttachment: true admits nothing, for nothing has one.
	HasAttachment *bool      `json:"has_attachment,omitempty"`
	From          *time.Time `json:"from,omitempty"`
	To            *time.Time `json:"to,omitempty"`
	PageURL       string     `json:"page_url,omitempty"`
	Quarantined   *bool      `json:"quarantined,omitempty"`
}

// maxQuery bounds the words to find, in code points, as the list does.
const maxQuery = 500

// ReadFeedbackFilter reads a filter. A field that is not known is refused, one in
// another case too: to ignore it would let more through than was asked for.
func ReadFeedbackFilter(raw json.RawMessage) (f FeedbackFilter, err error) {
	if len(bytes.TrimSpace(raw)) == 0 || string(raw) == "null" {
		return f, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return f, InvalidField("filter", "must be an object with the filters of the list")
	}
	for name := range fields {
		if !slices.Contains(filterNames(), name) {
			return f, InvalidField("filter."+name, "is not a filter")
		}
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return f, InvalidField("filter", "must be an object with the filters of the list")
	}
	return f, f.check()
}

func filterNames() []string {
	return []string{"status", "kind", "rating", "tag", "assignee", "q", "has_attachment", "from", "to", "page_url", "quarantined"}
}

func (f *FeedbackFilter) check() error {
	var p problems
	for _, status := range f.Status {
		if !status.Valid() {
			p.add("filter.status", "must be of %v", Statuses())
		}
	}
	for _, kind := range f.Kind {
		if !kind.Valid() {
			p.add("filter.kind", "must be of %v", Kinds())
		}
	}
	for _, rating := range f.Rating {
		if rating < 1 || rating > 5 {
			p.add("filter.rating", "must be from 1 to 5")
		}
	}
	if f.Assignee != "" && f.Assignee != "none" && f.Assignee != "me" && !ID(f.Assignee).Valid() {
		p.add("filter.assignee", "must be a member's id, me or none")
	}
	if checkText(&p, "filter.q", f.Query) {
		checkLength(&p, "filter.q", f.Query, 0, maxQuery)
	}
	return p.err()
}

// several is one value, several with commas between, or a list of them.
type several[T comparable] []T

// UnmarshalJSON implements json.Unmarshaler.
func (s *several[T]) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]T)(s))
	}
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		for part := range strings.SplitSeq(text, ",") {
			if part == "" {
				continue
			}
			value, err := readOne[T](strings.TrimSpace(part))
			if err != nil {
				return err
			}
			*s = append(*s, value)
		}
		return nil
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*s = several[T]{one}
	return nil
}

func readOne[T any](text string) (value T, err error) {
	if json.Unmarshal([]byte(text), &value) == nil { // a number
		return value, nil
	}
	quoted, err := json.Marshal(text)
	if err == nil {
		err = json.Unmarshal(quoted, &value)
	}
	if err != nil {
		return value, fmt.Errorf("read %q: %w", text, err)
	}
	return value, nil
}

// Values is the filter's values as a plain slice.
func (s several[T]) Values() []T { return slices.Clone([]T(s)) }
