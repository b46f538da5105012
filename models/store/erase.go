package store

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// blankMessages takes away all that messages say, and the fingerprints by which
// what they said could be guessed. The rows stay so that their ids stay taken.
func (t *tx) blankMessages(which string, args ...any) error {
	return t.orm().Model(&messageRow{}).Where(which, args...).Updates(map[string]any{
		"body": "", "author_name": "", "user_id": "", "fingerprint": []byte{}, "deleted_at": t.now.UnixMilli(),
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
		if err := t.erase(row); err != nil {
			return err
		}
		return t.audit(ctx, row.OrganizationID, noted{action: models.AuditFeedbackErased, kind: "feedback", object: row.ID, project: row.ProjectID})
	})
}

func (t *tx) erase(row *feedbackRow) error {
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
	err := t.orm().Save(&feedbackRow{
		N: row.N, ID: row.ID, OrganizationID: row.OrganizationID, ProjectID: row.ProjectID, Seq: row.Seq,
		Fingerprint: []byte{}, Status: models.StatusClosed, Tags: []string{}, QuarantineReasons: []string{},
		CreatedAt: row.CreatedAt, UpdatedAt: at, ErasedAt: &at,
	}).Error
	if err != nil {
		return err
	}
	if err := t.eraseEvents(row); err != nil {
		return err
	}
	if err := t.blankMessages("feedback_id = ?", row.ID); err != nil {
		return err
	}
	// What was exported before must not outlive it; what has not begun will not have it.
	if err := exportsOf(t.orm(), row.ProjectID).Update("withdrawn", true).Error; err != nil {
		return err
	}
	if err := t.orm().Where("feedback_id = ?", row.ID).Delete(&readRow{}).Error; err != nil {
		return err
	}
	if err := t.forgetMails(row.ID); err != nil {
		return err
	}
	_, err = t.dropAttachments(func(db *gorm.DB) *gorm.DB { return db.Where("feedback_id = ? AND feedback_id <> ''", row.ID) })
	if err != nil {
		return err
	}
	return t.append(models.LogEntry{ProjectID: row.ProjectID, Type: models.EventFeedbackErased, FeedbackID: row.ID, At: t.now})
}

// eraseEvents leaves tombstones that keep their numbers.
func (t *tx) eraseEvents(row *feedbackRow) error {
	err := t.orm().Exec(`UPDATE events SET type = ?, data = '' WHERE project_id = ? AND seq = ?`,
		models.EventFeedbackErased, row.ProjectID, row.Seq).Error
	if err != nil {
		return err
	}
	return t.orm().Exec(`UPDATE events SET type = ?, data = '' WHERE feedback_id = ? AND type <> 'FeedbackReceived'`,
		models.EventFeedbackErased, row.ID).Error
}

// exportsOf are the exports that may have something of a project.
func exportsOf(db *gorm.DB, project models.ID) *gorm.DB {
	return db.Model(&jobRow{}).Where("project_id = ? AND kind = ? AND status <> ? AND NOT withdrawn", project, models.JobExport, models.JobQueued)
}

// eraseBatch is how many items one transaction erases; submissions wait meanwhile.
const eraseBatch = 20

// erasable narrows items down to those that an erasure is of.
func erasable(db *gorm.DB, project models.ID, of models.Erasure) *gorm.DB {
	db = db.Model(&feedbackRow{}).Where("project_id = ? AND erased_at IS NULL", project)
	switch {
	case of.SessionID != "":
		return db.Where("session_id = ?", of.SessionID)
	case of.Email != "":
		return db.Where("email = ? AND email <> ''", of.Email)
	default: // both orders of the inbox, so that its index is read
		before := of.Before.UnixMilli()
		return db.Where("quarantined IN (FALSE, TRUE) AND created_at < ? AND updated_at < ?", before, before)
	}
}

