package store

import (
	"context"
	"slices"

	"earshot/models"
)

// maxTagNames bounds what is offered of a project's tags.
const maxTagNames = 500

// tagRow says that an item has a tag. Items carry their tags; this is how they are
// found by one, in the order of their creation.
type tagRow struct {
	ProjectID   models.ID `gorm:"primaryKey"`
	Quarantined bool      `gorm:"primaryKey"`
	Tag         string    `gorm:"primaryKey"`
	CreatedAt   int64     `gorm:"primaryKey;autoCreateTime:false"`
	N           int64     `gorm:"primaryKey;autoIncrement:false"`
}

func (tagRow) TableName() string { return "feedback_tags" }

// retag keeps the way from tags to an item in step with the item, which was as
// before: the tags of held back items are counted apart.
func (t *tx) retag(row, before *feedbackRow) error {
	moved := row.Quarantined != before.Quarantined
	for _, tag := range before.Tags {
		if moved || !slices.Contains(row.Tags, tag) {
			err := t.orm().Delete(&tagRow{}, "project_id = ? AND quarantined = ? AND tag = ? AND created_at = ? AND n = ?",
				row.ProjectID, before.Quarantined, tag, row.CreatedAt, row.N).Error
			if err != nil {
				return err
			}
		}
	}
	for _, tag := range row.Tags {
		if moved || !slices.Contains(before.Tags, tag) {
			err := t.orm().Create(&tagRow{ProjectID: row.ProjectID, Quarantined: row.Quarantined, Tag: tag, CreatedAt: row.CreatedAt, N: row.N}).Error
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) removeTags(project models.ID) (int64, error) {
	return rows(t.orm().Exec(`DELETE FROM feedback_tags WHERE project_id = ? AND (quarantined, tag, created_at, n) IN
		(SELECT quarantined, tag, created_at, n FROM feedback_tags WHERE project_id = ? LIMIT ?)`, project, project, removalBatch))
}

// Tags are the names of the tags that a project's items have, in order, no more
// than 500.
func (s *Store) Tags(ctx context.Context, scope models.Scope, project models.ID) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return nil, err
	}
	// From one name straight to the next, past all the items that have it.
	tags := []string{}
	err := s.read.WithContext(ctx).Raw(`WITH RECURSIVE names (tag) AS (
			SELECT min((SELECT min(tag) FROM feedback_tags WHERE project_id = @project AND quarantined = q.column1)) FROM (VALUES (FALSE), (TRUE)) AS q
			UNION ALL
			SELECT (SELECT min((SELECT min(tag) FROM feedback_tags WHERE project_id = @project AND quarantined = q.column1 AND tag > names.tag))
				FROM (VALUES (FALSE), (TRUE)) AS q) FROM names WHERE names.tag IS NOT NULL
		) SELECT tag FROM names WHERE tag IS NOT NULL LIMIT @most`,
		map[string]any{"project": project, "most": maxTagNames}).Scan(&tags).Error
	return tags, translate(err)
}
