package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	PageURL    string
	From, To   time.Time // From is inclusive, To exclusive
	// Quarantined items are in a list of their own.
	Quarantined bool
	// Query is what a person typed into the search field.
	Query string
	// Sort is one of Sorts, with "-" before it to descend.
	Sort string
}

// sortColumns are the orders that an index serves.
var sortColumns = map[string]string{
	"created_at": "created_at", "updated_at": "updated_at", "priority": "priority", "rating": "rating",
}

// ValidSort reports whether s is an order that lists can be read in.
func ValidSort(s string) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	return sortColumns[s] != ""
}

// ofProject leaves out the items of a deleted project that are still to be
// removed.
const ofProject = "project_id IN (SELECT id FROM projects)"

// Feedback reads one item of the organisation.
func (s *Store) Feedback(ctx context.Context, scope models.Scope, id models.ID) (*models.Feedback, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return nil, err
	}
	row, err := gorm.G[feedbackRow](db).
		Where("id = ? AND organization_id = ? AND erased_at IS NULL AND "+ofProject, id, scope.Organization()).Take(ctx)
	if err != nil {
		return nil, translate(err)
	}
	return row.feedback(), nil
}

// FeedbackByReceipt reads the item that a receipt's signature vouches for; the
// signature stands in for the scope.
func (s *Store) FeedbackByReceipt(ctx context.Context, id models.ID) (*models.Feedback, *models.Project, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := gorm.G[feedbackRow](s.read).Where("id = ? AND erased_at IS NULL", id).Take(ctx)
	if err != nil {
		return nil, nil, translate(err)
	}
	project, err := s.Project(ctx, models.ScopeOf(row.OrganizationID), row.ProjectID)
	return row.feedback(), project, err
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
	query := s.filtered(ctx, scope, project, filter)
	var err error
	if list.Total, err = page.count(query); err != nil {
		return list, err
	}
	column, direction, compare := sortColumns["created_at"], "DESC", "<"
	if sort := filter.Sort; sort != "" {
		if sort[0] == '-' {
			column = sortColumns[sort[1:]]
		} else {
			column, direction, compare = sortColumns[sort], "ASC", ">"
		}
	}
	name := "feedback " + column + direction
	after, err := decodeCursor(page.Cursor, name)
	if err != nil {
		return list, err
	}
	if after != nil {
		query = query.Where(fmt.Sprintf("(%s, n) %s (?, ?)", column, compare), after.Value, after.N)
	}
	var rows []feedbackRow
	order := fmt.Sprintf("%s %s, n %s", column, direction, direction)
	if err := query.Order(order).Limit(page.Limit + 1).Find(&rows).Error; err != nil {
		return list, translate(err)
	}
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		last := &rows[page.Limit-1]
		list.NextCursor = cursor{List: name, Value: last.sortValue(column), N: last.N}.encode()
	}
	for i := range rows {
		list.Items = append(list.Items, rows[i].feedback())
	}
	return list, nil
}

func (r *feedbackRow) sortValue(column string) int64 {
	switch column {
	case "updated_at":
		return r.UpdatedAt
	case "priority":
		return int64(r.Priority)
	case "rating":
		return int64(r.Rating)
	default:
		return r.CreatedAt
	}
}

func (s *Store) filtered(ctx context.Context, scope models.Scope, project models.ID, f Filter) *gorm.DB {
	q := s.read.WithContext(ctx).Model(&feedbackRow{}).
		Where("project_id = ? AND organization_id = ? AND quarantined = ? AND erased_at IS NULL", project, scope.Organization(), f.Quarantined)
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
		q = q.Where("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", f.Tag)
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
		q = q.Where("n IN (SELECT docid FROM feedback_search WHERE feedback_search MATCH ?)", match)
	}
	return q
}

// Triage applies a member's change if the item is still at the revision that
// the member saw; otherwise CodeConflict with the present item as Current.
// Fields that already have the value asked for are not part of the event, and
// a change of nothing makes none.
func (s *Store) Triage(ctx context.Context, scope models.Scope, id models.ID, change models.Triage, by models.Actor) (*models.Feedback, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return nil, err
	}
	var updated *models.Feedback
	err := s.writer.do(ctx, false, func(t *tx) error {
		row, err := t.lockFeedback(scope, id)
		if err != nil {
			return err
		}
		if row.Rev != change.Rev {
			return &models.Error{Code: models.CodeConflict, Message: "the item was changed in the meantime", Current: row.feedback()}
		}
		if err := t.checkAssignee(scope, change.AssigneeID); err != nil {
			return err
		}
		changes, any := row.apply(change)
		if any {
			row.Rev++
			row.UpdatedAt = t.now.UnixMilli()
			if err := t.orm().Save(row).Error; err != nil {
				return err
			}
			err = t.append(models.LogEntry{
				ProjectID: row.ProjectID, Type: models.EventFeedbackUpdated, FeedbackID: row.ID, At: t.now,
				Update: &models.Update{Rev: row.Rev, Changes: changes, By: by},
			})
		}
		updated = row.feedback()
		return err
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// checkAssignee holds that who is assigned is a member of the organisation.
func (t *tx) checkAssignee(scope models.Scope, id *models.ID) error {
	if id == nil || *id == "" {
		return nil
	}
	err := t.orm().Where("organization_id = ? AND user_id = ?", scope.Organization(), *id).Take(&memberRow{}).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return &models.Error{Code: models.CodeInvalidField, Message: "some fields are not valid",
			Fields: []models.FieldError{{Path: "assignee_id", Message: "must be a member's id"}}}
	}
	return err
}

func (t *tx) lockFeedback(scope models.Scope, id models.ID) (*feedbackRow, error) {
	var row feedbackRow
	err := t.orm().Where("id = ? AND organization_id = ? AND erased_at IS NULL AND "+ofProject, id, scope.Organization()).Take(&row).Error
	return &row, err
}

// append gives an entry the next seq and writes it.
func (t *tx) append(entry models.LogEntry) error {
	seq, err := t.nextSeq(entry.ProjectID)
	if err != nil {
		return err
	}
	entry.Seq = seq
	return t.record(entry)
}

func (r *feedbackRow) apply(change models.Triage) (changes models.Changes, any bool) {
	if change.Status != nil && *change.Status != r.Status {
		r.Status, changes.Status, any = *change.Status, change.Status, true
	}
	if change.AssigneeID != nil && *change.AssigneeID != r.AssigneeID {
		r.AssigneeID, changes.AssigneeID, any = *change.AssigneeID, change.AssigneeID, true
	}
	if change.Tags != nil && !slices.Equal(*change.Tags, r.Tags) {
		r.Tags, changes.Tags, any = *change.Tags, change.Tags, true
	}
	if change.Priority != nil && change.Priority.Rank() != r.Priority {
		r.Priority, changes.Priority, any = change.Priority.Rank(), change.Priority, true
	}
	return changes, any
}
