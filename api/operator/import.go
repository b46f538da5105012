package operator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/jobs"
	"earshot/models/store"
)

// Import is what the command "import PROJECT FILE" is told.
type Import struct {
	Project string                        `arg:"" help:"The project's key (pk_…)."`
	File    string                        `arg:"" help:"CSV with a line of column names, or one JSON object a line."`
	Format  string                        `help:"csv or jsonl; by the file's name if it is not said." enum:",csv,jsonl" default:""`
	Map     map[string]models.ImportField `help:"Which column is which field (message, page_url, kind, rating, email, name, status, priority, tags, created_at, context), for those that are not called so." placeholder:"COLUMN=FIELD"`
	DryRun  bool                          `help:"Only look, and say what would be refused."`
}

const (
	// pollInterval is how often the command looks how far a server is.
	pollInterval = 200 * time.Millisecond
	// shownRefusals is how many refused rows are printed; all are in the report.
	shownRefusals = 20
)

// Import takes a file's rows into a project, also while the server runs: then that
// does it, and its dashboards see them.
func (d Data) Import(ctx context.Context, what Import, progress io.Writer) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	return d.withStore(ctx, func(s *store.Store) error {
		project, err := s.ProjectByKey(ctx, what.Project)
		if models.CodeOf(err) == models.CodeNotFound {
			return fmt.Errorf("there is no project with the key %s", what.Project)
		}
		if err != nil {
			return err
		}
		job, err := models.NewImport(project.ID, "", models.Import{Format: what.format(), Mapping: what.Map, DryRun: what.DryRun})
		if err != nil {
			return err
		}
		files, err := d.jobFiles()
		if err != nil {
			return err
		}
		if err := keepImport(ctx, files, what.File, job.ID); err != nil {
			return err
		}
		if job, err = s.CreateJob(ctx, models.ScopeOf(project.OrganizationID), job); err != nil {
			return errors.Join(err, files.DropUpload(ctx, job.ID))
		}
		if job, err = d.followImport(ctx, s, files, job, progress); err != nil {
			return err
		}
		return d.reportImport(ctx, files, job)
	})
}

func (i Import) format() models.ExportFormat {
	if i.Format == "" && strings.EqualFold(filepath.Ext(i.File), ".csv") {
		return models.ExportCSV
	}
	if i.Format == "" {
		return models.ExportJSONL
	}
	return models.ExportFormat(i.Format)
}

// keepImport copies the file to where jobs find theirs, so that the job can go on
// without it.
func keepImport(ctx context.Context, files jobs.Files, path string, job models.ID) error {
	in, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer func() { _ = in.Close() }()
	if err := files.KeepUpload(ctx, job, in); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// followImport waits for the job's end. Where no server does it, it is done here.
func (d Data) followImport(ctx context.Context, s *store.Store, files jobs.Files, job models.Job, progress io.Writer) (models.Job, error) {
	if release, err := d.Lock(); err == nil {
		runner, err := jobs.Start(ctx, jobs.Options{Store: s, Files: files, Log: d.Log, Notify: func(jobs.Event) {}})
		if err != nil {
			return job, errors.Join(err, release())
		}
		defer func() { _ = release() }()
		defer runner.Stop()
	}
	bar := &progressBar{out: progress}
	defer bar.end()
	scope := models.ScopeOf(job.OrganizationID)
	for !job.Status.Final() {
		select {
		case <-ctx.Done():
			_, err := s.CancelJob(context.WithoutCancel(ctx), scope, job.ID)
			return job, errors.Join(ctx.Err(), err)
		case <-time.After(pollInterval):
		}
		var err error
		if job, err = s.Job(ctx, scope, job.ID); err != nil {
			return job, err
		}
		bar.show(job.Done, job.Total)
	}
	return job, nil
}

func (d Data) reportImport(ctx context.Context, files jobs.Files, job models.Job) error {
	taken, verb := job.Done-job.Import.Refused, "Imported"
	if job.Import.DryRun {
		verb = "Would import"
	}
	d.printf("%s %d of %d rows.\n", verb, taken, job.Total)
	if job.Import.Refused > 0 {
		d.printf("Refused %d, all of them in %s:\n", job.Import.Refused, files.Place(job))
		if err := d.printHead(ctx, files, job); err != nil {
			return err
		}
	}
	if job.Status != models.JobSucceeded {
		return fmt.Errorf("import: %s: %s", job.Status, job.Error)
	}
	return nil
}

func (d Data) printHead(ctx context.Context, files jobs.Files, job models.Job) error {
	report, err := files.Open(ctx, job)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer func() { _ = report.Close() }()
	lines := bufio.NewScanner(report)
	for n := 0; n <= shownRefusals && lines.Scan(); n++ {
		d.printf("  %s\n", strings.TrimSpace(lines.Text()))
	}
	return lines.Err()
}
