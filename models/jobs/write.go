package jobs

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"earshot/models"
	"earshot/models/store"
)

// Lister is what Write needs of the store.
type Lister interface {
	FeedbackList(ctx context.Context, scope models.Scope, project models.ID, filter store.Filter, page store.Page) (store.List[*models.Feedback], error)
	FillFiles(ctx context.Context, items ...*models.Feedback) error
}

// page reads items with the names of their files.
func page(ctx context.Context, s Lister, scope models.Scope, project models.ID, filter store.Filter, at store.Page) (store.List[*models.Feedback], error) {
	list, err := s.FeedbackList(ctx, scope, project, filter, at)
	if err == nil {
		err = s.FillFiles(ctx, list.Items...)
	}
	return list, err
}

// Write writes a project's items to out, oldest first, in constant memory, and
// tells progress after each page. It is an export without a job, for whoever can
// wait for it.
func Write(ctx context.Context, s Lister, scope models.Scope, project models.ID, export models.Export, out io.Writer, progress func(done, total int64)) error {
	filter := store.FilterOf(export.Filter, "")
	filter.Complete = true
	filter.Sort = "created_at"
	counted, err := s.FeedbackList(ctx, scope, project, filter, store.Page{Limit: 1, Count: store.CountExact})
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	rows := newRowWriter(export.Format, buffered)
	if err := rows.begin(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	at := store.Page{Limit: store.MaxLimit}
	var done int64
	for first := true; first || at.Cursor != ""; first = false {
		list, err := page(ctx, s, scope, project, filter, at)
		if err != nil {
			return err
		}
		for _, item := range list.Items {
			if err := rows.write(item); err != nil {
				return fmt.Errorf("write export: %w", err)
			}
		}
		done += int64(len(list.Items))
		at.Cursor = list.NextCursor
		progress(done, max(done, counted.Total.N))
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}
