// Package jobs does the work in the background that people ask for. What is to be
// done waits in the database, so a restart loses none of it: a job that was under
// way goes on where it last kept its place.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// Store is what jobs need of the store.
type Store interface {
	RequeueJobs(ctx context.Context) error
	LeaseJob(ctx context.Context) (*store.Lease, error)
	SaveJob(ctx context.Context, lease *store.Lease) (cancelling bool, err error)
	FinishJob(ctx context.Context, lease *store.Lease, status models.JobStatus, reason string) (models.Job, error)
	ReleaseJob(ctx context.Context, lease *store.Lease) error
	GiveUpJobs(ctx context.Context) ([]models.Job, error)
	JobByLink(ctx context.Context, id models.ID) (models.Job, error)
	ImportRows(ctx context.Context, lease *store.Lease, rows []models.ImportedRow) (cancelling bool, err error)
	TellImported(ctx context.Context, job models.Job, count int64) error
	FeedbackList(ctx context.Context, scope models.Scope, project models.ID, filter store.Filter, page store.Page) (store.List[*models.Feedback], error)
	FillFiles(ctx context.Context, items ...*models.Feedback) error
}

// Event is what happens to a job, as it is told to whoever watches.
//
//sumtype:decl
type Event interface{ jobEvent() }

// Started says that a job was taken up again.
type Started struct{ Job models.Job }

// LogLine is a line of a job's log; N counts from 1 in each run.
type LogLine struct {
	Job  models.Job
	N    int
	Text string
}

// Progress says how far a job is: Done of Total.
type Progress struct{ Job models.Job }

// Finished says how a job ended.
type Finished struct{ Job models.Job }

func (Started) jobEvent()  {}
func (LogLine) jobEvent()  {}
func (Progress) jobEvent() {}
func (Finished) jobEvent() {}

// Options is what a Runner is made from.
type Options struct {
	Files
	Store Store
	Log   *slog.Logger
	// Notify is told of what happens. It must not block.
	Notify func(Event)
}

// Runner does one job after the other.
type Runner struct {
	Options
	wake   chan struct{}
	tidied time.Time // the shared store was; the run goroutine's own
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

const (
	// lookInterval is the time between two looks for jobs that nobody said a word
	// of: those of another process, and those whose lease ran out.
	lookInterval = 2 * time.Second
	// saveInterval is how often a job keeps its place and says how far it is.
	saveInterval = 500 * time.Millisecond
	// busyPause is left to a store that could not take a job's progress.
	busyPause = time.Second
)

// errCancelled ends a job that somebody wants to end.
var errCancelled = errors.New("cancelled")

// Start starts a Runner; end it with Stop.
func Start(ctx context.Context, options Options) (*Runner, error) {
	if err := options.Store.RequeueJobs(ctx); err != nil {
		return nil, fmt.Errorf("take jobs up again: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &Runner{Options: options, wake: make(chan struct{}, 1), cancel: cancel}
	r.ended.Go(func() { r.run(ctx) })
	return r, nil
}

// Stop lets the job that is under way keep its place, and waits.
func (r *Runner) Stop() {
	r.cancel()
	r.ended.Wait()
}

// Wake says that there is a new job.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Runner) run(ctx context.Context) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		for r.next(ctx) {
		}
		r.tidy(ctx)
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-ticker.C:
		}
	}
}

// next does one job; it is false where there was none to do.
func (r *Runner) next(ctx context.Context) bool {
	given, err := r.Store.GiveUpJobs(ctx)
	for _, job := range given {
		r.Notify(Finished{job})
	}
	var lease *store.Lease
	if err == nil {
		lease, err = r.Store.LeaseJob(ctx)
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Error("look for jobs", "error", err)
	}
	if err != nil || lease == nil || ctx.Err() != nil {
		return false
	}
	r.do(ctx, lease)
	return true
}

// task is one job under way.
type task struct {
	*Runner
	lease *store.Lease
	lines int
	saved time.Time
}

func (r *Runner) do(ctx context.Context, lease *store.Lease) {
	t := &task{Runner: r, lease: lease}
	if len(lease.Job.Checkpoint) > 0 { // who asked was told when it was taken in
		r.Notify(Started{lease.Job})
	}
	err := t.work(ctx)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	// The server leaves, or could not write for a moment: the job goes on later from
	// where it last kept its place.
	if err != nil && (ctx.Err() != nil || unwritable(err)) {
		r.release(end, lease)
		pause(ctx, busyPause)
		return
	}
	status, reason := models.JobSucceeded, ""
	var readable *models.Error
	switch {
	case err == nil:
	case errors.Is(err, errCancelled):
		status = models.JobCancelled
	case errors.As(err, &readable):
		status, reason = models.JobFailed, readable.Error()
	default:
		status, reason = models.JobFailed, "something went wrong on our side"
		r.Log.Error("job failed", "job", lease.Job.ID, "error", err)
	}
	finished, err := r.Store.FinishJob(end, lease, status, reason)
	if err != nil {
		r.Log.Error("finish job", "job", lease.Job.ID, "error", err)
		return
	}
	if finished.Kind == models.JobImport {
		if err := r.DropUpload(end, finished.ID); err != nil {
			r.Log.Error("remove an imported file", "job", finished.ID, "error", err)
		}
	}
	r.Notify(Finished{finished})
}

func (r *Runner) release(ctx context.Context, lease *store.Lease) {
	if err := r.Store.ReleaseJob(ctx, lease); err != nil {
		r.Log.Error("release job", "job", lease.Job.ID, "error", err)
	}
}

// unwritable says that it was the store's turn and not the job's fault.
func unwritable(err error) bool {
	code := models.CodeOf(err)
	return !errors.Is(err, errCancelled) && (code == models.CodeUnavailable || code == models.CodeStorageFull)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (t *task) work(ctx context.Context) error {
	switch t.lease.Job.Kind {
	case models.JobExport:
		return t.export(ctx)
	case models.JobImport:
		return t.imports(ctx)
	}
	return models.Errorf(models.CodeInvalidField, "this version does not know jobs of the kind %q", t.lease.Job.Kind)
}

func (t *task) say(format string, args ...any) {
	t.lines++
	t.Notify(LogLine{t.lease.Job, t.lines, fmt.Sprintf(format, args...)})
}

// save keeps the task's place and tells of it.
func (t *task) save(ctx context.Context) error {
	cancelling, err := t.Store.SaveJob(ctx, t.lease)
	if err != nil {
		return err
	}
	t.saved = time.Now()
	t.Notify(Progress{t.lease.Job})
	if cancelling {
		return errCancelled
	}
	return nil
}
