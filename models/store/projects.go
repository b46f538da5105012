package store

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"

	"earshot/models"
)

// CreateProject stores a project, normalised by its Normalize, under a new id
// and key, with an empty log.
func (s *Store) CreateProject(ctx context.Context, scope models.Scope, p *models.Project) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	at := s.millis()
	row := projectRow{
		ID: models.NewID(), OrganizationID: scope.Organization(), Name: p.Name, Key: models.NewProjectKey(),
		AllowedOrigins: p.AllowedOrigins, Settings: p.Settings, RetentionDays: p.RetentionDays, IdentityVersion: 1, CreatedAt: at, UpdatedAt: at,
	}
	if scope.Project() != "" {
		return models.Errorf(models.CodeForbidden, "a key of one project cannot create another")
	}
	err := s.writer.do(ctx, false, func(t *tx) error {
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		return t.audit(ctx, scope.Organization(), noted{action: models.AuditProjectCreated, kind: "project", object: row.ID, project: row.ID})
	})
	if err != nil {
		return err
	}
	*p = row.project()
	return nil
}

// Project reads one project of the organisation.
func (s *Store) Project(ctx context.Context, scope models.Scope, id models.ID) (*models.Project, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return nil, err
	}
	row, err := gorm.G[projectRow](db).Where("id = ? AND organization_id = ?", id, scope.Organization()).Take(ctx)
	if err == nil && !scope.Admits(row.ID) {
		err = errNotFound
	}
	if err != nil {
		return nil, translate(err)
	}
	p := row.project()
	return &p, nil
}

// Projects is one page of the organisation's projects, in the order of sort:
// "created_at", or with "-" before it the newest first.
func (s *Store) Projects(ctx context.Context, scope models.Scope, page Page, sort string) (List[models.Project], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return List[models.Project]{}, err
	}
	projects := chronology[projectRow, models.Project]{
		name: "projects", sort: sort,
		key:  func(row projectRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row projectRow) (models.Project, error) { return row.project(), nil },
	}
	query := db.Model(&projectRow{}).Where("organization_id = ?", scope.Organization())
	if one := scope.Project(); one != "" {
		query = query.Where("id = ?", one)
	}
	return projects.page(query, page)
}

// UpdateProject applies change to the project as it is at that moment and
// stores the result. What change returns is returned.
func (s *Store) UpdateProject(ctx context.Context, scope models.Scope, id models.ID, change func(*models.Project) error) (*models.Project, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return nil, err
	}
	if !scope.Admits(id) {
		return nil, errNotFound
	}
	var updated models.Project
	err := s.writer.do(ctx, false, func(t *tx) error {
		var row projectRow
		if err := t.orm().Where("id = ? AND organization_id = ?", id, scope.Organization()).Take(&row).Error; err != nil {
			return err
		}
		updated = row.project()
		before := updated
		if err := change(&updated); err != nil {
			return err
		}
		row.Name, row.AllowedOrigins, row.Settings, row.RetentionDays, row.IdentityVersion =
			updated.Name, updated.AllowedOrigins, updated.Settings, updated.RetentionDays, updated.IdentityVersion
		row.Key, row.KeyDisabled, row.UpdatedAt = updated.Key, updated.KeyDisabled, t.now.UnixMilli()
		updated.UpdatedAt = fromMillis(row.UpdatedAt)
		// With the commit, not after the wait for it: who does not wait to the
		// end must not leave the old project behind in ProjectByKey.
		t.committed = append(t.committed, func() { s.forgetProject(id) })
		if err := t.orm().Save(&row).Error; err != nil {
			return err
		}
		return t.audit(ctx, scope.Organization(), noted{
			action: models.AuditProjectChanged, kind: "project", object: id, project: id, detail: changedFields(&before, &updated),
		})
	})
	if err != nil {
		return nil, err
	}
	return &updated, nil
}

