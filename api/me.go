package api

import (
	"context"

	"earshot/models"
)

// Me is who is signed in, and where.
type Me struct {
	User          MeUser         `json:"user"`
	Organization  MeOrganization `json:"organization"`
	Role          models.Role    `json:"role"`
	Organizations []MeMembership `json:"organizations" nullable:"false"`
}

// MeUser is the person.
type MeUser struct {
	ID    models.ID `json:"id"`
	Email string    `json:"email"`
	Name  string    `json:"name"`
	// What there is to do about the account's safety.
	EmailVerified bool `json:"email_verified" doc:"The address was proved to be the person's"`
	SecondFactor  bool `json:"second_factor" doc:"Signing in takes a code as well"`
	HasPassword   bool `json:"has_password" doc:"false where another provider signs the person in"`
}

// MeOrganization is the organisation that the session is in.
type MeOrganization struct {
	ID   models.ID `json:"id"`
	Name string    `json:"name"`
}

// MeMembership is one organisation that the person belongs to.
type MeMembership struct {
	ID   models.ID   `json:"id"`
	Name string      `json:"name"`
	Role models.Role `json:"role"`
}

type meOutput struct{ Body Me }

func (s *Server) getMe(ctx context.Context, _ *struct{}) (*meOutput, error) {
	claims := askerOf(ctx).claims
	user, err := s.store.User(ctx, claims.UserID)
	if err != nil {
		return nil, err
	}
	memberships, err := s.store.Memberships(ctx, claims.UserID)
	if err != nil {
		return nil, err
	}
	me := Me{User: MeUser{
		ID: user.ID, Email: user.Email, Name: user.Name, EmailVerified: user.EmailVerified, SecondFactor: user.SecondFactor,
		HasPassword: user.PasswordHash != "",
	}, Role: claims.Role, Organizations: []MeMembership{}}
	for _, m := range memberships {
		if m.Organization.ID == claims.Scope.Organization() {
			me.Organization = MeOrganization{ID: m.Organization.ID, Name: m.Organization.Name}
		}
		me.Organizations = append(me.Organizations, MeMembership{ID: m.Organization.ID, Name: m.Organization.Name, Role: m.Role})
	}
	return &meOutput{Body: me}, nil
}

// displayName is how colleagues see a person.
func displayName(user models.User) string {
	if user.Name != "" {
		return user.Name
	}
	return user.Email
}

// actor is the person behind a change.
func (s *Server) actor(ctx context.Context, claims models.Claims) (models.Actor, error) {
	if claims.Key != nil {
		return models.Actor{UserID: claims.UserID, Name: claims.Key.Name}, nil
	}
	user, err := s.store.User(ctx, claims.UserID)
	return models.Actor{UserID: user.ID, Name: displayName(user)}, err
}
