package api

import (
	"context"
	"errors"

	"earshot/models"
	"earshot/models/store"
)

// SetupState says whether the first owner is still to be created.
type SetupState struct {
	Needed bool `json:"needed"`
}

type setupState struct{ Body SetupState }

func (s *Server) getSetup(ctx context.Context, _ *struct{}) (*setupState, error) {
	exists, err := s.store.HasUsers(ctx)
	return &setupState{Body: SetupState{Needed: !exists}}, err
}

// Setup makes the first owner.
type Setup struct {
	Token        string `json:"token" doc:"From the link that the server printed"`
	Email        string `json:"email"`
	Password     string `json:"password" format:"password" doc:"12 to 256 characters"`
	Name         string `json:"name,omitempty" doc:"The person's"`
	Organization string `json:"organization" doc:"The new organisation's name"`
}

type setupInput struct{ Body Setup }

// setup asks for the token before it hashes the password, which is dear; the
// store asks again, and uses the token up only along with the owner's creation:
// a typing error does not cost the link.
func (s *Server) setup(ctx context.Context, in *setupInput) (*signedIn, error) {
	user, organization, err := newOwner(in.Body.Email, in.Body.Name, in.Body.Password, in.Body.Organization)
	if err != nil {
		return nil, err
	}
	exists, err := s.store.HasUsers(ctx)
	if err != nil {
		return nil, err
	}
	if exists {
		return nil, models.Errorf(models.CodeForbidden, "the first owner exists already")
	}
	token := models.HashToken(in.Body.Token)
	if err := s.store.CheckToken(ctx, store.PurposeSetup, token); err != nil {
		return nil, err
	}
	if user.PasswordHash, err = s.passwords.Hash(ctx, in.Body.Password); err != nil {
		return nil, err
	}
	user.EmailVerified = true // by whoever runs the server
	user, organization, err = s.store.SetUp(ctx, token, user, organization)
	if err != nil {
		return nil, err
	}
	return s.signIn(ctx, user.ID, organization.ID, "")
}

// joinFields makes one refusal of several.
func joinFields(errs ...error) error {
	var all *models.Error
	for _, err := range errs {
		var one *models.Error
		switch {
		case err == nil:
		case !errors.As(err, &one):
			return err
		case all == nil:
			all = one
		default:
			all.Fields = append(all.Fields, one.Fields...)
		}
	}
	if all == nil {
		return nil
	}
	return all
}
