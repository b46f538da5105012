package protocol

import (
	"encoding/json"

	"earshot/models"
)

// JobRequested asks for work in the background. It is answered by JobStarted, with
// the job's id.
type JobRequested struct {
	Kind      models.JobKind      `json:"kind"`
	ProjectID models.ID           `json:"project_id"`
	Format    models.ExportFormat `json:"format"`
	Filter    json.RawMessage     `json:"filter,omitempty" doc:"An object with the filters of the list: status, kind, rating, tag, assignee, q, from, to, page_url, quarantined"`
}

// JobCancelled asks a job to end. JobFinished says how it did.
type JobCancelled struct {
	JobID models.ID `json:"job_id"`
}

// JobStarted says that a job was taken in, or taken up again after a restart. What
// is told of a job is told to the sockets of who asked for it, and to those that
// follow its project.
type JobStarted struct {
	JobID models.ID      `json:"job_id"`
	Kind  models.JobKind `json:"kind"`
}

// LogLine is a line of a job's log. N counts from 1 in each run.
type LogLine struct {
	JobID models.ID `json:"job_id"`
	N     int       `json:"n"`
	Text  string    `json:"text"`
}

// Progress says how far a job is.
type Progress struct {
	JobID models.ID `json:"job_id"`
	Done  int64     `json:"done"`
	Total int64     `json:"total"`
}

// JobFinished says how a job ended. The link is good for five minutes; the job has
// a new one.
type JobFinished struct {
	JobID       models.ID        `json:"job_id"`
	Status      models.JobStatus `json:"status"`
	DownloadURL string           `json:"download_url,omitempty"`
	Error       string           `json:"error,omitempty" doc:"What went wrong, in words"`
}

func (JobRequested) dashboardClientEvent() string { return "JobRequested" }
func (JobCancelled) dashboardClientEvent() string { return "JobCancelled" }

func (JobStarted) dashboardServerEvent() string  { return "JobStarted" }
func (LogLine) dashboardServerEvent() string     { return "LogLine" }
func (Progress) dashboardServerEvent() string    { return "Progress" }
func (JobFinished) dashboardServerEvent() string { return "JobFinished" }
