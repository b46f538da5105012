package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"earshot/models"
)

// Explain is how the database reads a page of a list, and counts it: a line for
// each step, in its own words.
func (s *Store) Explain(ctx context.Context, scope models.Scope, project models.ID, filter Filter, page Page) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	sel, err := s.selection(ctx, scope, project, filter)
	if err != nil {
		return nil, err
	}
	sort := cmp.Or(filter.Sort, defaultSort)
	after, err := decodeCursor(page.Cursor, "feedback "+sort)
	if err != nil {
		return nil, err
	}
	if sort == models.SortRelevance {
		return sel.explain(sel.best())
	}
	parts, src, err := sel.read(page, sort, orders[strings.TrimPrefix(sort, "-")], after)
	if err != nil {
		return nil, translate(err)
	}
	var steps []string
	queries := []query{sel.counting(src, countBound+1)}
	for _, part := range parts {
		queries = append(queries, sel.query(part))
	}
	for _, query := range queries {
		of, err := sel.explain(query)
		if err != nil {
			return nil, err
		}
		steps = append(steps, of...)
	}
	return steps, nil
}

func (sel *selection) explain(q query) ([]string, error) {
	steps, err := plan(sel.db, q.sql, q.args...)
	if err != nil {
		return nil, fmt.Errorf("explain %s: %w", q.sql, err)
	}
	return steps, nil
}

// plan asks the database how it would run a statement. What it says is in the last
// column.
func plan(db *gorm.DB, statement string, args ...any) (steps []string, err error) {
	rows, err := db.Raw(dialectOf(db).explain()+statement, args...).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	into := make([]any, len(columns))
	for i := range into {
		into[i] = new(any)
	}
	var step string
	into[len(into)-1] = &step
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// FullScan reports whether a step of a plan reads a whole table or index. What a
// part of the same plan has put together is bounded, and may be read whole.
func FullScan(step string) bool {
	return strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, "VIRTUAL TABLE INDEX") &&
		!strings.HasPrefix(step, "SCAN counted") && !strings.HasPrefix(step, "SCAN newest") && !strings.HasPrefix(step, "SCAN CONSTANT ROW") && step != "SCAN p" &&
		!strings.HasPrefix(step, "SCAN search_removals")
}
