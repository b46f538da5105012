package store

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm"

	"earshot/models"
)

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
	if !scope.Admits(row.ProjectID) {
		return nil, errNotFound
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
		_, err = t.triage(scope, row, change, by)
		updated = row.feedback()
		return err
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// triage changes a row, and tells of it where anything changed. It writes nothing
// where it refuses. before holds the fields that changed as they were.
func (t *tx) triage(scope models.Scope, row *feedbackRow, change models.Triage, by models.Actor) (before models.Triage, err error) {
	if change.Rev != 0 && row.Rev != change.Rev {
		return before, &models.Error{Code: models.CodeConflict, Message: "the item was changed in the meantime", Current: row.feedback()}
	}
	if err := t.checkAssignee(scope, change.AssigneeID); err != nil {
		return before, err
	}
	old := *row
	changes, before, err := row.apply(change)
	if err != nil || !before.Any() {
		return before, err
	}
	row.Rev++
	row.UpdatedAt = t.now.UnixMilli()
	row.noteResolution(changes.Status)
	if err := t.orm().Save(row).Error; err != nil {
		return before, err
	}
	if err := errors.Join(t.retag(row, &old), t.recount(&old, row)); err != nil {
		return before, err
	}
	if row.Quarantined != old.Quarantined {
		if err := t.move(row, by); err != nil {
			return before, err
		}
	}
	return before, t.append(models.LogEntry{
		ProjectID: row.ProjectID, Type: models.EventFeedbackUpdated, FeedbackID: row.ID, At: t.now,
		Update: &models.Update{Rev: row.Rev, Changes: changes, By: by}, SessionID: row.SessionID,
	})
}

// checkAssignee holds that who is assigned is a member of the organisation.
func (t *tx) checkAssignee(scope models.Scope, id *models.ID) error {
	if id == nil || *id == "" {
		return nil
	}
	err := t.orm().Where("organization_id = ? AND user_id = ?", scope.Organization(), *id).Take(&memberRow{}).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return models.InvalidField("assignee_id", "must be a member's id")
	}
	return err
}

func (t *tx) lockFeedback(scope models.Scope, id models.ID) (*feedbackRow, error) {
	var row feedbackRow
	err := t.orm().Where("id = ? AND organization_id = ? AND erased_at IS NULL AND "+ofProject, id, scope.Organization()).Take(&row).Error
	if err == nil && !scope.Admits(row.ProjectID) {
		err = errNotFound
	}
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

// noteResolution keeps when the item was done with, while it is.
func (r *feedbackRow) noteResolution(to *models.Status) {
	switch {
	case to == nil:
	case *to != models.StatusResolved && *to != models.StatusClosed:
		r.ResolvedAt = nil
	case r.ResolvedAt == nil:
		at := r.UpdatedAt
		r.ResolvedAt = &at
	}
}

func (r *feedbackRow) apply(change models.Triage) (changes models.Changes, before models.Triage, err error) {
	tags, retagged, err := change.Retagged(r.Tags)
	if err != nil {
		return changes, before, err
	}
	if retagged {
		was := r.Tags
		r.Tags, changes.Tags, before.Tags = tags, &tags, &was
	}
	if was := r.Status; change.Status != nil && *change.Status != was {
		r.Status, changes.Status, before.Status = *change.Status, change.Status, &was
	}
	if was := r.AssigneeID; change.AssigneeID != nil && *change.AssigneeID != was {
		r.AssigneeID, changes.AssigneeID, before.AssigneeID = *change.AssigneeID, (*models.Assignee)(change.AssigneeID), &was
	}
	if was := models.PriorityOfRank(r.Priority); change.Priority != nil && change.Priority.Rank() != r.Priority {
		r.Priority, changes.Priority, before.Priority = change.Priority.Rank(), change.Priority, &was
	}
	if was := r.Quarantined; change.Quarantined != nil && *change.Quarantined != was {
		r.Quarantined, changes.Quarantined, before.Quarantined = !was, change.Quarantined, &was
		if r.Quarantined && !slices.Contains(r.QuarantineReasons, models.ReasonStaff) {
			r.QuarantineReasons = append(slices.Clone(r.QuarantineReasons), models.ReasonStaff)
		}
	}
	return changes, before, nil
}
