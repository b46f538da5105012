package store

import (
	"context"

	"earshot/models"
)

// memberName is a member with the person's name.
type memberName struct {
	ID        models.ID
	Name      string
	Email     string
	Role      models.Role
	CreatedAt int64
}

// Members is one page of the organisation's members, who joined first before the
// others.
func (s *Store) Members(ctx context.Context, scope models.Scope, page Page) (List[models.Member], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return List[models.Member]{}, err
	}
	named := db.Table("members AS m").Joins("JOIN users AS u ON u.id = m.user_id").
		Select("u.id, u.name, u.email, m.role, m.created_at").Where("m.organization_id = ?", scope.Organization())
	members := chronology[memberName, models.Member]{
		name: "members", sort: "created_at",
		key: func(row memberName) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: func(row memberName) (models.Member, error) {
			return models.Member{UserID: row.ID, Name: row.Name, Email: row.Email, Role: row.Role, JoinedAt: fromMillis(row.CreatedAt)}, nil
		},
	}
	return members.page(db.Table("(?) AS named", named), page)
}
