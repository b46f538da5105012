package store

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gorm.io/gorm"

	"earshot/models"
)

// field is one of the things that a list can be narrowed down by.
type field string

const (
	byStatus   field = "status"
	byKind     field = "kind"
	byTag      field = "tag"
	byAssignee field = "assignee"
	byRating   field = "rating"
	byPriority field = "priority"
	byPage     field = "page"
	byWords    field = "words"
	byUnread   field = "unread"
	byTime     field = "time"

	byAttachments field = "attachments"
)

// condition is what one field of a filter asks of an item f.
type condition struct {
	field field
	sql   string
	args  []any
}

// span is a range of an index, which is read in the order of creation: that of its
// key's columns created_at and n.
type span struct {
	from, where string
	args        []any
	key         string // "f", or what stands for the item
	// few says that there is little in it however many items there are: it is sorted
	// after it was read.
	few bool
}

// source is one way to a list's items: spans that have none in common, and hold
// all that one field of the filter admits.
type source struct {
	field field
	spans []span
}

const (
	// searchBound is how many of the newest hits a search looks through, and
	// unreadBound how many of the newest items are looked through for unread ones.
	searchBound = 5_000
	unreadBound = 5_000
	// sourceBound is up to where sources are weighed against each other. Behind it the
	// order of creation, which tells most without looking at the item, is as good.
	sourceBound = 10_000
	// sortBound is how many items are sorted rather than looked for along their order.
	sortBound = 2_000
)

// selection is a list's filter, made ready for one project. The project must be
// known to be the organisation's.
type selection struct {
	db         *gorm.DB
	dialect    dialect
	project    models.ID
	filter     Filter
	match      string // of the search index
	nothing    bool   // it admits none
	projection bool   // there is a search index
	conditions []condition
}

func (s *Store) selection(ctx context.Context, scope models.Scope, project models.ID, f Filter) (*selection, error) {
	f.Statuses, f.Kinds, f.Ratings, f.Priorities = once(f.Statuses), once(f.Kinds), once(f.Ratings), once(f.Priorities)
	sel := &selection{db: s.read.WithContext(ctx), dialect: dialectOf(s.read), project: project, filter: f, projection: s.searchable}
	var joined int64
	if f.UnreadBy != "" {
		var member memberRow
		err := sel.db.Where("organization_id = ? AND user_id = ?", scope.Organization(), f.UnreadBy).Limit(1).Find(&member).Error
		if err != nil {
			return nil, translate(err)
		}
		joined = member.CreatedAt
	}
	if f.Query != "" {
		sel.match = sel.dialect.expression(project, f.Query)
		sel.nothing = sel.match == ""
	}
	sel.conditions = f.conditions(project, joined)
	return sel, nil
}

// once is the values without repetitions.
func once[T cmp.Ordered](values []T) []T { return slices.Compact(slices.Sorted(slices.Values(values))) }

// conditions are all that an item must fulfil, field by field.
func (f *Filter) conditions(project models.ID, joined int64) []condition {
	var all []condition
	add := func(asked bool, field field, sql string, args ...any) {
		if asked {
			all = append(all, condition{field, sql, args})
		}
	}
	add(len(f.Statuses) > 0, byStatus, "f.status IN ?", f.Statuses)
	add(len(f.Kinds) > 0, byKind, "f.kind IN ?", f.Kinds)
	add(f.AssigneeID != nil, byAssignee, "f.assignee_id = ?", f.AssigneeID)
	add(len(f.Ratings) > 0, byRating, "f.rating IN ?", f.Ratings)
	add(len(f.Priorities) > 0, byPriority, "f.priority IN ?", ranks(f.Priorities))
	add(f.Tag != "", byTag, `EXISTS (SELECT 1 FROM feedback_tags AS g WHERE g.project_id = ? AND g.quarantined = f.quarantined
		AND g.tag = ? AND g.created_at = f.created_at AND g.n = f.n)`, project, f.Tag)
	if f.HasAttachment != nil {
		// Written as the index has it.
		all = append(all, condition{byAttachments, map[bool]string{true: "f.attachments > 0", false: "f.attachments = 0"}[*f.HasAttachment], nil})
	}
	add(f.PageURL != "", byPage, "f.page_url = ?", f.PageURL)
	add(f.UnreadBy != "", byUnread,
		"f.visitor_at > coalesce((SELECT r.at FROM reads AS r WHERE r.user_id = ? AND r.feedback_id = f.id), ?)", f.UnreadBy, joined)
	return all
}

func ranks(priorities []models.Priority) []int {
	all := make([]int, len(priorities))
	for i, p := range priorities {
		all[i] = p.Rank()
	}
	return all
}

const ofList = "f.project_id = ? AND f.quarantined = ? AND f.erased_at IS NULL"

// indexed is a span of one of the indexes of items.
func (sel *selection) indexed(index, where string, args ...any) span {
	return span{
		from: sel.dialect.indexed("feedback AS f", index), where: ofList + " AND " + where,
		args: append([]any{sel.project, sel.filter.Quarantined}, args...), key: "f",
	}
}

// created is the order of creation, a range for each status.
func (sel *selection) created() source {
	statuses := sel.filter.Statuses
	if len(statuses) == 0 {
		statuses = models.Statuses()
	}
	return source{byStatus, spans(statuses, func(status models.Status) span {
		return sel.indexed("feedback_by_created", "f.status = ?", status)
	})}
}

