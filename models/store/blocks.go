package store

import (
	"context"
	"slices"

	"earshot/models"
)

type blockRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	Kind           models.BlockKind
	Value          string
	Label          string
	Note           string
	CreatedBy      models.ID
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	ExpiresAt      int64
}

func (blockRow) TableName() string { return "blocks" }

func (r blockRow) block() models.Block {
	b := models.Block{
		ID: r.ID, OrganizationID: r.OrganizationID, ProjectID: r.ProjectID, Kind: r.Kind, Value: r.Value, Label: r.Label, Note: r.Note,
		CreatedBy: r.CreatedBy, CreatedAt: fromMillis(r.CreatedAt),
	}
	if r.ExpiresAt != 0 {
		b.ExpiresAt = fromMillis(r.ExpiresAt)
	}
	return b
}

// BlockList is one page of a project's blocks, the newest first.
func (s *Store) BlockList(ctx context.Context, scope models.Scope, project models.ID, page Page) (List[models.Block], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return List[models.Block]{}, err
	}
	blocks := chronology[blockRow, models.Block]{
		name: "blocks", sort: "-created_at",
		key:  func(row blockRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row blockRow) (models.Block, error) { return row.block(), nil },
	}
	return blocks.page(s.read.WithContext(ctx).Model(&blockRow{}).
		Where("project_id = ? AND organization_id = ?", project, scope.Organization()), page)
}

// CreateBlock stores a block, checked by its Normalize. Where there is one of the
// same already it is CodeConflict.
func (s *Store) CreateBlock(ctx context.Context, scope models.Scope, block models.Block) (models.Block, error) {
	if _, err := s.Project(ctx, scope, block.ProjectID); err != nil {
		return models.Block{}, err
	}
	row := blockRow{
		ID: models.NewID(), OrganizationID: scope.Organization(), ProjectID: block.ProjectID, Kind: block.Kind, Value: block.Value,
		Label: block.Label, Note: block.Note, CreatedBy: block.CreatedBy, CreatedAt: s.millis(),
	}
	if !block.ExpiresAt.IsZero() {
		row.ExpiresAt = block.ExpiresAt.UnixMilli()
	}
	err := s.writer.do(ctx, false, func(t *tx) error {
		own := t.orm().Where("project_id = ?", block.ProjectID)
		// What has expired is in nobody's way.
		if err := own.Where("expires_at <> 0 AND expires_at <= ?", t.now.UnixMilli()).Delete(&blockRow{}).Error; err != nil {
			return err
		}
		var all []blockRow
		if err := t.orm().Where("project_id = ?", block.ProjectID).Find(&all).Error; err != nil {
			return err
		}
		for _, there := range all {
			if there.Kind == row.Kind && there.Value == row.Value {
				return models.Errorf(models.CodeConflict, "this is blocked already")
			}
		}
		if len(all) >= models.MaxBlocks {
			return models.Errorf(models.CodeForbidden, "a project may have no more than %d blocks", models.MaxBlocks)
		}
		t.committed = append(t.committed, func() { s.forgetBlocks(block.ProjectID) })
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		return t.audit(ctx, scope.Organization(), noted{
			action: models.AuditBlocked, kind: "block", object: row.ID, project: row.ProjectID, detail: map[string]string{"kind": string(row.Kind)},
		})
	})
	if err != nil {
		return models.Block{}, err
	}
	return row.block(), nil
}

// DeleteBlock lifts a block, and tells of which project it was.
func (s *Store) DeleteBlock(ctx context.Context, scope models.Scope, id models.ID) (project models.ID, err error) {
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return "", err
	}
	var row blockRow
	if err := owned(db, scope).Where("id = ?", id).Take(&row).Error; err != nil {
		return "", translate(err)
	}
	return row.ProjectID, s.writer.do(ctx, false, func(t *tx) error {
		deleted := t.orm().Where("id = ? AND organization_id = ?", id, scope.Organization()).Delete(&blockRow{})
		if deleted.Error != nil {
			return deleted.Error
		}
		if deleted.RowsAffected == 0 {
			return errNotFound
		}
		t.committed = append(t.committed, func() { s.forgetBlocks(row.ProjectID) })
		return t.audit(ctx, scope.Organization(), noted{action: models.AuditUnblocked, kind: "block", object: id, project: row.ProjectID})
	})
}

// Blocks are a project's, for who has its key. They are asked for at every
// submission, so the answer is kept until they change.
func (s *Store) Blocks(ctx context.Context, project models.ID) (*models.Blocks, error) {
	all, err := s.BlocksOf(ctx, []models.ID{project})
	return all[project], err
}

// BlocksOf is Blocks of several projects.
func (s *Store) BlocksOf(ctx context.Context, projects []models.ID) (map[models.ID]*models.Blocks, error) {
	found := make(map[models.ID]*models.Blocks, len(projects))
	var unknown []models.ID
	s.blocksMu.RLock()
	generation := s.blocksGeneration
	for _, project := range projects {
		if known := s.blocks[project]; known != nil {
			found[project] = known
		} else {
			unknown = append(unknown, project)
		}
	}
	s.blocksMu.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	for some := range slices.Chunk(unknown, projectsAtOnce) {
		var rows []blockRow
		if err := s.read.WithContext(ctx).Where("project_id IN ?", some).Order("created_at, id").Find(&rows).Error; err != nil {
			return nil, translate(err)
		}
		all := make(map[models.ID][]models.Block, len(some))
		for _, row := range rows {
			all[row.ProjectID] = append(all[row.ProjectID], row.block())
		}
		for _, project := range some {
			found[project] = models.NewBlocks(all[project])
		}
	}
	s.blocksMu.Lock()
	defer s.blocksMu.Unlock()
	for _, project := range unknown {
		// A change that came while we read would otherwise be kept out for ever.
		if s.blocksGeneration == generation && len(s.blocks) < maxKeptProjects {
			s.blocks[project] = found[project]
		}
	}
	return found, nil
}

func (s *Store) forgetBlocks(project models.ID) {
	s.blocksMu.Lock()
	defer s.blocksMu.Unlock()
	s.blocksGeneration++
	delete(s.blocks, project)
}

// Sender is what is known of who sent an item, in the form of blocks: the hash of
// the address, and of the session's token. Both are "" of what was imported.
func (s *Store) Sender(ctx context.Context, scope models.Scope, feedback models.ID) (address, session string, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return "", "", err
	}
	var row feedbackRow
	err = db.Where("id = ? AND organization_id = ? AND erased_at IS NULL AND "+ofProject, feedback, scope.Organization()).Take(&row).Error
	if err == nil && !scope.Admits(row.ProjectID) {
		err = errNotFound
	}
	if err != nil {
		return "", "", translate(err)
	}
	session, err = s.SessionValue(ctx, row.ProjectID, row.SessionID)
	return row.AddressHash, session, err
}

// SessionValue is a visitor's session in the form of blocks; "" where there is none.
// It looks through all of the project's, which takes a tenth of a second of a
// million.
func (s *Store) SessionValue(ctx context.Context, project, session models.ID) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row visitorSessionRow
	err := s.read.WithContext(ctx).Where("project_id = ? AND id = ?", project, session).Limit(1).Find(&row).Error
	if err != nil || row.ID == "" {
		return "", translate(err)
	}
	return models.SessionValue(models.ResumeHash(row.ResumeHash)), nil
}
