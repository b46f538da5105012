package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store"
)

// interrupted is a store that fails when the job has come to some page, as if the
// server had ended there.
type interrupted struct {
	*store.Store
	pages int
	end   context.CancelFunc
}

func (s *interrupted) FeedbackList(ctx context.Context, scope models.Scope, project models.ID, filter store.Filter, page store.Page) (store.List[*models.Feedback], error) {
	if s.pages--; s.pages < 0 {
		s.end()
		return store.List[*models.Feedback]{}, context.Canceled
	}
	return s.Store.FeedbackList(ctx, scope, project, filter, page)
}

// A job that a server left behind goes on in the next one, and each item is there
// once.
func TestExportGoesOnAfterARestart(t *testing.T) {
	f := newFixture(t)
	for i := range 5 * store.MaxLimit {
		f.submit(fmt.Sprint("item ", i))
	}
	job := f.request(models.ExportJSONL, "")
	ctx, cancel := context.WithCancel(t.Context())
	broken := &interrupted{Store: f.store, pages: 4, end: cancel} // the count, then three pages
	lease, err := f.store.LeaseJob(ctx)
	if err != nil || lease == nil {
		t.Fatalf("lease: %v", err)
	}
	r := &Runner{Options: Options{Store: broken, Files: Files{Folder: f.folder}, Log: slog.New(slog.DiscardHandler), Notify: f.notify}}
	r.do(ctx, lease)
	// What was written behind the place that was kept is written again.
	parts, err := filepath.Glob(filepath.Join(f.folder, string(job.ID)+".*.part"))
	if err != nil || len(parts) != 1 {
		t.Fatalf("there are %q (%v)", parts, err)
	}
	part, err := os.OpenFile(parts[0], os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(part, `{"half":"a li`)
	if err := errors.Join(err, part.Close()); err != nil {
		t.Fatal(err)
	}
	f.start(f.store)
	done := f.finished(job.ID)
	seen := map[string]int{}
	for line := range strings.Lines(string(f.read(done))) {
		var item struct{ Message string }
		if err := json.Unmarshal([]byte(line), &item); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		seen[item.Message]++
	}
	if len(seen) != 5*store.MaxLimit || done.Done != 5*store.MaxLimit {
		t.Errorf("%d items, %d counted, want %d", len(seen), done.Done, 5*store.MaxLimit)
	}
	for message, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", message, n)
		}
	}
}
