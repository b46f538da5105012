package jobs

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/blob"
	"earshot/models/store"
)

// Two servers share a store: what one does, the other gives out, and what one took in
// the other does.
func TestJobsOfSeveralServers(t *testing.T) {
	f := newFixture(t)
	f.submit("kept by one")
	files, err := blob.Open(blob.Location{Folder: t.TempDir()}, blob.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	here := Files{Folder: filepath.Join(t.TempDir(), "here"), Shared: files}
	there := Files{Folder: filepath.Join(t.TempDir(), "there"), Shared: files}
	whole := func(job models.Job) string {
		t.Helper()
		content, err := there.Open(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(content)
		if err != nil || int64(len(got)) != content.Size || content.Close() != nil {
			t.Fatalf("read %d bytes of %d: %v", len(got), content.Size, err)
		}
		return string(got)
	}
	imported, err := models.NewImport(f.project.ID, f.user, models.Import{Format: models.ExportJSONL})
	if err != nil {
		t.Fatal(err)
	}
	if err := there.KeepUpload(t.Context(), imported.ID, strings.NewReader(`{"message":"brought to the other"}`+"\n"+`{"message":" "}`)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(there.Folder); err != nil || len(left) > 0 {
		t.Errorf("the server that took the file in keeps %v (%v)", left, err)
	}
	if _, err := f.store.CreateJob(t.Context(), f.scope, imported); err != nil {
		t.Fatal(err)
	}
	r, err := Start(t.Context(), Options{Store: f.store, Files: here, Log: slog.New(slog.DiscardHandler), Notify: f.notify})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	if job := f.finished(imported.ID); job.Status != models.JobSucceeded || job.Import.Refused != 1 || !there.Has(job, time.Now()) || there.Has(job, time.Now().Add(25*time.Hour)) {
		t.Errorf("the import is %+v", job)
	} else if got := whole(job); !strings.Contains(got, `"2","message must not be empty"`) {
		t.Errorf("its report is %q", got)
	}
	if _, err := files.Open(t.Context(), shared(here.upload(imported.ID))); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("the file that was imported is still there: %v", err)
	}
	f.runner = r
	exported := f.finished(f.request(models.ExportJSONL, `{}`).ID)
	if got := whole(exported); exported.Status != models.JobSucceeded || !strings.Contains(got, "kept by one") || !strings.Contains(got, "brought to the other") {
		t.Errorf("the export is %+v and has %q", exported, got)
	}

	// What nobody may fetch any more goes from the shared store, too.
	if _, err := f.store.EraseAll(t.Context(), f.scope, f.project.ID, models.Erasure{Before: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	next := &Runner{Options: Options{Store: f.store, Files: there, Log: slog.New(slog.DiscardHandler), Notify: f.notify}}
	next.tidy(t.Context())
	if _, err := files.Open(t.Context(), shared(here.Path(exported))); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("an export with something erased in it is still there: %v", err)
	}
}

// What a server wrote of a job that went on elsewhere meanwhile is not what the job's
// place speaks of, however long it is. A report that another server began is begun
// anew, and says so.
func TestPartsOfAnotherServer(t *testing.T) {
	f := newFixture(t)
	job := models.NewID()
	r := &Runner{Options: Options{Store: f.store, Files: Files{Folder: t.TempDir()}}}
	for _, name := range []string{"", "mine"} {
		if err := os.WriteFile(r.part(job, name), []byte(strings.Repeat("what was written here before\n", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lease := &store.Lease{Job: models.Job{ID: job, Done: 7, Checkpoint: []byte(`{"part":"theirs","cursor":"c","bytes":500,"report":500}`)}}
	at, file, err := (&task{Runner: r, lease: lease}).open()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := file.Stat(); err != nil || file.Close() != nil || info.Size() != 0 || at.Bytes != 0 || at.Cursor != "" || at.Part == "theirs" || lease.Job.Done != 0 {
		t.Errorf("the export goes on at %+v (%v), %d done", at, err, lease.Job.Done)
	}
	in := &importing{task: &task{Runner: r, lease: lease}, place: importPlace{Part: "theirs", Report: 500}}
	if err := in.openReport(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(in.report.Name())
	if err != nil || in.report.Close() != nil || int64(len(got)) != in.place.Report || !strings.HasPrefix(string(got), "line,reason\r\n") || !strings.Contains(string(got), "another server") {
		t.Errorf("the report is %q (%v), its place %+v", got, err, in.place)
	}
}

// watched is a store that looks at a path while somebody reads from it.
type watched struct {
	blob.Store
	path string
	seen *bool
}

func (w watched) Open(ctx context.Context, name string) (*blob.Content, error) {
	content, err := w.Store.Open(ctx, name)
	if err == nil {
		content.ReadCloser = watchedContent{content.ReadCloser, w}
	}
	return content, err
}

type watchedContent struct {
	io.ReadCloser
	watched
}

func (w watchedContent) Read(p []byte) (int, error) {
	if _, err := os.Stat(w.path); err == nil {
		*w.seen = true
	}
	return w.ReadCloser.Read(p)
}

// A server that is killed while it fetches the file of an import leaves nothing that
// would pass for the whole file.
func TestUploadIsFetchedWholeOrNotAtAll(t *testing.T) {
	files, err := blob.Open(blob.Location{Folder: t.TempDir()}, blob.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	job, seen := models.NewID(), false
	if err := (Files{Folder: t.TempDir(), Shared: files}).KeepUpload(t.Context(), job, strings.NewReader("all of it")); err != nil {
		t.Fatal(err)
	}
	here := Files{Folder: t.TempDir()}
	here.Shared = watched{files, here.upload(job), &seen}
	file, err := here.openUpload(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if got, err := io.ReadAll(file); err != nil || string(got) != "all of it" || seen {
		t.Errorf("fetched %q (%v), seen under its name before it was whole: %v", got, err, seen)
	}
	if left, err := os.ReadDir(here.Folder); err != nil || len(left) != 1 {
		t.Errorf("there are %v (%v), want the file alone", left, err)
	}
}
