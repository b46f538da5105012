package store

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

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
	// HasAttachment is nil where it does not matter.
	HasAttachment *bool
	PageURL       string
	From, To      time.Time // From is inclusive, To exclusive
	// Quarantined items are in a list of their own.
	Quarantined bool
	// UnreadBy admits what this member has not read.
	UnreadBy models.ID
	// Query is what a person typed into the search field.
	Query string
	// Complete has a search look through everything; otherwise it is the newest
	// searchBound hits that it looks through.
	Complete bool
	// Sort is one of Sorts, with "-" before it to descend.
	Sort string
}

// FilterOf is a filter as the store asks it, for one person. Assignees by name are
// that person or nobody.
func FilterOf(f models.FeedbackFilter, user models.ID) Filter {
	filter := Filter{
		Statuses: f.Status.Values(), Kinds: f.Kind.Values(), Ratings: f.Rating.Values(), Priorities: f.Priority.Values(),
		Tag: f.Tag, Query: f.Query, PageURL: f.PageURL,
	}
	if f.From != nil {
		filter.From = *f.From
	}
	if f.To != nil {
		filter.To = *f.To
	}
	isTrue := func(b *bool) bool { return b != nil && *b }
	filter.HasAttachment, filter.Quarantined = f.HasAttachment, isTrue(f.Quarantined)
	if isTrue(f.Unread) {
		filter.UnreadBy = user
	}
	if f.Assignee != "" {
		id := models.ID(f.Assignee)
		switch f.Assignee {
		case models.AssigneeNone:
			id = ""
		case models.AssigneeMe:
			id = user
		}
		filter.AssigneeID = &id
	}
	return filter
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
	index          string // of the changed ones
	// value is what the plain ones have; it is not used where that is the time of
	// their creation.
	value int64
}

var orders = map[string]order{ //nolint:gochecknoglobals // a table
	"created_at": {},
	"updated_at": {column: "updated_at", plain: "f.updated_at = f.created_at", changed: "f.updated_at <> f.created_at", index: "feedback_by_updated"},
	"priority":   {column: "priority", plain: "f.priority = 1", changed: "f.priority <> 1", index: "feedback_by_priority", value: 1},
	"rating":     {column: "rating", plain: "f.rating = 0", changed: "f.rating <> 0", index: "feedback_by_rating"},
}

// defaultSort puts the newest first.
const defaultSort = "-created_at"

func (f *Filter) creationOrder() bool {
	return f.Sort == "" || strings.TrimPrefix(f.Sort, "-") == "created_at"
}

// FeedbackList is one page of a project's items. The project must be known to
// be the organisation's; the scope is asked again all the same.
func (s *Store) FeedbackList(ctx context.Context, scope models.Scope, project models.ID, filter Filter, page Page) (List[*models.Feedback], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	list := List[*models.Feedback]{}
	if _, err := s.Project(ctx, scope, project); err != nil {
		return list, err
	}
	sort := cmp.Or(filter.Sort, defaultSort)
	after, err := decodeCursor(page.Cursor, "feedback "+sort)
	if err != nil {
		return list, err
	}
	by, known := orders[strings.TrimPrefix(sort, "-")]
	if !known && sort != models.SortRelevance {
		return list, models.InvalidField("sort", "names no order of lists")
	}
	if sort == models.SortRelevance && filter.Query == "" {
		return list, models.InvalidField("sort", "relevance is of a search: it needs q")
	}
	sel, err := s.selection(ctx, scope, project, filter)
	if err != nil {
		return list, err
	}
	if sel.nothing {
		if page.Count != CountNone {
			list.Total = &Total{}
		}
		return list, nil
	}
	if sort == models.SortRelevance {
		return sel.ranked(page, after)
	}
	return sel.page(page, sort, by, after)
}

func (sel *selection) page(page Page, sort string, by order, after *cursor) (list List[*models.Feedback], err error) {
	parts, src, err := sel.read(page, sort, by, after)
	if err != nil {
		return list, translate(err)
	}
	if list.Total, err = sel.count(src, page.Count); err != nil {
		return list, translate(err)
	}
	descending := strings.HasPrefix(sort, "-")
	var places []place
	for _, part := range parts {
		var found []place
		if err := sel.query(part).on(sel.db).Scan(&found).Error; err != nil {
			return list, translate(err)
		}
		for i := range found {
			if part.value != nil {
				found[i].Value = part.value(found[i])
			}
		}
		places = append(places, found...)
	}
	slices.SortFunc(places, func(a, b place) int {
		if descending {
			return b.compare(a)
		}
		return a.compare(b)
	})
	if len(places) > page.Limit {
		places = places[:page.Limit]
		last := places[page.Limit-1]
		list.NextCursor = cursor{List: "feedback " + sort, Value: last.Value, Created: last.CreatedAt, N: last.N}.encode()
	}
	list.Items, err = sel.items(places)
	return list, err
}

