package store

import (
	"context"

	"gorm.io/gorm/clause"

	"earshot/models"
)

// ImportBatch is how many rows one transaction takes in; what visitors send waits
// meanwhile.
const ImportBatch = 200

// ImportRows takes rows into a project, together with the job's place behind them:
// after a restart none is there twice, and none is missing. cancelling says that
// somebody wants the job to end.
func (s *Store) ImportRows(ctx context.Context, lease *Lease, rows []models.ImportedRow) (cancelling bool, err error) {
	job, wanted := lease.Job, make(chan bool, 1)
	scope := models.ScopeOf(job.OrganizationID)
	if _, err := s.Project(ctx, scope, job.ProjectID); err != nil {
		return false, err
	}
	err = s.writer.do(ctx, false, func(t *tx) error {
		if err := t.importRows(job, rows); err != nil {
			return err
		}
		cancelling, err := t.saveJob(job, lease)
		select {
		case <-wanted:
		default:
		}
		wanted <- cancelling
		return err
	})
	if err != nil {
		return false, err
	}
	return <-wanted, nil
}

func (t *tx) importRows(job models.Job, rows []models.ImportedRow) error {
	if len(rows) == 0 {
		return nil
	}
	items := make([]feedbackRow, len(rows))
	for i := range rows {
		items[i] = importedItem(job, &rows[i])
	}
	if err := t.orm().Clauses(clause.OnConflict{DoNothing: true}).Create(&items).Error; err != nil {
		return err
	}
	return t.tagImported(items)
}

// tagImported makes the items' tags known. Their numbers are asked for: those that
// an insert gives are not reliable where a row was there already.
func (t *tx) tagImported(items []feedbackRow) error {
	var tagged []models.ID
	for _, item := range items {
		if len(item.Tags) > 0 {
			tagged = append(tagged, item.ID)
		}
	}
	if len(tagged) == 0 {
		return nil
	}
	var rows []feedbackRow
	if err := t.orm().Select("n", "project_id", "quarantined", "created_at", "tags").Where("id IN ?", tagged).Find(&rows).Error; err != nil {
		return err
	}
	var tags []tagRow
	for _, row := range rows {
		for _, tag := range row.Tags {
			tags = append(tags, tagRow{ProjectID: row.ProjectID, Quarantined: row.Quarantined, Tag: tag, CreatedAt: row.CreatedAt, N: row.N})
		}
	}
	return t.orm().Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(&tags, ImportBatch).Error
}

// importedItem is a row as it is stored. Its session is its own, under its id, which
// no resume token leads to: the visitor answers by their receipt. No event of its own
// tells of it, and when it was resolved is not known.
func importedItem(job models.Job, row *models.ImportedRow) feedbackRow {
	sub, at := &row.Submission, row.CreatedAt.UnixMilli()
	return feedbackRow{
		ID: sub.ID, SessionID: sub.ID, OrganizationID: job.OrganizationID, ProjectID: job.ProjectID, Fingerprint: sub.Fingerprint(),
		Message: sub.Message, PageURL: sub.PageURL, Kind: sub.Kind, Rating: sub.Rating, Email: sub.Email, Name: sub.Name, Context: string(sub.Context),
		Status: row.Status, Tags: append([]string{}, row.Tags...), Priority: row.Priority.Rank(), Rev: 1, QuarantineReasons: []string{}, ReceiptVersion: 1,
		CreatedAt: at, UpdatedAt: at, VisitorAt: at,
	}
}

// TellImported puts into the project's log that an import has brought so many.
func (s *Store) TellImported(ctx context.Context, job models.Job, count int64) error {
	return s.writer.do(ctx, false, func(t *tx) error {
		return t.append(models.LogEntry{
			ProjectID: job.ProjectID, Type: models.EventFeedbackImported, At: t.now,
			Imported: &models.Imported{JobID: job.ID, Count: count},
		})
	})
}
