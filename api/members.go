package api

import (
	"context"
	"time"

	"earshot/models"
)

// TeamMember is a person in the organisation.
type TeamMember struct {
	ID    models.ID   `json:"id" doc:"The user's id"`
	Name  string      `json:"name" doc:"The address where the person has given none"`
	Email string      `json:"email"`
	Role  models.Role `json:"role"`
	// SecondFactor lets owners see who should still set one up.
	SecondFactor bool      `json:"second_factor" doc:"Signing in takes a code as well"`
	JoinedAt     time.Time `json:"joined_at"`
}

func memberBody(m models.Member) TeamMember {
	return TeamMember{
		ID: m.UserID, Name: displayName(models.User{Name: m.Name, Email: m.Email}), Email: m.Email, Role: m.Role,
		SecondFactor: m.SecondFactor, JoinedAt: m.JoinedAt,
	}
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
		body.Items = append(body.Items, memberBody(m))
	}
	return &listMembersOutput{Body: body}, nil
}

// MemberPath names a member by the user's id.
type MemberPath struct {
	ID string `path:"id" doc:"The user's id"`
}

type updateMemberInput struct {
	MemberPath
	Body struct {
		Role models.Role `json:"role" enum:"owner,admin,agent,viewer"`
	}
}

type memberOutput struct{ Body TeamMember }

// updateMember changes a role. What the member has open ends with a role that was
// other: it is opened anew, with what the new one allows.
func (s *Server) updateMember(ctx context.Context, in *updateMemberInput) (*memberOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	member, sessions, err := s.store.SetRole(ctx, claims.Scope, models.ID(in.ID), in.Body.Role, claims)
	if err != nil {
		return nil, err
	}
	s.closeSessions(sessions)
	return &memberOutput{Body: memberBody(member)}, nil
}

type removeMemberInput struct {
	MemberPath
	RevokeAPIKeys bool `query:"revoke_api_keys" doc:"End the API keys that the member made as well; without it they go on working, as they are the organisation's"`
}

// removeMember ends a membership. Who leaves by themselves needs no role for it.
func (s *Server) removeMember(ctx context.Context, in *removeMemberInput) (*struct{}, error) {
	claims, id := askerOf(ctx).claims, models.ID(in.ID)
	if !claims.CanManage() && (claims.UserID != id || in.RevokeAPIKeys) {
		return nil, errRole()
	}
	ended, err := s.store.RemoveMember(ctx, claims.Scope, id, in.RevokeAPIKeys, claims)
	if err != nil {
		return nil, err
	}
	s.closeSessions(ended)
	return nil, nil
}
