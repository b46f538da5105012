package api

import (
	"context"
	"time"

	"earshot/models"
)

// TeamMember is a person in the organisation.
type TeamMember struct {
	ID       models.ID   `json:"id" doc:"The user's id"`
	Name     string      `json:"name" doc:"The address where the person has given none"`
	Email    string      `json:"email"`
	Role     models.Role `json:"role"`
	JoinedAt time.Time   `json:"joined_at"`
}

// TeamMemberList is a page of members, who joined first before the others.
type TeamMemberList struct {
	Items      []TeamMember `json:"items" nullable:"false"`
	NextCursor *string      `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64       `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string       `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

type listMembersInput struct{ PageQuery }

type listMembersOutput struct{ Body TeamMemberList }

func (s *Server) listMembers(ctx context.Context, in *listMembersInput) (*listMembersOutput, error) {
	list, err := s.store.Members(ctx, askerOf(ctx).claims.Scope, in.page())
	if err != nil {
		return nil, err
	}
	body := TeamMemberList{Items: []TeamMember{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, m := range list.Items {
		body.Items = append(body.Items, TeamMember{
			ID: m.UserID, Name: displayName(models.User{Name: m.Name, Email: m.Email}), Email: m.Email, Role: m.Role, JoinedAt: m.JoinedAt,
		})
	}
	return &listMembersOutput{Body: body}, nil
}
