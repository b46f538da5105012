package operator

import (
	"context"
	"errors"
	"fmt"

	"earshot/api/password"
	"earshot/models"
	"earshot/models/store"
)

// NewUser is what "user create" takes.
type NewUser struct {
	Email        string `arg:"" help:"The user's address."`
	Name         string `help:"How the user is shown to others."`
	Role         string `default:"agent" enum:"owner,admin,agent,viewer" help:"owner, admin, agent or viewer."`
	Organization string `help:"Id of the organisation, where there are several; the name of a new one where there is none."`
}

// generatedLength gives 120 random bits.
const generatedLength = 20

// CreateUser is the command "user create".
func (d Data) CreateUser(ctx context.Context, in NewUser) error {
	plain := models.NewToken()[:generatedLength]
	user, err := models.NewUser(in.Email, in.Name, plain)
	if err != nil {
		return err
	}
	user.EmailVerified = true // by who runs the server
	if user.PasswordHash, err = Hash(ctx, plain); err != nil {
		return err
	}
	if err := d.Prepare(); err != nil {
		return err
	}
	return d.withStore(ctx, func(s *store.Store) error {
		organizations, err := s.Organizations(ctx)
		if err != nil {
			return err
		}
		if len(organizations) == 0 {
			err = createOwner(ctx, s, user, in.Organization)
			in.Role = string(models.RoleOwner)
		} else {
			err = createMember(ctx, s, user, in, organizations)
		}
		if err == nil {
			d.printf("Created %s as %s.\nPassword: %s\n", user.Email, in.Role, plain)
		}
		return err
	})
}

func createOwner(ctx context.Context, s *store.Store, user models.User, name string) error {
	if name == "" {
		name = "My organisation"
	}
	organization, err := models.NewOrganization(name)
	if err != nil {
		return err
	}
	_, _, err = s.CreateFirstOwner(ctx, user, organization)
	return err
}

func createMember(ctx context.Context, s *store.Store, user models.User, in NewUser, organizations []models.Organization) error {
	chosen := models.ID("")
	for _, organization := range organizations {
		if string(organization.ID) == in.Organization || (in.Organization == "" && len(organizations) == 1) {
			chosen = organization.ID
		}
	}
	if chosen == "" {
		list := ""
		for _, organization := range organizations {
			list += fmt.Sprintf(" %s (%s)", organization.ID, organization.Name)
		}
		return errors.New("name the organisation with --organization:" + list)
	}
	_, err := s.CreateMember(ctx, models.ScopeOf(chosen), user, models.Role(in.Role))
	return err
}

// ResetPassword is the command "user reset-password".
func (d Data) ResetPassword(ctx context.Context, email string) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	plain := models.NewToken()[:generatedLength]
	hash, err := Hash(ctx, plain)
	if err != nil {
		return err
	}
	return d.withStore(ctx, func(s *store.Store) error {
		user, err := s.UserByEmail(ctx, models.NormalizeEmail(email))
		if models.CodeOf(err) == models.CodeNotFound {
			return fmt.Errorf("there is no user %s", email)
		}
		if err != nil {
			return err
		}
		ended, err := s.SetPassword(ctx, user.ID, hash, "")
		if err == nil {
			d.printf("%s has a new password, and %d sessions ended.\nPassword: %s\n", user.Email, len(ended), plain)
		}
		return err
	})
}

// AuditUse names the key that seals the audit log.
const AuditUse = "earshot audit"

// withStore opens the store for a command. What it does is recorded as done by the
// operator, whom the context names.
func (d Data) withStore(ctx context.Context, use func(*store.Store) error) error {
	return d.openStore(ctx, false, use)
}

func (d Data) openStore(ctx context.Context, adoptSecret bool, use func(*store.Store) error) error {
	if err := d.Migrate(ctx); err != nil {
		return err
	}
	secret, err := d.Secret()
	if err != nil {
		return err
	}
	key, err := models.DeriveKey(secret, AuditUse)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{Path: d.Path(), Log: d.Log, Beside: true, AuditKey: key, AdoptSecret: adoptSecret})
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.Close())
}

// Hash hashes one password.
func Hash(ctx context.Context, plain string) (string, error) {
	hasher := password.New()
	return hasher.Hash(ctx, plain)
}

// CreateFirstOwner makes the owner that the settings name, while there is no
// user. Without settings, and later, it does nothing.
func (d Data) CreateFirstOwner(ctx context.Context, s *store.Store, email, plain string) error {
	if email == "" {
		return nil
	}
	if exists, err := s.HasUsers(ctx); err != nil || exists {
		return err
	}
	user, err := models.NewUser(email, "", plain)
	if err != nil {
		return err
	}
	user.EmailVerified = true // by who runs the server
	if user.PasswordHash, err = Hash(ctx, plain); err != nil {
		return err
	}
	if err := createOwner(ctx, s, user, ""); err != nil {
		return err
	}
	d.Log.Info("created the first owner from the settings")
	return nil
}
