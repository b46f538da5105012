package models

import (
	"encoding/json"
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
	Export         Export // of an export
	Import         Import // of an import
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
	job.Export.Filter, err = ReadFeedbackFilter("filter", filter)
	if job.Export.Filter.Assignee == "me" {
		job.Export.Filter.Assignee = string(user)
	}
	return job, err
}
