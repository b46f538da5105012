package store

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"gorm.io/gorm"

	"earshot/models"
)

type attachmentRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	ResumeHash     []byte
	FeedbackID     models.ID
	Position       int
	Name           string
	ContentType    string
	Size           int64
	Width, Height  int
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
}

func (attachmentRow) TableName() string { return "attachments" }

func (r attachmentRow) attachment() models.Attachment {
	return models.Attachment{
		ID: r.ID, ProjectID: r.ProjectID, FeedbackID: r.FeedbackID, Name: r.Name, ContentType: r.ContentType, Size: r.Size,
		Width: r.Width, Height: r.Height, CreatedAt: fromMillis(r.CreatedAt),
	}
}

// attachmentRemovalRow is content that is still to be removed.
type attachmentRemovalRow struct {
	ID models.ID `gorm:"primaryKey"`
}

func (attachmentRemovalRow) TableName() string { return "attachment_removals" }

// CreateAttachment notes a file whose content is on disk. owner is the token of the
// session that alone may name it; nil where anybody who has the id may.
func (s *Store) CreateAttachment(ctx context.Context, in models.Attachment, project *models.Project, owner models.ResumeHash) (models.Attachment, error) {
	row := attachmentRow{
		ID: in.ID, OrganizationID: project.OrganizationID, ProjectID: project.ID, ResumeHash: append([]byte{}, owner...),
		Name: in.Name, ContentType: in.ContentType, Size: in.Size, Width: in.Width, Height: in.Height,
	}
	err := s.writer.do(ctx, false, func(t *tx) error {
		row.CreatedAt = t.now.UnixMilli()
		return t.orm().Create(&row).Error
	})
	if err != nil {
		return models.Attachment{}, err
	}
	return row.attachment(), nil
}

// checkAttachments holds that a submission may have the files it names: they are of
// its project, of nobody else's session, and no other submission's.
func (t *tx) checkAttachments(in NewFeedback) error {
	ids := in.Submission.AttachmentIDs
	var rows []attachmentRow
	if err := t.orm().Where("id IN ? AND project_id = ?", ids, in.Project.ID).Find(&rows).Error; err != nil {
		return err
	}
	oldest := t.now.Add(-models.AttachmentClaim).UnixMilli()
	usable := map[models.ID]bool{}
	for _, row := range rows {
		own := len(row.ResumeHash) == 0 || string(row.ResumeHash) == string(in.ResumeHash)
		usable[row.ID] = own && (row.FeedbackID == in.Submission.ID || row.FeedbackID == "" && row.CreatedAt > oldest)
	}
	var bad []models.FieldError
	for i, id := range ids {
		if !usable[id] {
			bad = append(bad, models.FieldError{Path: "attachment_ids." + strconv.Itoa(i), Message: "is not a file that was uploaded for this within the hour"})
		}
	}
	if len(bad) > 0 {
		return models.InvalidFields(bad...)
	}
	return nil
}

// claimAttachments makes files a submission's that was just inserted.
func (t *tx) claimAttachments(in NewFeedback) error {
	for i, id := range in.Submission.AttachmentIDs {
		err := t.orm().Model(&attachmentRow{}).Where("id = ?", id).Updates(map[string]any{"feedback_id": in.Submission.ID, "position": i}).Error
		if err != nil {
			return err
		}
	}
	return t.orm().Model(&feedbackRow{}).Where("id = ?", in.Submission.ID).Update("attachments", len(in.Submission.AttachmentIDs)).Error
}

// Attachment reads one of the organisation's that a submission has.
func (s *Store) Attachment(ctx context.Context, scope models.Scope, id models.ID) (models.Attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return models.Attachment{}, err
	}
	var row attachmentRow
	err = owned(db, scope).Where("id = ? AND feedback_id <> '' AND "+ofProject, id).Take(&row).Error
	return row.attachment(), translate(err)
}

