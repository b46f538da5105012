package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"earshot/models"
)

// Explain is how the database reads a page of a list, and counts it: a line for
// each step, in SQLite's words.
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
	var plan []struct{ Detail string }
	if err := sel.db.Raw("EXPLAIN QUERY PLAN "+q.sql, q.args...).Scan(&plan).Error; err != nil {
		return nil, fmt.Errorf("explain %s: %w", q.sql, err)
	}
	steps := make([]string, len(plan))
	for i, step := range plan {
		steps[i] = step.Detail
	}
	return steps, nil
}

// FullScan reports whether a step of a plan reads a whole table or index. What a
// part of the same plan has put together is bounded, and may be read whole.
func FullScan(step string) bool {
	return strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, "VIRTUAL TABLE INDEX") &&
		!strings.HasPrefix(step, "SCAN (subquery") && !strings.HasPrefix(step, "SCAN CONSTANT ROW") && step != "SCAN p" &&
		!strings.HasPrefix(step, "SCAN search_removals")
}