// read is how a page is read: along which source, and in which parts.
func (sel *selection) read(page Page, sort string, by order, after *cursor) ([]part, source, error) {
	src, size, err := sel.choose()
	if err != nil {
		return nil, src, err
	}
	parts := sel.parts(by, src, size, strings.HasPrefix(sort, "-"), after)
	for i := range parts {
		parts[i].limit = page.Limit + 1
	}
	return parts, src, nil
}

// items are the items at places, in their order.
func (sel *selection) items(places []place) ([]*models.Feedback, error) {
	if len(places) == 0 {
		return nil, nil
	}
	numbers := make([]int64, len(places))
	at := make(map[int64]int, len(places))
	for i, place := range places {
		numbers[i], at[place.N] = place.N, i
	}
	var rows []feedbackRow
	// Adding nothing keeps SQLite from reading the project's index for them.
	err := sel.db.Where("n IN ? AND project_id || '' = ? AND erased_at IS NULL", numbers, sel.project).Find(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	slices.SortFunc(rows, func(a, b feedbackRow) int { return cmp.Compare(at[a.N], at[b.N]) })
	items := make([]*models.Feedback, len(rows))
	for i := range rows {
		items[i] = rows[i].feedback()
	}
	return items, nil
}

// count counts as a page asks for it.
func (sel *selection) count(src source, how Count) (*Total, error) {
	total, bound := &Total{}, countBound+1
	switch how {
	case CountNone:
		return nil, nil
	case CountExact:
		bound = noLimit
	case CountBounded:
	}
	if err := sel.counting(src, bound).on(sel.db).Scan(&total.N).Error; err != nil {
		return nil, err
	}
	if how == CountBounded && total.N > countBound {
		total.N, total.AtLeast = countBound, true
	}
	if src.field == byWords && !sel.filter.Complete && total.N == searchBound {
		total.AtLeast = true
	}
	return total, nil
}

// parts are the queries that a page is merged from. Where a source has little in it, it is
// sorted; otherwise each part is read along an index from the cursor on.
func (sel *selection) parts(o order, src source, size int, descending bool, after *cursor) []part {
	base := part{source: src, column: o.column, descending: descending}
	if after != nil {
		base.after = &place{after.Value, after.Created, after.N}
	}
	if o.column == "" || size <= sortBound || src.field == byUnread {
		return []part{base}
	}
	changed := base
	changed.source = source{spans: []span{sel.indexed(o.index, o.changed)}}
	return append([]part{changed}, sel.plain(o, base)...)
}

// plain reads those that have the value that they came with, in the order of their
// creation.
func (sel *selection) plain(o order, p part) []part {
	p.source, p.column, p.extra = sel.created(), "", sel.dialect.mostly(o.plain)
	p.value = func(place) int64 { return o.value }
	if o.column == "updated_at" {
		p.value = func(at place) int64 { return at.CreatedAt }
		// Who is new was not touched, and of all others there is an index.
		p.source = source{spans: []span{
			sel.indexed("feedback_by_created", "f.status = ?", models.StatusNew),
			sel.indexed("feedback_by_arrival", "f.status <> 'new' AND f.updated_at = f.created_at"),
		}}
	}
	if p.after == nil {
		return []part{p}
	}
	after := *p.after
	if o.column == "updated_at" { // the value of the plain ones is the time of their creation
		p.after = &place{CreatedAt: after.Value, N: after.N}
		switch {
		case after.Value > after.CreatedAt:
			p.after.N = 0
		case after.Value < after.CreatedAt:
			p.after.N = math.MaxInt64
		}
		return []part{p}
	}
	side := cmp.Compare(o.value, after.Value)
	switch {
	case side == 0:
		return []part{p}
	case (side < 0) == p.descending: // all of them are still to come
		p.after = nil
		return []part{p}
	}
	return nil
}