// AttachmentByLink reads the one that a link's signature vouches for; the signature
// stands in for the scope.
func (s *Store) AttachmentByLink(ctx context.Context, id models.ID) (models.Attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row attachmentRow
	err := s.read.WithContext(ctx).Where("id = ? AND feedback_id <> '' AND "+ofProject, id).Take(&row).Error
	return row.attachment(), translate(err)
}

// FillFiles reads the files of items, in the order in which they were named. The
// caller has proved who asks for the items.
func (s *Store) FillFiles(ctx context.Context, items ...*models.Feedback) error {
	with := map[models.ID]*models.Feedback{}
	for _, item := range items {
		if item != nil && item.Attachments > 0 {
			with[item.ID] = item
			item.Files = nil
		}
	}
	if len(with) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var rows []attachmentRow
	err := s.read.WithContext(ctx).Where("feedback_id IN ? AND feedback_id <> ''", slices.Collect(maps.Keys(with))).
		Order("feedback_id, position").Find(&rows).Error
	for _, row := range rows {
		item := with[row.FeedbackID]
		item.Files = append(item.Files, row.attachment())
	}
	return translate(err)
}

// dropAttachments forgets files; their content is removed soon after the commit.
func (t *tx) dropAttachments(which func(*gorm.DB) *gorm.DB) (int64, error) {
	var ids []models.ID
	if err := which(t.orm().Model(&attachmentRow{})).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return 0, err
	}
	removals := make([]attachmentRemovalRow, len(ids))
	for i, id := range ids {
		removals[i] = attachmentRemovalRow{ID: id}
	}
	if err := t.orm().Create(&removals).Error; err != nil {
		return 0, err
	}
	return int64(len(ids)), t.orm().Where("id IN ?", ids).Delete(&attachmentRow{}).Error
}

func (t *tx) removeAttachments(project models.ID) (int64, error) {
	return t.dropAttachments(func(db *gorm.DB) *gorm.DB { return db.Where("project_id = ?", project).Limit(removalBatch) })
}

// ExpireAttachments forgets files that no submission has named in time.
func (s *Store) ExpireAttachments(ctx context.Context) (more bool, err error) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	oldest := s.now().Add(-models.AttachmentClaim).UnixMilli()
	expired := func(db *gorm.DB) *gorm.DB {
		return db.Where("feedback_id = '' AND created_at <= ?", oldest).Limit(removalBatch)
	}
	var some []models.ID
	if err := expired(s.read.WithContext(reading).Model(&attachmentRow{})).Limit(1).Pluck("id", &some).Error; err != nil || len(some) == 0 {
		return false, translate(err)
	}
	var n int64
	err = s.writer.do(ctx, false, func(t *tx) (err error) {
		n, err = t.dropAttachments(expired)
		return err
	})
	return err == nil && n == removalBatch, err
}

// AttachmentRemovals are files whose content nothing needs any more.
func (s *Store) AttachmentRemovals(ctx context.Context, limit int) (ids []models.ID, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err = s.read.WithContext(ctx).Model(&attachmentRemovalRow{}).Limit(limit).Pluck("id", &ids).Error
	return ids, translate(err)
}

// ForgetAttachments notes that content was removed.
func (s *Store) ForgetAttachments(ctx context.Context, ids []models.ID) error {
	return s.writer.do(ctx, false, func(t *tx) error { return t.orm().Where("id IN ?", ids).Delete(&attachmentRemovalRow{}).Error })
}

// UnknownAttachments are those of some ids that the database does not know.
func (s *Store) UnknownAttachments(ctx context.Context, ids []models.ID) ([]models.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var known []models.ID
	if err := s.read.WithContext(ctx).Model(&attachmentRow{}).Where("id IN ?", ids).Pluck("id", &known).Error; err != nil {
		return nil, translate(err)
	}
	there := make(map[models.ID]bool, len(known))
	for _, id := range known {
		there[id] = true
	}
	var unknown []models.ID
	for _, id := range ids {
		if !there[id] {
			unknown = append(unknown, id)
		}
	}
	return unknown, nil
}