// ErasureOf counts what EraseAll would take away, and takes nothing.
func (s *Store) ErasureOf(ctx context.Context, scope models.Scope, project models.ID, of models.Erasure) (report models.ErasureReport, err error) {
	if _, err := s.Project(ctx, scope, project); err != nil {
		return report, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db := s.read.WithContext(ctx)
	ids := erasable(db, project, of).Select("id")
	counts := []struct {
		into  *int64
		query *gorm.DB
	}{
		{&report.Items, erasable(db, project, of)},
		{&report.Messages, db.Model(&messageRow{}).Where("feedback_id IN (?) AND deleted_at IS NULL", ids)},
		{&report.Events, db.Model(&eventRow{}).Where("project_id = ? AND feedback_id IN (?) AND type <> 'FeedbackReceived'", project, ids)},
		{&report.Attachments, db.Model(&attachmentRow{}).Where("feedback_id IN (?) AND feedback_id <> ''", ids)},
		{&report.Mails, db.Model(&mailRow{}).Where("feedback_id IN (?) AND feedback_id <> ''", ids)},
	}
	for _, count := range counts {
		if err := count.query.Count(count.into).Error; err != nil {
			return report, translate(err)
		}
	}
	if report.Items == 0 {
		return models.ErasureReport{}, nil
	}
	// An item's first event is found by its own number.
	var first int64
	err = db.Raw(`SELECT count(*) FROM (?) AS f JOIN events AS e ON e.project_id = ? AND e.seq = f.seq`,
		erasable(db, project, of).Select("seq"), project).Scan(&first).Error
	if err != nil {
		return report, translate(err)
	}
	report.Events += first
	if err := exportsOf(db, project).Count(&report.Exports).Error; err != nil {
		return report, translate(err)
	}
	if of.Before.IsZero() {
		others := db.Model(&feedbackRow{}).Select("id").Where("session_id = visitor_sessions.id AND erased_at IS NULL AND id NOT IN (?)", ids)
		err = sessionsWithout(db, others, project, erasable(db, project, of).Select("session_id")).Count(&report.Sessions).Error
	}
	return report, translate(err)
}

// sessionsWithout are the sessions of which there are no others.
func sessionsWithout(db, others *gorm.DB, project models.ID, ids any) *gorm.DB {
	return db.Model(&visitorSessionRow{}).Where("project_id = ? AND id IN (?) AND NOT EXISTS (?)", project, ids, others)
}

// EraseAll erases all that an erasure is of, in batches: what was erased stays so
// whatever comes between. The report counts what went. With an address or a session
// go the visitor's sessions in which nothing is left.
func (s *Store) EraseAll(ctx context.Context, scope models.Scope, project models.ID, of models.Erasure) (report models.ErasureReport, err error) {
	if report, err = s.ErasureOf(ctx, scope, project, of); err != nil {
		return report, err
	}
	erased := int64(0)
	for {
		n, err := s.eraseSome(ctx, scope, project, of)
		erased += n
		if err != nil {
			return report, err
		}
		if n < eraseBatch {
			break
		}
	}
	report.Items = erased // others may have come or gone since they were counted
	return report, nil
}

func (s *Store) eraseSome(ctx context.Context, scope models.Scope, project models.ID, of models.Erasure) (erased int64, err error) {
	var n int64
	err = s.writer.do(ctx, false, func(t *tx) error {
		var some []feedbackRow
		query := erasable(t.orm(), project, of).Where("organization_id = ?", scope.Organization())
		if err := query.Order("created_at").Limit(eraseBatch).Find(&some).Error; err != nil || len(some) == 0 {
			n = 0
			return err
		}
		sessions := make([]models.ID, 0, len(some))
		for i := range some {
			sessions = append(sessions, some[i].SessionID)
			if err := t.erase(&some[i]); err != nil {
				return err
			}
		}
		if of.Before.IsZero() {
			if err := t.eraseSessions(project, sessions); err != nil {
				return err
			}
		}
		n = int64(len(some))
		return t.audit(ctx, scope.Organization(), noted{
			action: models.AuditSeveralErased, kind: "project", object: project, project: project,
			detail: map[string]string{"items": strconv.Itoa(len(some))},
		})
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// eraseSessions takes sessions away in which nothing is left. Whoever has a socket
// open in one begins it anew with the next submission.
func (t *tx) eraseSessions(project models.ID, sessions []models.ID) error {
	others := t.orm().Model(&feedbackRow{}).Select("id").Where("session_id = visitor_sessions.id AND erased_at IS NULL")
	var gone []models.ID
	if err := sessionsWithout(t.orm(), others, project, sessions).Pluck("id", &gone).Error; err != nil || len(gone) == 0 {
		return err
	}
	t.w.erased.add(gone)
	return t.orm().Where("project_id = ? AND id IN ?", project, gone).Delete(&visitorSessionRow{}).Error
}

// Expire erases at once what projects do not keep for longer. It happens in the
// background anyway, within a minute.
func (s *Store) Expire(ctx context.Context) error {
	for {
		more, err := s.expire(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// expire erases what projects do not keep for longer; more says that there is more.
func (s *Store) expire(ctx context.Context) (more bool, err error) {
	var rows []projectRow
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if err := s.read.WithContext(reading).Where("retention_days > 0").Find(&rows).Error; err != nil {
		return false, translate(err)
	}
	for _, row := range rows {
		of := models.Erasure{Before: s.now().Add(-time.Duration(row.RetentionDays) * 24 * time.Hour)}
		var some int64
		if err := erasable(s.read.WithContext(reading), row.ID, of).Limit(1).Count(&some).Error; err != nil {
			return more, translate(err)
		}
		if some == 0 {
			continue
		}
		n, err := s.eraseSome(ctx, models.ScopeOf(row.OrganizationID), row.ID, of)
		if err != nil {
			return more, err
		}
		more = more || n == eraseBatch
	}
	return more, nil
}
