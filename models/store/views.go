package store

import (
	"context"
	"encoding/json"
	"fmt"

	"earshot/models"
)

// viewCountBound is where counting a view stops: for who sees "1000+" it makes no
// difference how many more there are.
const viewCountBound = 1000

type viewRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	UserID         models.ID
	Name           string
	Shared         bool
	Query          string
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	UpdatedAt      int64 `gorm:"autoUpdateTime:false"`
}

func (viewRow) TableName() string { return "views" }

func (r viewRow) view() (models.View, error) {
	v := models.View{
		ID: r.ID, OrganizationID: r.OrganizationID, ProjectID: r.ProjectID, UserID: r.UserID, Name: r.Name, Shared: r.Shared,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
	if err := json.Unmarshal([]byte(r.Query), &v.Query); err != nil {
		return v, fmt.Errorf("decode view %s: %w", r.ID, err)
	}
	return v, nil
}

// maxViewsSeen bounds what one member sees of a project's views: their own, and those
// that are shared.
const maxViewsSeen = 500

// Views are those of a project that a member sees, oldest first.
func (s *Store) Views(ctx context.Context, scope models.Scope, project, user models.ID) ([]models.View, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return nil, err
	}
	var rows []viewRow
	err := s.read.WithContext(ctx).Where("project_id = ? AND organization_id = ? AND (shared OR user_id = ?)", project, scope.Organization(), user).
		Order("created_at, id").Limit(maxViewsSeen).Find(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	views := make([]models.View, len(rows))
	for i, row := range rows {
		if views[i], err = row.view(); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// CreateView stores a member's new view, checked by its Normalize.
func (s *Store) CreateView(ctx context.Context, scope models.Scope, view models.View) (models.View, error) {
	if _, err := s.Project(ctx, scope, view.ProjectID); err != nil {
		return models.View{}, err
	}
	query, err := json.Marshal(view.Query)
	if err != nil {
		return models.View{}, fmt.Errorf("encode view: %w", err)
	}
	err = s.writer.do(ctx, false, func(t *tx) error {
		var n int64
		err := t.orm().Model(&viewRow{}).Where("project_id = ? AND user_id = ?", view.ProjectID, view.UserID).Count(&n).Error
		if err != nil {
			return err
		}
		if n >= models.MaxViews {
			return models.Errorf(models.CodeForbidden, "nobody may have more than %d views in a project", models.MaxViews)
		}
		at := t.now.UnixMilli()
		view.OrganizationID, view.CreatedAt, view.UpdatedAt = scope.Organization(), fromMillis(at), fromMillis(at)
		return t.orm().Create(&viewRow{
			ID: view.ID, OrganizationID: view.OrganizationID, ProjectID: view.ProjectID, UserID: view.UserID,
			Name: view.Name, Shared: view.Shared, Query: string(query), CreatedAt: at, UpdatedAt: at,
		}).Error
	})
	if err != nil {
		return models.View{}, err
	}
	return view, nil
}

// UpdateView changes a view that the member sees, by change, which may refuse.
func (s *Store) UpdateView(
	ctx context.Context, scope models.Scope, user, id models.ID, change func(*models.View) error,
) (models.View, error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return models.View{}, err
	}
	var view models.View
	err := s.writer.do(ctx, false, func(t *tx) (err error) {
		if view, err = t.view(scope, user, id); err != nil {
			return err
		}
		if err := change(&view); err != nil {
			return err
		}
		query, err := json.Marshal(view.Query)
		if err != nil {
			return fmt.Errorf("encode view: %w", err)
		}
		view.UpdatedAt = fromMillis(t.now.UnixMilli())
		return t.orm().Model(&viewRow{}).Where("id = ?", id).Updates(map[string]any{
			"name": view.Name, "shared": view.Shared, "query": string(query), "updated_at": view.UpdatedAt.UnixMilli(),
		}).Error
	})
	if err != nil {
		return models.View{}, err
	}
	return view, nil
}

// DeleteView removes a view that the member sees, unless allowed refuses.
func (s *Store) DeleteView(ctx context.Context, scope models.Scope, user, id models.ID, allowed func(models.View) error) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		view, err := t.view(scope, user, id)
		if err != nil {
			return err
		}
		if err := allowed(view); err != nil {
			return err
		}
		return t.orm().Where("id = ?", id).Delete(&viewRow{}).Error
	})
}

func (t *tx) view(scope models.Scope, user, id models.ID) (models.View, error) {
	var row viewRow
	err := t.orm().Where("id = ? AND organization_id = ? AND (shared OR user_id = ?)", id, scope.Organization(), user).Take(&row).Error
	if err != nil {
		return models.View{}, err
	}
	return row.view()
}

// CountViews counts what each of several filters admits, no further than to 1,000.
func (s *Store) CountViews(ctx context.Context, scope models.Scope, project models.ID, filters []Filter) ([]Total, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := s.Project(ctx, scope, project); err != nil {
		return nil, err
	}
	totals := make([]Total, len(filters))
	for i, filter := range filters {
		filter.Sort = ""
		sel, err := s.selection(ctx, scope, project, filter)
		if err != nil {
			return nil, err
		}
		if sel.nothing {
			continue
		}
		src, _, err := sel.choose()
		if err != nil {
			return nil, translate(err)
		}
		n := &totals[i].N
		if err := sel.counting(src, viewCountBound+1).on(sel.db).Scan(n).Error; err != nil {
			return nil, translate(err)
		}
		if *n > viewCountBound {
			totals[i] = Total{N: viewCountBound, AtLeast: true}
		}
	}
	return totals, nil
}
