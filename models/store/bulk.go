package store

import (
	"context"
	"slices"

	"gorm.io/gorm/clause"

	"earshot/models"
)

// bulkBatch is how many changes of one call share a transaction; what visitors
// send waits meanwhile.
const bulkBatch = 50

// TriageAll applies several changes to items of one project. Each stands alone: its
// outcome says what became of it. An error means that the outcome of some is not
// known.
func (s *Store) TriageAll(
	ctx context.Context, scope models.Scope, project models.ID, changes []models.BulkChange, by models.Actor,
) ([]models.BulkOutcome, error) {
	if _, err := s.Project(ctx, scope, project); err != nil {
		return nil, err
	}
	outcomes := make([]models.BulkOutcome, 0, len(changes))
	for batch := range slices.Chunk(changes, bulkBatch) {
		var done []models.BulkOutcome
		err := s.writer.do(ctx, false, func(t *tx) error {
			done = make([]models.BulkOutcome, len(batch))
			for i, one := range batch {
				done[i].ID = one.ID
				err := t.triageOne(scope, project, one, by, &done[i])
				if err = translate(err); err != nil && !refusal(err) {
					return err
				}
				done[i].Err = err
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, done...)
	}
	return outcomes, nil
}

// refusal says that an item's change was turned down before anything was written.
// With any other error the item may be half changed, and the whole batch is undone.
func refusal(err error) bool {
	return slices.Contains([]models.Code{models.CodeConflict, models.CodeNotFound, models.CodeInvalidField, models.CodeForbidden}, models.CodeOf(err))
}

func (t *tx) triageOne(scope models.Scope, project models.ID, one models.BulkChange, by models.Actor, outcome *models.BulkOutcome) error {
	row, err := t.lockFeedback(scope, one.ID)
	if err != nil {
		return err
	}
	if row.ProjectID != project {
		return errNotFound
	}
	outcome.Before, err = t.triage(scope, row, one.Change, by)
	outcome.Item = row.feedback()
	return err
}

// MarkAllRead notes that a member has read items of a project up to now, or takes
// that back. Items that are not there are passed over.
func (s *Store) MarkAllRead(ctx context.Context, scope models.Scope, user, project models.ID, ids []models.ID, read bool) error {
	if _, err := s.Project(ctx, scope, project); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		var known []models.ID
		err := t.orm().Model(&feedbackRow{}).Where("id IN ? AND project_id = ? AND organization_id = ? AND erased_at IS NULL",
			ids, project, scope.Organization()).Pluck("id", &known).Error
		if err != nil || len(known) == 0 {
			return err
		}
		marks := make([]readRow, len(known))
		for i, id := range known {
			marks[i] = readRow{UserID: user, FeedbackID: id}
			if read {
				marks[i].At = t.now.UnixMilli()
			}
		}
		return t.orm().Clauses(clause.OnConflict{UpdateAll: true}).Create(&marks).Error
	})
}
