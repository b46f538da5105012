package jobs

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store"
	"earshot/models/store/storetest"
)

// fixture is a store with a project, and what was told of its jobs.
type fixture struct {
	t       *testing.T
	store   *store.Store
	scope   models.Scope
	project *models.Project
	user    models.ID
	folder  string
	path    string  // of the database
	runner  *Runner // nil until it is started

	mu     sync.Mutex
	events []Event
	told   chan struct{}
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	path := storetest.Database(t)
	var err error
	f := &fixture{t: t, path: path, folder: filepath.Join(t.TempDir(), "exports"), told: make(chan struct{}, 1)}
	if f.store, err = store.Open(t.Context(), store.Options{Path: path, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	user, org, err := f.store.CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	f.scope, f.user = models.ScopeOf(org.ID), user.ID
	f.project = &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	if err := errors.Join(f.project.Normalize(), f.store.CreateProject(t.Context(), f.scope, f.project)); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) submit(messages ...string) {
	f.t.Helper()
	for _, message := range messages {
		in := store.NewFeedback{
			Project: f.project, ResumeHash: models.HashResumeToken(models.NewResumeToken()), SessionID: models.NewID(),
			Submission: models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: message, Rating: 2, Context: json.RawMessage(`{"plan":"pro"}`)},
		}
		if _, err := f.store.Submit(f.t.Context(), in); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fixture) notify(event Event) {
	f.mu.Lock()
	f.events = append(f.events, event)
	f.mu.Unlock()
	select {
	case f.told <- struct{}{}:
	default:
	}
}

func (f *fixture) start(s Store) *Runner {
	f.t.Helper()
	r, err := Start(f.t.Context(), Options{Store: s, Files: Files{Folder: f.folder}, Log: slog.New(slog.DiscardHandler), Notify: f.notify})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(r.Stop)
	f.runner = r
	return r
}

func (f *fixture) request(format models.ExportFormat, filter string) models.Job {
	f.t.Helper()
	job, err := models.NewExport(f.project.ID, f.user, format, json.RawMessage(filter))
	if err == nil {
		job, err = f.store.CreateJob(f.t.Context(), f.scope, job)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if f.runner != nil {
		f.runner.Wake()
	}
	return job
}

// finished waits for the end of a job.
func (f *fixture) finished(id models.ID) models.Job {
	f.t.Helper()
	for timeout := time.After(10 * time.Second); ; {
		f.mu.Lock()
		for _, event := range f.events {
			if e, ok := event.(Finished); ok && e.Job.ID == id {
				f.mu.Unlock()
				return e.Job
			}
		}
		f.mu.Unlock()
		select {
		case <-f.told:
		case <-timeout:
			f.t.Fatal("the job did not finish")
		}
	}
}

func (f *fixture) read(job models.Job) []byte {
	f.t.Helper()
	content, err := os.ReadFile(Files{Folder: f.folder}.Path(job))
	if err != nil {
		f.t.Fatal(err)
	}
	return content
}

func TestExport(t *testing.T) {
	f := newFixture(t)
	f.submit("first", "=HYPERLINK(\"x\")", "+1", "-1", "@x", "\"quoted\", with\nlines", "＝wide; =1 😀")
	f.start(f.store)
	inCSV, inJSON := f.request(models.ExportCSV, ""), f.request(models.ExportJSONL, "")
	job := f.finished(inCSV.ID)
	if job.Status != models.JobSucceeded || job.Done != 7 || job.Total != 7 || job.FinishedAt == nil {
		t.Errorf("the job is %+v", job)
	}
	records, err := csv.NewReader(bytes.NewReader(f.read(job))).ReadAll()
	if err != nil || len(records) != 8 {
		t.Fatalf("%d records (%v), want a head and 7", len(records), err)
	}
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	for i, want := range []string{"first", "'=HYPERLINK(\"x\")", "'+1", "'-1", "'@x", "\"quoted\", with\nlines", "'＝wide; =1 😀"} {
		if got := records[i+1][column["message"]]; got != want {
			t.Errorf("record %d says %q, want %q", i+1, got, want)
		}
	}
	if first := records[1]; first[column["context"]] != `{"plan":"pro"}` || first[column["rating"]] != "2" || first[column["status"]] != "new" {
		t.Errorf("the first record is %q", first)
	}
	job = f.finished(inJSON.ID)
	lines := strings.Split(strings.TrimSuffix(string(f.read(job)), "\n"), "\n")
	var item struct {
		Message string
		Rating  int
		Kind    *string
	}
	if len(lines) != 7 || json.Unmarshal([]byte(lines[1]), &item) != nil || item.Message != "=HYPERLINK(\"x\")" || item.Rating != 2 || item.Kind != nil {
		t.Errorf("%d lines, the second is %s", len(lines), lines[1])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kinds := map[string]int{}
	for _, event := range f.events {
		kinds[fmt.Sprintf("%T", event)]++
	}
	if kinds["jobs.Started"] != 0 || kinds["jobs.Finished"] != 2 || kinds["jobs.Progress"] < 2 || kinds["jobs.LogLine"] < 2 {
		t.Errorf("told %v", kinds)
	}
}

// What was exported does not outlive what was erased, nor its project.
func TestExportIsWithdrawn(t *testing.T) {
	f := newFixture(t)
	f.submit("one")
	f.start(f.store)
	list, err := f.store.FeedbackList(t.Context(), f.scope, f.project.ID, store.Filter{}, store.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	first := f.finished(f.request(models.ExportCSV, "").ID)
	gone := func(job models.Job) bool {
		f.runner.Wake()
		_, err := os.Stat(Files{Folder: f.folder}.Path(job))
		return os.IsNotExist(err)
	}
	if gone(first) {
		t.Fatal("the file is not there")
	}
	if err := f.store.Erase(t.Context(), f.scope, list.Items[0].ID); err != nil {
		t.Fatal(err)
	}
	second := f.finished(f.request(models.ExportCSV, "").ID)
	for end := time.Now().Add(10 * time.Second); !gone(first); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the file outlives what was erased")
		}
	}
	if job, err := f.store.Job(t.Context(), f.scope, first.ID); err != nil || !job.Withdrawn {
		t.Errorf("the job is %+v (%v), want it withdrawn", job, err)
	}
	if second.Withdrawn || second.Done != 0 || gone(second) {
		t.Errorf("what was exported since is %+v", second)
	}
	if err := f.store.DeleteProject(t.Context(), f.scope, f.project.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Job(t.Context(), f.scope, second.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("a job of a deleted project: %v", err)
	}
	for end := time.Now().Add(10 * time.Second); !gone(second); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the file outlives its project")
		}
	}
}

func TestJobsAreBounded(t *testing.T) {
	f := newFixture(t)
	for range 10 {
		f.request(models.ExportCSV, "")
	}
	job, err := models.NewExport(f.project.ID, f.user, models.ExportCSV, nil)
	if err == nil {
		_, err = f.store.CreateJob(t.Context(), f.scope, job)
	}
	if models.CodeOf(err) != models.CodeRateLimited {
		t.Errorf("one more: %v, want rate_limited", err)
	}
}

func TestExportFilters(t *testing.T) {
	f := newFixture(t)
	f.submit("one", "two", "three")
	f.start(f.store)
	for filter, want := range map[string]int64{
		`{}`: 3, `null`: 3, `{"status":"new"}`: 3, `{"status":["open","closed"]}`: 0, `{"status":"open,new"}`: 3, `{"rating":"2"}`: 3, `{"rating":[1]}`: 0,
		`{"rating":2}`: 3, `{"kind":"bug"}`: 0, `{"assignee":"none"}`: 3, `{"to":"2001-01-01T00:00:00Z"}`: 0, `{"from":"2001-01-01T00:00:00Z"}`: 3,
		`{"quarantined":true}`: 0, `{"has_attachment":true}`: 0, `{"has_attachment":false}`: 3, `{"status":""}`: 3, `{"assignee":"me"}`: 0,
	} {
		job := f.request(models.ExportJSONL, filter)
		if job = f.finished(job.ID); job.Done != want || job.Status != models.JobSucceeded {
			t.Errorf("%s exports %d (%s), want %d", filter, job.Done, job.Status, want)
		}
	}
	for filter, path := range map[string]string{
		`{"colour":"red"}`: "filter.colour", `{"Status":"new"}`: "filter.Status", `{"q":"` + strings.Repeat("a", 501) + `"}`: "filter.q", `{"status":"old"}`: "filter.status", `{"rating":9}`: "filter.rating", `[]`: "filter", `{"assignee":"x"}`: "filter.assignee",
	} {
		_, err := models.NewExport(f.project.ID, f.user, models.ExportCSV, json.RawMessage(filter))
		var refused *models.Error
		if !errors.As(err, &refused) || len(refused.Fields) != 1 || refused.Fields[0].Path != path {
			t.Errorf("%s: %v, want it refused at %s", filter, err, path)
		}
	}
}

func TestCancel(t *testing.T) {
	f := newFixture(t)
	f.submit("one")
	waiting := f.request(models.ExportCSV, "")
	if job, err := f.store.CancelJob(t.Context(), f.scope, waiting.ID); err != nil || job.Status != models.JobCancelled {
		t.Errorf("a job that waits: %+v, %v", job, err)
	}
	running := f.request(models.ExportCSV, "")
	lease, err := f.store.LeaseJob(t.Context())
	if err != nil || lease == nil || lease.Job.ID != running.ID {
		t.Fatalf("leased %+v (%v), want the job that still waits", lease, err)
	}
	if job, err := f.store.CancelJob(t.Context(), f.scope, running.ID); err != nil || job.Status != models.JobRunning {
		t.Errorf("a job that runs: %+v, %v", job, err)
	}
	r := &Runner{Options: Options{Store: f.store, Files: Files{Folder: f.folder}, Log: slog.New(slog.DiscardHandler), Notify: f.notify}}
	r.do(t.Context(), lease)
	if job := f.finished(running.ID); job.Status != models.JobCancelled {
		t.Errorf("the job ended as %s", job.Status)
	}
	if left, err := os.ReadDir(f.folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if lease, err := f.store.LeaseJob(t.Context()); err != nil || lease != nil {
		t.Errorf("a cancelled job is leased again: %+v (%v)", lease, err)
	}
	if _, err := f.store.CancelJob(t.Context(), models.ScopeOf(models.NewID()), running.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("a stranger's job: %v", err)
	}
}

// restarted has jobs wait again that were taken up by a server that is gone. Where
// there may be several, that is when their leases have run out.
func (f *fixture) restarted() {
	f.t.Helper()
	if !store.IsPostgres(f.path) {
		if err := f.store.RequeueJobs(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		return
	}
	db, err := sql.Open("pgx", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	_, err = db.ExecContext(f.t.Context(), "UPDATE goqite SET timeout = now()")
	if err := errors.Join(err, db.Close()); err != nil {
		f.t.Fatal(err)
	}
}

// A job that takes the server down each time is given up in the end.
func TestJobIsGivenUp(t *testing.T) {
	f := newFixture(t)
	job := f.request(models.ExportCSV, "")
	for range 5 {
		f.restarted()
		if lease, err := f.store.LeaseJob(t.Context()); err != nil || lease == nil {
			t.Fatalf("lease: %v", err)
		}
	}
	f.restarted()
	f.start(f.store)
	if job = f.finished(job.ID); job.Status != models.JobFailed || job.Error == "" {
		t.Errorf("the job ended as %s: %q", job.Status, job.Error)
	}
}
