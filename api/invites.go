package api

import (
	"context"
	"time"

	"earshot/models"
)

// inviteLifetime is long enough for somebody who is on holiday.
const inviteLifetime = 7 * 24 * time.Hour

// Invite is an open invitation.
type Invite struct {
	ID        models.ID   `json:"id"`
	Email     *string     `json:"email" nullable:"true" doc:"Whom it is for; null for whoever has the link"`
	Role      models.Role `json:"role"`
	CreatedBy models.ID   `json:"created_by"`
	CreatedAt time.Time   `json:"created_at"`
	ExpiresAt time.Time   `json:"expires_at"`
}

// CreatedInvite is an invitation with its link, this once.
type CreatedInvite struct {
	Invite
	URL    string `json:"url" doc:"Shown this once, and good once"`
	Mailed bool   `json:"mailed" doc:"The link was mailed to the address"`
}

// InviteList is a page of invitations, newest first.
type InviteList struct {
	Items      []Invite `json:"items" nullable:"false"`
	NextCursor *string  `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64   `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string   `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

// NewInvite invites somebody.
type NewInvite struct {
	Email string      `json:"email,omitempty" doc:"Whom it is for; without it whoever has the link"`
	Role  models.Role `json:"role" enum:"owner,admin,agent,viewer"`
}

func inviteBody(invite models.Invite) Invite {
	body := Invite{ID: invite.ID, Role: invite.Role, CreatedBy: invite.CreatedBy, CreatedAt: invite.CreatedAt, ExpiresAt: invite.ExpiresAt}
	if invite.Email != "" {
		body.Email = &invite.Email
	}
	return body
}

type listInvitesInput struct{ PageQuery }

type listInvitesOutput struct{ Body InviteList }

func (s *Server) listInvites(ctx context.Context, in *listInvitesInput) (*listInvitesOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	list, err := s.store.Invites(ctx, claims.Scope, in.page())
	if err != nil {
		return nil, err
	}
	body := InviteList{Items: []Invite{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, invite := range list.Items {
		body.Items = append(body.Items, inviteBody(invite))
	}
	return &listInvitesOutput{Body: body}, nil
}

type createInviteInput struct{ Body NewInvite }

type createInviteOutput struct{ Body CreatedInvite }

// createInvite gives the link to who invites, and mails it where there is an address
// and a mail server.
func (s *Server) createInvite(ctx context.Context, in *createInviteInput) (*createInviteOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() || !claims.Role.Above(in.Body.Role) {
		return nil, errRole()
	}
	invite := models.Invite{Email: in.Body.Email, Role: in.Body.Role, CreatedBy: claims.UserID}
	if err := invite.Normalize(); err != nil {
		return nil, err
	}
	if invite.Email != "" {
		if err := s.invitations.Take(ctx, string(claims.Scope.Organization())); err != nil {
			return nil, err
		}
	}
	token := models.NewToken()
	if err := s.store.CreateInvite(ctx, claims.Scope, &invite, models.HashToken(token), inviteLifetime); err != nil {
		return nil, err
	}
	link := s.config.BaseURL + "/join#token=" + token
	mailed := invite.Email != "" && s.sendLetter(ctx, s.inviteLetter(ctx, claims, invite, link))
	return &createInviteOutput{Body: CreatedInvite{Invite: inviteBody(invite), URL: link, Mailed: mailed}}, nil
}

// InvitePath names an invitation.
type InvitePath struct {
	ID string `path:"id"`
}

func (s *Server) revokeInvite(ctx context.Context, in *InvitePath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	return nil, s.store.RevokeInvite(ctx, claims.Scope, models.ID(in.ID))
}

// InviteToken is the token of an invitation's link.
type InviteToken struct {
	Token string `json:"token"`
}

// OpenInvite is what somebody who has the link may know of the invitation.
type OpenInvite struct {
	Organization string      `json:"organization"`
	Role         models.Role `json:"role"`
	Email        *string     `json:"email" nullable:"true" doc:"Whom it is for; null for whoever has the link"`
	ExpiresAt    time.Time   `json:"expires_at"`
}

type showInviteInput struct{ Body InviteToken }

type showInviteOutput struct{ Body OpenInvite }

func (s *Server) showInvite(ctx context.Context, in *showInviteInput) (*showInviteOutput, error) {
	invite, organization, err := s.store.Invite(ctx, models.HashToken(in.Body.Token))
	if err != nil {
		return nil, err
	}
	body := inviteBody(invite)
	return &showInviteOutput{Body: OpenInvite{Organization: organization.Name, Role: invite.Role, Email: body.Email, ExpiresAt: invite.ExpiresAt}}, nil
}

// JoinByInvite makes an account for somebody who was invited.
type JoinByInvite struct {
	Token    string `json:"token"`
	Email    string `json:"email"`
	Password string `json:"password" format:"password" doc:"12 to 256 characters"`
	Name     string `json:"name,omitempty" doc:"The person's"`
}

type joinInput struct{ Body JoinByInvite }

// join looks at the token before it hashes the password, which is dear; the store
// looks again when it uses it up.
func (s *Server) join(ctx context.Context, in *joinInput) (*signedIn, error) {
	user, err := models.NewUser(in.Body.Email, in.Body.Name, in.Body.Password)
	if err != nil {
		return nil, err
	}
	token := models.HashToken(in.Body.Token)
	if _, _, err := s.store.Invite(ctx, token); err != nil {
		return nil, err
	}
	if user.PasswordHash, err = s.passwords.Hash(ctx, in.Body.Password); err != nil {
		return nil, err
	}
	user, organization, err := s.store.JoinByInvite(ctx, token, user)
	if err != nil {
		return nil, err
	}
	if !user.EmailVerified {
		s.postVerification(ctx, user)
	}
	return s.signIn(ctx, user.ID, organization, "")
}

type acceptInviteInput struct{ Body InviteToken }

// Accepted says where somebody is a member now. The token that asked stays that of
// the organisation it was for: refresh with organization_id goes to the new one.
type Accepted struct {
	OrganizationID models.ID `json:"organization_id"`
}

type acceptInviteOutput struct{ Body Accepted }

func (s *Server) acceptInvite(ctx context.Context, in *acceptInviteInput) (*acceptInviteOutput, error) {
	organization, err := s.store.AcceptInvite(ctx, models.HashToken(in.Body.Token), askerOf(ctx).claims.UserID)
	if err != nil {
		return nil, err
	}
	return &acceptInviteOutput{Body: Accepted{OrganizationID: organization}}, nil
}