// sources are the ways to no more than what one field of the filter admits, beside
// the order of creation.
func (sel *selection) sources() []source {
	f := &sel.filter
	var all []source
	add := func(field field, spans ...span) { all = append(all, source{field, spans}) }
	if f.AssigneeID != nil && *f.AssigneeID != "" {
		add(byAssignee, sel.indexed("feedback_by_assignee", "f.assignee_id = ? AND f.assignee_id <> ''", *f.AssigneeID))
	}
	if f.Tag != "" {
		add(byTag, span{
			from: "feedback_tags AS t", where: "t.project_id = ? AND t.quarantined = ? AND t.tag = ?",
			args: []any{sel.project, f.Quarantined, f.Tag}, key: "t",
		})
	}
	if len(f.Ratings) > 0 {
		add(byRating, spans(f.Ratings, func(rating int) span {
			return sel.indexed("feedback_by_rating", "f.rating = ? AND f.rating <> 0", rating)
		})...)
	}
	// Normal is what most items are.
	if ranks := ranks(f.Priorities); len(ranks) > 0 && !slices.Contains(ranks, models.PriorityNormal.Rank()) {
		add(byPriority, spans(ranks, func(rank int) span {
			return sel.indexed("feedback_by_priority", "f.priority = ? AND f.priority <> 1", rank)
		})...)
	}
	if f.HasAttachment != nil && *f.HasAttachment {
		add(byAttachments, sel.indexed("feedback_by_attachments", "f.attachments > 0"))
	}
	if f.PageURL != "" && sel.projection {
		add(byPage, sel.projected("items_by_page", "i.page = ?", pageHash(f.PageURL)), sel.recent("f.page_url = ?", f.PageURL))
	}
	if len(f.Kinds) > 0 && sel.projection {
		add(byKind, append(spans(f.Kinds, func(kind models.Kind) span {
			return sel.projected("items_by_kind", "i.kind = ? AND i.kind <> ''", kind)
		}), sel.recent("f.kind IN ?", f.Kinds))...)
	}
	if f.UnreadBy != "" {
		add(byUnread, sel.unread()...)
	}
	return all
}

func spans[T any](values []T, of func(T) span) []span {
	all := make([]span, len(values))
	for i, value := range values {
		all[i] = of(value)
	}
	return all
}

// projected is a span of what the search index keeps of items. What was erased is in
// it for a moment longer.
func (sel *selection) projected(index, where string, args ...any) span {
	return span{
		from:  sel.dialect.indexed(sel.dialect.searchItems()+" AS i", index),
		where: "i.project = ? AND i.quarantined = ? AND " + where + " AND i.n NOT IN (SELECT n FROM search_removals)",
		args:  append([]any{sel.project, sel.filter.Quarantined}, args...), key: "i",
	}
}

// recent is what the search index does not have yet.
func (sel *selection) recent(where string, args ...any) span {
	return span{
		from: sel.dialect.unindexed("feedback AS f"), where: "f.n > (SELECT p.n FROM " + sel.dialect.searchProgress() + " AS p) AND " + ofList + " AND " + where,
		args: append([]any{sel.project, sel.filter.Quarantined}, args...), key: "f", few: true,
	}
}

// hits are the numbers of the newest items that have the words that were typed; of
// all of them where nothing may be missing.
func (sel *selection) hits() query {
	bound := searchBound
	if sel.filter.Complete {
		bound = noLimit
	}
	return query{sel.dialect.hits(), []any{sel.match, bound}}
}

func (sel *selection) found() source {
	hits := sel.hits()
	return source{byWords, []span{{
		from:  sel.dialect.unindexed(sel.dialect.searchItems() + " AS i"),
		where: "i.n IN (" + hits.sql + ") AND i.n NOT IN (SELECT n FROM search_removals) AND i.project = ? AND i.quarantined = ?",
		args:  append(hits.args, sel.project, sel.filter.Quarantined), key: "i", few: true,
	}}}
}

// unread are the newest items, and those in which the visitor said something after
// the first message. Which of them are unread is for the condition to say.
func (sel *selection) unread() []span {
	bound := unreadBound
	if sel.filter.Complete {
		bound = math.MaxInt32
	}
	alone := *sel
	alone.conditions, alone.match = nil, ""
	newest := alone.query(part{source: sel.created(), descending: true, limit: bound})
	return []span{
		{
			from: sel.dialect.unindexed("feedback AS f"), where: "f.n IN (SELECT n FROM (" + newest.sql + ") AS newest) AND f.visitor_at = f.created_at AND " + ofList,
			args: append(newest.args, sel.project, sel.filter.Quarantined), key: "f", few: true,
		},
		{
			from: sel.dialect.unindexed("feedback AS f"), where: `f.n IN (SELECT a.n FROM ` + sel.dialect.indexed("feedback AS a", "feedback_by_visitor") + ` WHERE a.project_id = ?
				AND a.quarantined = ? AND a.erased_at IS NULL AND a.visitor_at <> a.created_at ORDER BY a.visitor_at DESC LIMIT ?) AND ` + ofList,
			args: []any{sel.project, sel.filter.Quarantined, bound, sel.project, sel.filter.Quarantined}, key: "f", few: true,
		},
	}
}
