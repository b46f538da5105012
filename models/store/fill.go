package store

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"earshot/models"
)

// fillBatch is how many items one transaction of Fill puts in; each has 19 values,
// and SQLite binds no more than 32,766 values.
const fillBatch = 1000

// Fill puts items into a project as they are, many at a time, for measurements of what
// a store does with many. Nobody is told of them, and they have no events.
func (s *Store) Fill(ctx context.Context, scope models.Scope, project models.ID, items iter.Seq[models.Feedback]) error {
	if _, err := s.Project(ctx, scope, project); err != nil {
		return err
	}
	batch := make([]models.Feedback, 0, fillBatch)
	flush := func() error {
		err := s.writer.do(ctx, false, func(t *tx) error { return t.fill(scope, project, batch) })
		batch = batch[:0]
		return err
	}
	for item := range items {
		if batch = append(batch, item); len(batch) == fillBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return flush()
}

func (t *tx) fill(scope models.Scope, project models.ID, items []models.Feedback) error {
	n, err := t.w.dialect.numbers(t.orm(), len(items))
	if err != nil {
		return err
	}
	n--
	var values []any
	var tags []tagRow
	for i := range items {
		item := &items[i]
		n++
		labels, err := json.Marshal(append([]string{}, item.Tags...))
		if err != nil {
			return err
		}
		created := item.CreatedAt.UnixMilli()
		values = append(values, n, item.ID, scope.Organization(), project, item.Message, item.PageURL, item.Kind, item.Rating, item.Name, item.Email,
			item.Status, item.AssigneeID, string(labels), item.Priority.Rank(), item.Quarantined, created, item.UpdatedAt.UnixMilli(), item.VisitorAt.UnixMilli(), []byte{})
		for _, tag := range item.Tags {
			tags = append(tags, tagRow{ProjectID: project, Quarantined: item.Quarantined, Tag: tag, CreatedAt: created, N: n})
		}
	}
	const columns = 19
	row := ", (?" + strings.Repeat(", ?", columns-1) + ", '', 0)"
	err = t.orm().Exec(`INSERT INTO feedback (n, id, organization_id, project_id, message, page_url, kind, rating, name, email,
		status, assignee_id, tags, priority, quarantined, created_at, updated_at, visitor_at, fingerprint, session_id, seq) VALUES `+
		strings.Repeat(row, len(items))[2:], values...).Error
	if err != nil || len(tags) == 0 {
		return err
	}
	return t.orm().CreateInBatches(&tags, fillBatch).Error
}
