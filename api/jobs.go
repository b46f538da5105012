package api

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/blob"
	"earshot/models/jobs"
	"earshot/realtime/protocol"
)

// Job is work in the background.
type Job struct {
	ID          models.ID        `json:"id"`
	Kind        models.JobKind   `json:"kind"`
	ProjectID   models.ID        `json:"project_id"`
	Status      models.JobStatus `json:"status"`
	Done        int64            `json:"done"`
	Total       int64            `json:"total"`
	Error       *string          `json:"error" nullable:"true" doc:"What went wrong, in words"`
	Refused     *int64           `json:"refused,omitempty" doc:"Of an import: rows that were not taken"`
	DryRun      bool             `json:"dry_run,omitempty" doc:"Of an import: it only looks"`
	DownloadURL *string          `json:"download_url" nullable:"true" doc:"The export, or what an import refused, line by line. Good for five minutes; takes the Bearer as well"`
	CreatedAt   time.Time        `json:"created_at"`
	UpdatedAt   time.Time        `json:"updated_at"`
	FinishedAt  *time.Time       `json:"finished_at" nullable:"true"`
}

// jobBody is a job for somebody who asks; the way to its file only for who may read
// what is in it.
func (s *Server) jobBody(claims models.Claims, job models.Job) Job {
	body := Job{
		ID: job.ID, Kind: job.Kind, ProjectID: job.ProjectID, Status: job.Status, Done: job.Done, Total: job.Total,
		Error: protocol.OrNull(job.Error), CreatedAt: job.CreatedAt, UpdatedAt: job.UpdatedAt, FinishedAt: job.FinishedAt,
	}
	if job.Kind == models.JobImport {
		body.Refused, body.DryRun = &job.Import.Refused, job.Import.DryRun
	}
	if claims.Has(models.ScopeFeedbackRead) {
		body.DownloadURL = protocol.OrNull(s.downloadURL(job))
	}
	return body
}

