package jobs

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"earshot/models"
	"earshot/models/store"
)

// busy answers the first of each kind of write as a store does that cannot take
// it: done says whether it was taken all the same.
type busy struct {
	*store.Store
	saves, rows atomic.Int32
	done        bool
}

var errBusy = models.Errorf(models.CodeUnavailable, "busy")

func (b *busy) SaveJob(ctx context.Context, lease *store.Lease) (bool, error) {
	if b.saves.Add(1) > 1 {
		return b.Store.SaveJob(ctx, lease)
	}
	if b.done {
		if _, err := b.Store.SaveJob(ctx, lease); err != nil {
			return false, err
		}
	}
	return false, errBusy
}

func (b *busy) ImportRows(ctx context.Context, lease *store.Lease, rows []models.ImportedRow) (bool, error) {
	if b.rows.Add(1) > 1 {
		return b.Store.ImportRows(ctx, lease, rows)
	}
	if b.done {
		if _, err := b.Store.ImportRows(ctx, lease, rows); err != nil {
			return false, err
		}
	}
	return false, errBusy
}

// The place that an export keeps last is its end: going on from there writes
// nothing a second time.
func TestExportThroughABusyStore(t *testing.T) {
	for name, done := range map[string]bool{"that did not save": false, "that saved and did not say so": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.submit("one", "two", "three")
			job := f.request(models.ExportJSONL, "")
			f.start(&busy{Store: f.store, done: done})
			finished := f.finished(job.ID)
			if finished.Status != models.JobSucceeded || finished.Done != 3 {
				t.Errorf("ended as %s %q with %d items, want success with 3", finished.Status, finished.Error, finished.Done)
			}
			if lines := bytes.Count(f.read(finished), []byte("\n")); lines != 3 {
				t.Errorf("%d lines, want 3", lines)
			}
		})
	}
}

func TestImportThroughABusyStore(t *testing.T) {
	for name, done := range map[string]bool{"that did not take the rows": false, "that took them and did not say so": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			job := f.upload(models.Import{Format: models.ExportJSONL}, strings.Repeat(`{"message":"hello"}`+"\n", 500))
			f.start(&busy{Store: f.store, done: done})
			finished := f.finished(job.ID)
			if finished.Status != models.JobSucceeded || finished.Done != 500 {
				t.Errorf("ended as %s %q with %d rows, want success with 500", finished.Status, finished.Error, finished.Done)
			}
			if items := len(f.items()); items != 500 {
				t.Errorf("%d items, want 500", items)
			}
		})
	}
}

// What has not begun holds nothing of what is erased.
func TestErasureLeavesAWaitingExport(t *testing.T) {
	f := newFixture(t)
	f.submit("one", "two")
	job := f.request(models.ExportJSONL, "")
	if err := f.store.Erase(t.Context(), f.scope, f.items()[0].ID); err != nil {
		t.Fatal(err)
	}
	f.start(f.store)
	finished := f.finished(job.ID)
	if finished.Status != models.JobSucceeded || bytes.Count(f.read(finished), []byte("\n")) != 1 {
		t.Errorf("ended as %s %q, want success with the other item", finished.Status, finished.Error)
	}
}
