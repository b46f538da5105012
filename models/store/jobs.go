package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"maragu.dev/goqite"

	"earshot/models"
)

const (
	// jobsAtOnce bounds the jobs of an organisation that are not finished: they are
	// done one after the other, and nobody may make all others wait.
	jobsAtOnce = 10
	// jobLease is how long a job may be silent before somebody else takes it up:
	// longer than a disk stalls, and short for who waits after a crash.
	jobLease = 30 * time.Second
	// jobTries is how often a job is begun. One that takes the server down each
	// time must not do so for ever.
	jobTries = 5
)

func newQueue(db *sql.DB, flavor goqite.SQLFlavor) *goqite.Queue {
	return goqite.New(goqite.NewOpts{SQLFlavor: flavor, DB: db, Name: "jobs", MaxReceive: jobTries, Timeout: jobLease})
}

// CreateJob stores and queues a job of the organisation, in one transaction.
func (s *Store) CreateJob(ctx context.Context, scope models.Scope, job models.Job) (models.Job, error) {
	if _, err := s.Project(ctx, scope, job.ProjectID); err != nil {
		return models.Job{}, err
	}
	var what any = job.Export
	if job.Kind == models.JobImport {
		what = job.Import
	}
	request, err := json.Marshal(what)
	if err != nil {
		return models.Job{}, fmt.Errorf("encode job: %w", err)
	}
	job.OrganizationID = scope.Organization()
	err = s.writer.do(ctx, false, func(t *tx) error {
		var open int64
		err := t.orm().Model(&jobRow{}).Where("organization_id = ? AND finished_at IS NULL", scope.Organization()).Count(&open).Error
		if err != nil {
			return err
		}
		if open >= jobsAtOnce {
			return &models.Error{Code: models.CodeRateLimited, Message: "ten jobs wait already", RetryAfter: jobLease}
		}
		at := t.now.UnixMilli()
		job.CreatedAt, job.UpdatedAt = fromMillis(at), fromMillis(at)
		row := jobRow{
			ID: job.ID, OrganizationID: job.OrganizationID, ProjectID: job.ProjectID, UserID: job.UserID, Kind: job.Kind,
			Status: job.Status, Request: string(request), CreatedAt: at, UpdatedAt: at,
		}
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		action := models.AuditExported
		if job.Kind == models.JobImport {
			action = models.AuditImported
		}
		if err := t.audit(ctx, job.OrganizationID, noted{action: action, kind: "job", object: job.ID, project: job.ProjectID}); err != nil {
			return err
		}
		return t.inQueue(func(ctx context.Context, inner *sql.Tx) error {
			return t.w.jobs.SendTx(ctx, inner, goqite.Message{Body: []byte(job.ID)})
		})
	})
	if err != nil {
		return models.Job{}, err
	}
	return job, nil
}

// Lease is a job that is the caller's to do, for as long as its progress is saved
// in time.
type Lease struct {
	Job     models.Job
	message goqite.ID
}

// LeaseJob takes the next job that waits; nil where none does. A job whose last
// holder is gone waits again once its lease has run out.
func (s *Store) LeaseJob(ctx context.Context) (*Lease, error) {
	for {
		due, err := s.jobDue(ctx)
		if err != nil || !due {
			return nil, err
		}
		// What was next may have been cancelled before it was begun.
		if lease, err := s.leaseNext(ctx); err != nil || lease != nil {
			return lease, err
		}
	}
}