// JobList is a page of jobs, newest first.
type JobList struct {
	Items      []Job   `json:"items" nullable:"false"`
	NextCursor *string `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64  `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string  `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

type listJobsInput struct{ PageQuery }

type listJobsOutput struct{ Body JobList }

func (s *Server) listJobs(ctx context.Context, in *listJobsInput) (*listJobsOutput, error) {
	claims := askerOf(ctx).claims
	list, err := s.store.Jobs(ctx, claims.Scope, in.page())
	if err != nil {
		return nil, err
	}
	body := JobList{Items: []Job{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, job := range list.Items {
		body.Items = append(body.Items, s.jobBody(claims, job))
	}
	return &listJobsOutput{Body: body}, nil
}

// JobPath names a job in a call's address.
type JobPath struct {
	ID string `path:"id" doc:"The job's id"`
}

type jobOutput struct{ Body Job }

func (s *Server) getJob(ctx context.Context, in *JobPath) (*jobOutput, error) {
	claims := askerOf(ctx).claims
	job, err := s.store.Job(ctx, claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: s.jobBody(claims, job)}, nil
}

// NewExport asks for an export.
type NewExport struct {
	Format models.ExportFormat `json:"format"`
	Filter json.RawMessage     `json:"filter,omitempty" doc:"An object with the filters of the list"`
}

type createExportInput struct {
	ProjectPath
	Body NewExport
}

func (s *Server) createExport(ctx context.Context, in *createExportInput) (*jobOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanExport() {
		return nil, errRole()
	}
	job, err := models.NewExport(models.ID(in.ID), claims.UserID, in.Body.Format, in.Body.Filter)
	if err != nil {
		return nil, err
	}
	job, err = s.RequestJob(ctx, claims.Scope, job, s.realtime.TellJobStarted)
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: s.jobBody(claims, job)}, nil
}

func (s *Server) cancelJob(ctx context.Context, in *JobPath) (*jobOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanExport() {
		return nil, errRole()
	}
	job, err := s.CancelJob(ctx, claims.Scope, models.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: s.jobBody(claims, job)}, nil
}

// RequestJob stores a job, tells of it, and has it begun. It implements
// realtime.Jobs.
func (s *Server) RequestJob(ctx context.Context, scope models.Scope, job models.Job, tell func(models.Job)) (models.Job, error) {
	job, err := s.store.CreateJob(ctx, scope, job)
	if err == nil {
		tell(job)
		s.jobs.Wake()
	}
	return job, err
}

// CancelJob asks a job to end. It implements realtime.Jobs.
func (s *Server) CancelJob(ctx context.Context, scope models.Scope, id models.ID) (models.Job, error) {
	job, err := s.store.CancelJob(ctx, scope, id)
	if err == nil && job.Status.Final() { // also where it had ended before: who asks is answered
		s.tellJob(jobs.Progress{Job: job})
		s.tellJob(jobs.Finished{Job: job})
	}
	return job, err
}

// tellJob passes on to the sockets what happens to a job.
func (s *Server) tellJob(event jobs.Event) {
	switch e := event.(type) {
	case jobs.Started:
		s.realtime.TellJob(e.Job, protocol.JobStarted{JobID: e.Job.ID, Kind: e.Job.Kind})
	case jobs.LogLine:
		s.realtime.TellJob(e.Job, protocol.LogLine{JobID: e.Job.ID, N: e.N, Text: e.Text})
	case jobs.Progress:
		s.realtime.TellJob(e.Job, protocol.Progress{JobID: e.Job.ID, Done: e.Job.Done, Total: e.Job.Total})
	case jobs.Finished:
		s.metrics.JobFinished(string(e.Job.Kind), string(e.Job.Status))
		s.realtime.TellJob(e.Job, protocol.JobFinished{
			JobID: e.Job.ID, Status: e.Job.Status, DownloadURL: s.downloadURL(e.Job), Error: e.Job.Error,
		})
	}
}

// downloadLifetime is how long a link to a file is good.
const downloadLifetime = 5 * time.Minute

// downloadURL is a link to what a job has made; "" where there is nothing. It
// vouches for itself: whoever has it may fetch the file, for a while.
func (s *Server) downloadURL(job models.Job) string {
	if !hasFile(job) {
		return ""
	}
	if !s.jobFiles().Has(job, s.now()) {
		return "" // it was kept for a day
	}
	return s.config.BaseURL + "/api/v1/jobs/" + string(job.ID) + "/download/" + s.downloadKey.token(job.ID, s.now().Add(downloadLifetime))
}

// hasFile reports whether there is something to fetch of a job. The words of an
// import's report are ours: it holds nothing that could be erased.
func hasFile(job models.Job) bool {
	if job.Kind == models.JobImport {
		return job.Status.Final() && job.Import.Refused > 0
	}
	return job.Status == models.JobSucceeded && !job.Withdrawn
}

// jobFiles is where jobs have their files: all servers' where visitors' files are.
func (s *Server) jobFiles() jobs.Files {
	files := jobs.Files{Folder: s.data().Exports()}
	if s.config.Files != (blob.Location{}) {
		files.Shared = s.files
	}
	return files
}

// download sends the file of a job to whoever has a link to it, or a token of its
// organisation.
func (s *Server) download(c *fiber.Ctx) error {
	id := models.ID(c.Params("id"))
	job, err := s.downloadJob(c, id)
	if err != nil {
		return err
	}
	if !hasFile(job) {
		return models.Errorf(models.CodeNotFound, "there is no file of this job, or none any more")
	}
	// The answer is sent when this has returned, and outlasts the request's context.
	file, err := s.jobFiles().Open(context.WithoutCancel(c.UserContext()), job)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	name := "feedback-" + string(job.ID) + "." + string(job.Export.Format)
	if job.Kind == models.JobImport {
		name = "refused-" + string(job.ID) + ".csv"
	}
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	if job.Export.Format == models.ExportJSONL {
		c.Set(fiber.HeaderContentType, "application/x-ndjson")
	}
	c.Context().SetBodyStream(paced{file, c.Context().Conn()}, int(file.Size)) // which closes it
	return nil
}

// paced gives the client the time of an answer for each piece of a file: for all
// of one it would be too short.
type paced struct {
	io.ReadCloser
	conn net.Conn
}

// Read implements io.Reader.
func (p paced) Read(buf []byte) (int, error) {
	if err := p.conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
		return 0, err
	}
	return p.ReadCloser.Read(buf)
}

func (s *Server) downloadJob(c *fiber.Ctx, id models.ID) (models.Job, error) {
	if s.downloadKey.allows(id, c.Params("token"), s.now()) {
		return s.store.JobByLink(c.UserContext(), id)
	}
	token, ok := bearer(c)
	if !ok {
		return models.Job{}, models.Errorf(models.CodeUnauthorized, "the link is no longer good: fetch the job for a new one")
	}
	claims, err := s.authenticateFor(c.UserContext(), token, models.ScopeFeedbackRead)
	if err != nil {
		return models.Job{}, err
	}
	return s.store.Job(c.UserContext(), claims.Scope, id)
}
