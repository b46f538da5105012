package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// Filter is which of a project's items are wanted. Zero fields admit all.
type Filter struct {
	Statuses   []models.Status
	Kinds      []models.Kind
	Priorities []models.Priority
	Ratings    []int
	Tag        string
	AssigneeID *models.ID // points to "" for unassigned
	Nothing    bool       // admits none
	PageURL    string
	From, To   time.Time // From is inclusive, To exclusive
	// Quarantined items are in a list of their own.
	Quarantined bool
	// Query is what a person typed into the search field.
	Query string
	// Sort is one of Sorts, with "-" before it to descend.
	Sort string
}

// order is one of the orders of a list; n decides between equal items.
//
// An index costs every submission a write, and in most orders most items have
// the value that they came with. So each order's own index holds the others
// alone; those that came with it are read in the order of their creation, and
// a page is merged from the two.
type order struct {
	column string
	// plain and changed tell the two apart; "" where the order is that of
	// creation itself.
	plain, changed string
	// value is what the plain ones have; it is not used where that is the time of
	// their creation.
	value int64
}

var orders = map[string]order{ //nolint:gochecknoglobals // a table
	"created_at": {column: "created_at"},
	"updated_at": {column: "updated_at", plain: "updated_at = created_at", changed: "updated_at <> created_at"},
	"priority":   {column: "priority", plain: "priority = 1", changed: "priority <> 1", value: 1},
	"rating":     {column: "rating", plain: "rating = 0", changed: "rating <> 0"},
}

// defaultSort puts the newest first.
const defaultSort = "-created_at"

// FeedbackList is one page of a project's items. The project must be known to
// be the organisation's; the scope is asked again all the same.
func (s *Store) FeedbackList(ctx context.Context, scope models.Scope, project models.ID, filter Filter, page Page) (List[*models.Feedback], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	list := List[*models.Feedback]{}
	if _, err := s.Project(ctx, scope, project); err != nil {
		return list, err
	}
	query := s.filtered(ctx, scope, project, filter)
	var err error
	if list.Total, err = page.count(query); err != nil {
		return list, err
	}
	sort := cmp.Or(filter.Sort, defaultSort)
	after, err := decodeCursor(page.Cursor, "feedback "+sort)
	if err != nil {
		return list, err
	}
	by, known := orders[strings.TrimPrefix(sort, "-")]
	if !known {
		return list, models.InvalidField("sort", "names no order of lists")
	}
	descending := strings.HasPrefix(sort, "-")
	var rows []feedbackRow
	for _, part := range by.parts(query, descending, after) {
		var found []feedbackRow
		if err := part.Limit(page.Limit + 1).Find(&found).Error; err != nil {
			return list, translate(err)
		}
		rows = append(rows, found...)
	}
	slices.SortFunc(rows, func(a, b feedbackRow) int {
		c := slices.Compare(a.place(by), b.place(by))
		if descending {
			return -c
		}
		return c
	})
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		last := rows[page.Limit-1].place(by)
		list.NextCursor = cursor{List: "feedback " + sort, Value: last[0], Created: last[1], N: last[2]}.encode()
	}
	for i := range rows {
		list.Items = append(list.Items, rows[i].feedback())
	}
	return list, nil
}

// parts are the queries that a page is merged from, each read along an index
// from the cursor on.
func (o order) parts(query *gorm.DB, descending bool, after *cursor) []*gorm.DB {
	direction, compare := "ASC", ">"
	if descending {
		direction, compare = "DESC", "<"
	}
	part := func(condition string, sort, from []string, place ...any) *gorm.DB {
		q := query.Session(&gorm.Session{})
		if condition != "" {
			q = q.Where(condition)
		}
		if len(place) > 0 {
			marks := strings.Join(slices.Repeat([]string{"?"}, len(place)), ", ")
			q = q.Where(fmt.Sprintf("(%s) %s (%s)", strings.Join(from, ", "), compare, marks), place...)
		}
		return q.Order(strings.Join(sort, " "+direction+", ") + " " + direction)
	}
	creation, own := []string{"created_at", "n"}, []string{o.column, "created_at", "n"}
	switch {
	case o.plain == "" && after == nil:
		return []*gorm.DB{part("", creation, nil)}
	case o.plain == "":
		return []*gorm.DB{part("", creation, creation, after.Created, after.N)}
	case after == nil:
		return []*gorm.DB{part(o.changed, own, nil), part(o.plain, creation, nil)}
	}
	changed := part(o.changed, own, own, after.Value, after.Created, after.N)
	side := cmp.Compare(o.value, after.Value)
	switch {
	case o.column == "updated_at": // what the plain ones have there is the time of their creation
		return []*gorm.DB{changed, part(o.plain, creation, []string{"created_at", "created_at", "n"}, after.Value, after.Created, after.N)}
	case side == 0:
		return []*gorm.DB{changed, part(o.plain, creation, creation, after.Created, after.N)}
	case (side < 0) == descending: // all of them are still to come
		return []*gorm.DB{changed, part(o.plain, creation, nil)}
	}
	return []*gorm.DB{changed}
}

// place is where the row stands in an order.
func (r *feedbackRow) place(by order) []int64 {
	value := r.CreatedAt
	switch by.column {
	case "updated_at":
		value = r.UpdatedAt
	case "priority":
		value = int64(r.Priority)
	case "rating":
		value = int64(r.Rating)
	}
	return []int64{value, r.CreatedAt, r.N}
}

func (s *Store) filtered(ctx context.Context, scope models.Scope, project models.ID, f Filter) *gorm.DB {
	q := s.read.WithContext(ctx).Model(&feedbackRow{}).
		Where("project_id = ? AND organization_id = ? AND quarantined = ? AND erased_at IS NULL", project, scope.Organization(), f.Quarantined)
	if f.Nothing {
		q = q.Where("1 = 0")
	}
	if len(f.Statuses) > 0 {
		q = q.Where("status IN ?", f.Statuses)
	}
	if len(f.Kinds) > 0 {
		q = q.Where("kind IN ?", f.Kinds)
	}
	if len(f.Ratings) > 0 {
		q = q.Where("rating IN ?", f.Ratings)
	}
	if len(f.Priorities) > 0 {
		ranks := make([]int, len(f.Priorities))
		for i, p := range f.Priorities {
			ranks[i] = p.Rank()
		}
		q = q.Where("priority IN ?", ranks)
	}
	if f.Tag != "" {
		q = q.Where("(created_at, n) IN (SELECT created_at, n FROM feedback_tags WHERE project_id = ? AND tag = ?)", project, f.Tag)
	}
	if f.AssigneeID != nil {
		q = q.Where("assignee_id = ?", *f.AssigneeID)
	}
	if f.PageURL != "" {
		q = q.Where("page_url = ?", f.PageURL)
	}
	if !f.From.IsZero() {
		q = q.Where("created_at >= ?", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		q = q.Where("created_at < ?", f.To.UnixMilli())
	}
	if f.Query != "" {
		match := searchExpression(project, f.Query)
		if match == "" {
			return q.Where("1 = 0")
		}
		q = q.Where("n IN (SELECT docid FROM search.feedback_search WHERE feedback_search MATCH ?)", match)
	}
	return q
}