func (s *Store) leaseNext(ctx context.Context) (lease *Lease, err error) {
	err = s.writer.do(ctx, false, func(t *tx) error {
		lease = nil
		var message *goqite.Message
		err := t.inQueue(func(ctx context.Context, inner *sql.Tx) (err error) {
			message, err = t.w.jobs.ReceiveTx(ctx, inner)
			return err
		})
		if err != nil || message == nil {
			return err
		}
		var row jobRow
		err = t.orm().Where("id = ?", string(message.Body)).Take(&row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && row.Status.Final() {
			return t.dequeue(message.ID)
		}
		if err != nil {
			return err
		}
		row.Status, row.UpdatedAt = models.JobRunning, t.now.UnixMilli()
		if err := t.orm().Save(&row).Error; err != nil {
			return err
		}
		job, err := row.job()
		lease = &Lease{Job: job, message: message.ID}
		return err
	})
	return lease, err
}

// jobDue asks without a write whether there is anything to lease.
func (s *Store) jobDue(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var n int64
	err := s.read.WithContext(ctx).Raw("SELECT COUNT(*) FROM goqite WHERE queue = 'jobs' AND timeout <= ? AND received < ?",
		queueTime(time.Now()), jobTries).Scan(&n).Error
	return n > 0, translate(err)
}

// SaveJob keeps a job's progress and where to go on, and prolongs its lease.
// cancelling says that somebody wants it to end.
func (s *Store) SaveJob(ctx context.Context, lease *Lease) (cancelling bool, err error) {
	job, wanted := lease.Job, make(chan bool, 1) // read only once the write is over
	err = s.writer.do(ctx, false, func(t *tx) error {
		cancelling, err := t.saveJob(job, lease)
		select {
		case <-wanted:
		default:
		}
		wanted <- cancelling
		return err
	})
	if err != nil {
		return false, err
	}
	return <-wanted, nil
}

func (t *tx) saveJob(job models.Job, lease *Lease) (cancelling bool, err error) {
	var row jobRow
	if err := t.orm().Where("id = ?", job.ID).Take(&row).Error; err != nil {
		return false, err
	}
	row.Done, row.Total, row.Refused, row.Checkpoint, row.UpdatedAt = job.Done, job.Total, job.Import.Refused, string(job.Checkpoint), t.now.UnixMilli()
	if err := t.orm().Save(&row).Error; err != nil {
		return false, err
	}
	return row.Cancelling, t.inQueue(func(ctx context.Context, inner *sql.Tx) error {
		return t.w.jobs.ExtendTx(ctx, inner, lease.message, jobLease)
	})
}

// FinishJob ends a job. reason is for the person who asked, where it failed.
func (s *Store) FinishJob(ctx context.Context, lease *Lease, status models.JobStatus, reason string) (models.Job, error) {
	var finished models.Job
	err := s.writer.do(ctx, false, func(t *tx) error {
		var row jobRow
		if err := t.orm().Where("id = ?", lease.Job.ID).Take(&row).Error; err != nil {
			return err
		}
		row.Done, row.Total, row.Refused = lease.Job.Done, lease.Job.Total, lease.Job.Import.Refused
		if row.Kind == models.JobExport && row.Withdrawn && status == models.JobSucceeded {
			status, reason = models.JobFailed, "something was erased meanwhile: export again"
		}
		if err := t.finish(&row, status, reason); err != nil {
			return err
		}
		var err error
		if finished, err = row.job(); err != nil {
			return err
		}
		return t.dequeue(lease.message)
	})
	if err != nil {
		return models.Job{}, err
	}
	return finished, nil
}

func (t *tx) finish(row *jobRow, status models.JobStatus, reason string) error {
	at := t.now.UnixMilli()
	row.Status, row.Error, row.UpdatedAt, row.FinishedAt = status, reason, at, &at
	return t.orm().Save(row).Error
}

func (t *tx) dequeue(message goqite.ID) error {
	return t.inQueue(func(ctx context.Context, inner *sql.Tx) error { return t.w.jobs.DeleteTx(ctx, inner, message) })
}

// GiveUpJobs ends the jobs that were begun too often, and gives them.
func (s *Store) GiveUpJobs(ctx context.Context) (given []models.Job, err error) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var messages []struct {
		ID   goqite.ID
		Body []byte
	}
	err = s.read.WithContext(reading).Raw("SELECT id, body FROM goqite WHERE queue = 'jobs' AND timeout <= ? AND received >= ?",
		queueTime(time.Now()), jobTries).Scan(&messages).Error
	if err != nil || len(messages) == 0 {
		return nil, translate(err)
	}
	err = s.writer.do(ctx, false, func(t *tx) error {
		given = nil
		for _, message := range messages {
			var row jobRow
			if err := t.orm().Where("id = ?", string(message.Body)).Limit(1).Find(&row).Error; err != nil {
				return err
			}
			if row.ID != "" && !row.Status.Final() {
				if err := t.finish(&row, models.JobFailed, "the server ended each time it was begun"); err != nil {
					return err
				}
				job, err := row.job()
				if err != nil {
					return err
				}
				given = append(given, job)
			}
			if err := t.dequeue(message.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return given, err
}

// CancelJob asks a job to end; one that was not begun has ended at once.
func (s *Store) CancelJob(ctx context.Context, scope models.Scope, id models.ID) (models.Job, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return models.Job{}, err
	}
	var job models.Job
	err := s.writer.do(ctx, false, func(t *tx) error {
		var row jobRow
		if err := owned(t.orm(), scope).Where("id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		switch {
		case row.Status.Final():
		case row.Status == models.JobQueued:
			if err := t.finish(&row, models.JobCancelled, ""); err != nil {
				return err
			}
		default:
			row.Cancelling = true
			if err := t.orm().Save(&row).Error; err != nil {
				return err
			}
		}
		var err error
		job, err = row.job()
		return err
	})
	return job, err
}

// Job reads one job of the organisation.
func (s *Store) Job(ctx context.Context, scope models.Scope, id models.ID) (models.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return models.Job{}, err
	}
	row, err := gorm.G[jobRow](db).Where("id = ? AND organization_id = ? AND "+ofProject, id, scope.Organization()).Take(ctx)
	if err == nil && !scope.Admits(row.ProjectID) {
		err = errNotFound
	}
	if err != nil {
		return models.Job{}, translate(err)
	}
	return row.job()
}

// JobByLink reads the job that a link's signature vouches for; the signature
// stands in for the scope.
func (s *Store) JobByLink(ctx context.Context, id models.ID) (models.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := gorm.G[jobRow](s.read).Where("id = ? AND "+ofProject, id).Take(ctx)
	if err != nil {
		return models.Job{}, translate(err)
	}
	return row.job()
}

// Jobs is one page of the organisation's jobs, newest first.
func (s *Store) Jobs(ctx context.Context, scope models.Scope, page Page) (List[models.Job], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return List[models.Job]{}, err
	}
	jobs := chronology[jobRow, models.Job]{
		name: "jobs", sort: "-created_at",
		key:  func(row jobRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: jobRow.job,
	}
	return jobs.page(owned(db.Model(&jobRow{}), scope).Where(ofProject), page)
}

// RequeueJobs lets jobs whose holder is gone wait again at once. It is for the
// start of the only server of a database: in PostgreSQL others may hold them, and a
// lease runs out by itself.
func (s *Store) RequeueJobs(ctx context.Context) error {
	if s.writer.remote != nil {
		return nil
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Exec("UPDATE goqite SET timeout = ? WHERE queue = 'jobs'", queueTime(time.Now())).Error
	})
}

// ReleaseJob gives a job back that was not finished. That was no failed try: the
// tries are for jobs that end the server.
func (s *Store) ReleaseJob(ctx context.Context, lease *Lease) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		if err := t.orm().Exec("UPDATE goqite SET received = received - 1 WHERE id = ? AND received > 0", string(lease.message)).Error; err != nil {
			return err
		}
		return t.inQueue(func(ctx context.Context, inner *sql.Tx) error {
			return t.w.jobs.ExtendTx(ctx, inner, lease.message, 0)
		})
	})
}

// queueTime is how the queue writes times.
func queueTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
