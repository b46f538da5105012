package store

import (
	"context"

	"earshot/models"
)

// blankMessages takes away all that messages say. The rows stay so that their ids
// stay taken.
func (t *tx) blankMessages(which string, args ...any) error {
	return t.orm().Model(&messageRow{}).Where(which, args...).Updates(map[string]any{
		"body": "", "author_name": "", "user_id": "", "deleted_at": t.now.UnixMilli(),
	}).Error
}

// Erase removes an item's content for good. Its id stays taken, and its events
// stay in the log as erased ones, so that no seq is missing.
func (s *Store) Erase(ctx context.Context, scope models.Scope, id models.ID) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		row, err := t.lockFeedback(scope, id)
		if err != nil {
			return err
		}
		if err := t.forgetWords(row.N); err != nil {
			return err
		}
		if err := t.retag(&feedbackRow{N: row.N, ProjectID: row.ProjectID, Quarantined: row.Quarantined, CreatedAt: row.CreatedAt}, row); err != nil {
			return err
		}
		at := t.now.UnixMilli()
		gone := *row
		gone.ErasedAt = &at
		if err := t.recount(row, &gone); err != nil {
			return err
		}
		err = t.orm().Save(&feedbackRow{
			N: row.N, ID: row.ID, OrganizationID: row.OrganizationID, ProjectID: row.ProjectID, Seq: row.Seq,
			Fingerprint: []byte{}, Status: models.StatusClosed, Tags: []string{}, QuarantineReasons: []string{},
			CreatedAt: row.CreatedAt, UpdatedAt: at, ErasedAt: &at,
		}).Error
		if err != nil {
			return err
		}
		err = t.orm().Exec(`UPDATE events SET type = ?, data = '' WHERE project_id = ? AND seq = ?`,
			models.EventFeedbackErased, row.ProjectID, row.Seq).Error
		if err != nil {
			return err
		}
		err = t.orm().Exec(`UPDATE events SET type = ?, data = '' WHERE feedback_id = ? AND type <> 'FeedbackReceived'`,
			models.EventFeedbackErased, row.ID).Error
		if err != nil {
			return err
		}
		if err := t.blankMessages("feedback_id = ?", row.ID); err != nil {
			return err
		}
		// What was exported before must not outlive it; what has not begun will not have it.
		exported := t.orm().Model(&jobRow{}).Where("project_id = ? AND kind = ? AND status <> ?", row.ProjectID, models.JobExport, models.JobQueued)
		if err := exported.Update("withdrawn", true).Error; err != nil {
			return err
		}
		if err := t.orm().Where("feedback_id = ?", row.ID).Delete(&readRow{}).Error; err != nil {
			return err
		}
		if err := t.forgetMails(row.ID); err != nil {
			return err
		}
		return t.append(models.LogEntry{ProjectID: row.ProjectID, Type: models.EventFeedbackErased, FeedbackID: row.ID, At: t.now})
	})
}