// changedFields names what changed in a project, but not to what.
func changedFields(before, after *models.Project) map[string]string {
	var names []string
	for name, changed := range map[string]bool{
		"name": before.Name != after.Name, "key": before.Key != after.Key,
		"key_disabled":    before.KeyDisabled != after.KeyDisabled,
		"allowed_origins": !slices.Equal(before.AllowedOrigins, after.AllowedOrigins),
		"identity_secret": before.IdentityVersion != after.IdentityVersion,
		"retention_days":  before.RetentionDays != after.RetentionDays,
		"settings":        !reflect.DeepEqual(before.Settings, after.Settings),
	} {
		if changed {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return map[string]string{"fields": strings.Join(names, " ")}
}

// DeleteProject deletes a project. Nobody finds it or its feedback any more;
// what they consist of is removed in the background.
func (s *Store) DeleteProject(ctx context.Context, scope models.Scope, id models.ID) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	if !scope.Admits(id) {
		return errNotFound
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		deleted := t.orm().Where("id = ? AND organization_id = ?", id, scope.Organization()).Delete(&projectRow{})
		if deleted.Error != nil {
			return deleted.Error
		}
		if deleted.RowsAffected == 0 {
			return errNotFound
		}
		if err := t.orm().Create(&removalRow{ProjectID: id, CreatedAt: t.now.UnixMilli()}).Error; err != nil {
			return err
		}
		if err := t.audit(ctx, scope.Organization(), noted{action: models.AuditProjectDeleted, kind: "project", object: id, project: id}); err != nil {
			return err
		}
		t.committed = append(t.committed, func() {
			s.forgetProject(id)
			s.forgetBlocks(id)
			s.record.note(id, 0)
		})
		// Last, because it is not undone: who submits later in this transaction
		// must not find the log's head any more.
		delete(t.heads, id)
		return nil
	})
}

// ProjectByKey finds the project that a visitor's request is for. It is asked
// for at every such request, so the answer is kept until the project changes.
// The caller must not change it.
func (s *Store) ProjectByKey(ctx context.Context, key string) (*models.Project, error) {
	if !models.ValidProjectKey(key) {
		return nil, errNotFound
	}
	s.projectsMu.RLock()
	known := s.byKey[key]
	generation := s.projectsGeneration
	s.projectsMu.RUnlock()
	if known != nil {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	row, err := gorm.G[projectRow](s.read).Where("key = ?", key).Take(ctx)
	if err != nil {
		return nil, translate(err)
	}
	p := row.project()
	s.projectsMu.Lock()
	defer s.projectsMu.Unlock()
	// A change that came while we read would otherwise be kept out for ever.
	if s.projectsGeneration == generation && len(s.byKey) < maxKeptProjects {
		s.byKey[key] = &p
	}
	return &p, nil
}

// projectsAtOnce is how many projects one query asks for.
const projectsAtOnce = 500

// ProjectKeys reads the keys by which projects are found now, "" of one whose key is
// disabled; a project that is deleted is not in it. It is for a server that ends what
// is open by keys that others have changed, and asks the database each time.
func (s *Store) ProjectKeys(ctx context.Context, projects []models.ID) (map[models.ID]string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	keys := make(map[models.ID]string, len(projects))
	for some := range slices.Chunk(projects, projectsAtOnce) {
		rows, err := gorm.G[projectRow](s.read).Select("id", "key", "key_disabled").Where("id IN ?", some).Find(ctx)
		if err != nil {
			return nil, translate(err)
		}
		for _, row := range rows {
			if keys[row.ID] = row.Key; row.KeyDisabled {
				keys[row.ID] = ""
			}
		}
	}
	return keys, nil
}

// maxKeptProjects bounds the memory of ProjectByKey; a project takes about 1 KiB.
const maxKeptProjects = 10_000

func (s *Store) forgetProject(id models.ID) {
	s.projectsMu.Lock()
	defer s.projectsMu.Unlock()
	s.projectsGeneration++
	for key, p := range s.byKey {
		if p.ID == id {
			delete(s.byKey, key)
		}
	}
}
