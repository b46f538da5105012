package jobs

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// place is where an export goes on: behind the page that cursor continues, with
// the file that long. A complete one lacks its name alone.
type place struct {
	Part     string `json:"part"` // see Files.part
	Cursor   string `json:"cursor"`
	Bytes    int64  `json:"bytes"`
	Complete bool   `json:"complete,omitempty"`
}

// export writes the items of a project, oldest first, a page at a time, so that
// its memory does not depend on their number. Items that come meanwhile are left
// out: there would be no end of it.
func (t *task) export(ctx context.Context) (err error) {
	job := &t.lease.Job
	filter := store.FilterOf(job.Export.Filter, job.UserID)
	filter.Complete = true
	filter.Sort = "created_at"
	if end := job.CreatedAt.Add(time.Millisecond); filter.To.IsZero() || end.Before(filter.To) {
		filter.To = end
	}
	at, file, err := t.open()
	if err != nil {
		return err
	}
	part := t.part(job.ID, at.Part)
	defer func() {
		err = errors.Join(err, file.Close())
		if errors.Is(err, errCancelled) || err != nil && ctx.Err() == nil && !unwritable(err) {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	if !at.Complete {
		if err := t.count(ctx, filter); err != nil {
			return err
		}
		if err := t.pages(ctx, filter, at, file); err != nil {
			return err
		}
	}
	if t.Shared != nil {
		if err := t.share(ctx, part, t.Path(*job)); err != nil {
			return err
		}
	}
	if err := os.Rename(part, t.Path(*job)); err != nil {
		return fmt.Errorf("name export: %w", err)
	}
	t.say("Wrote %d items.", job.Done)
	return nil
}

func (t *task) count(ctx context.Context, filter store.Filter) error {
	job := &t.lease.Job
	counted, err := t.Store.FeedbackList(ctx, models.ScopeOf(job.OrganizationID), job.ProjectID, filter, store.Page{Limit: 1, Count: store.CountExact})
	if err != nil {
		return err
	}
	job.Total = counted.Total.N
	t.say("Exporting %d items as %s.", job.Total, strings.ToUpper(string(job.Export.Format)))
	return nil
}

// open gives the file as it was when the job last kept its place.
func (t *task) open() (at place, file *os.File, err error) {
	if err := os.MkdirAll(t.Folder, 0o700); err != nil {
		return at, nil, fmt.Errorf("make the folder for exports: %w", err)
	}
	if len(t.lease.Job.Checkpoint) > 0 {
		if err := json.Unmarshal(t.lease.Job.Checkpoint, &at); err != nil {
			return at, nil, fmt.Errorf("read checkpoint: %w", err)
		}
	}
	if info, err := os.Stat(t.part(t.lease.Job.ID, at.Part)); err != nil || info.Size() < at.Bytes { // the file is gone
		at, t.lease.Job.Done = place{Part: newPart()}, 0
	}
	file, err = os.OpenFile(t.part(t.lease.Job.ID, at.Part), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return at, nil, fmt.Errorf("open export: %w", err)
	}
	err = file.Truncate(at.Bytes)
	if err == nil {
		_, err = file.Seek(at.Bytes, io.SeekStart)
	}
	if err != nil {
		return at, nil, errors.Join(fmt.Errorf("open export: %w", err), file.Close())
	}
	return at, file, nil
}

func (t *task) pages(ctx context.Context, filter store.Filter, at place, file *os.File) error {
	job := &t.lease.Job
	out := bufio.NewWriterSize(file, 64<<10)
	rows := newRowWriter(job.Export.Format, out)
	if at.Bytes == 0 {
		if err := rows.begin(); err != nil {
			return err
		}
	}
	next := store.Page{Limit: store.MaxLimit, Cursor: at.Cursor}
	for first := true; first || next.Cursor != ""; first = false {
		list, err := page(ctx, t.Store, models.ScopeOf(job.OrganizationID), job.ProjectID, filter, next)
		if err != nil {
			return err
		}
		for _, item := range list.Items {
			if err := rows.write(item); err != nil {
				return err
			}
		}
		job.Done += int64(len(list.Items))
		next.Cursor = list.NextCursor
		if next.Cursor == "" || time.Since(t.saved) > saveInterval {
			if err := t.keep(ctx, out, file, place{Part: at.Part, Cursor: next.Cursor}); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep has what was written on disk before the place behind it is kept.
func (t *task) keep(ctx context.Context, out *bufio.Writer, file *os.File, at place) (err error) {
	if err := cmp.Or(out.Flush(), file.Sync()); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	if at.Bytes, err = file.Seek(0, io.SeekCurrent); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	at.Complete = at.Cursor == ""
	if t.lease.Job.Checkpoint, err = json.Marshal(at); err != nil {
		return err
	}
	return t.save(ctx)
}
