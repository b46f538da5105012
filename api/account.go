package api

import (
	"context"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/store"
)

const (
	resetLifetime  = time.Hour
	verifyLifetime = 3 * 24 * time.Hour
)

// Forgotten asks for a link to choose a new password.
type Forgotten struct {
	Email string `json:"email"`
}

type forgotInput struct{ Body Forgotten }

// Answered says that a request was taken; not what came of it.
type Answered struct {
	Mail bool `json:"mail" doc:"There is a mail server: without one, ask whoever runs this server"`
}

type forgotOutput struct{ Body Answered }

// forgotPassword answers the same whether or not there is such an account, and takes
// no time that tells: what there is to do is done behind the answer.
func (s *Server) forgotPassword(ctx context.Context, in *forgotInput) (*forgotOutput, error) {
	email := models.NormalizeEmail(in.Body.Email)
	// The address comes first: who is over their own limit uses up nobody else's.
	for _, key := range []string{"reset from " + intake.AddressKey(askerOf(ctx).address), "reset " + email} {
		if err := s.letters.Take(ctx, key); err != nil {
			return nil, err
		}
	}
	if s.mails == nil {
		return &forgotOutput{}, nil
	}
	ctx = context.WithoutCancel(ctx)
	if !s.behind.try(func() { s.postReset(ctx, email) }) {
		return nil, errBusy()
	}
	return &forgotOutput{Body: Answered{Mail: true}}, nil
}

func errBusy() error {
	return &models.Error{Code: models.CodeUnavailable, Message: "too much is asked for at this time", RetryAfter: time.Second}
}

func (s *Server) postReset(ctx context.Context, email string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	user, err := s.store.UserByEmail(ctx, email)
	if models.CodeOf(err) == models.CodeNotFound {
		return
	}
	token := models.NewToken()
	if err == nil {
		err = s.store.PutToken(ctx, store.PurposeReset, models.HashToken(token), store.AccountLink{User: user.ID, Email: email}, resetLifetime)
	}
	if err != nil {
		s.log.Error("make a link to reset a password", "error", err)
		return
	}
	s.sendLetter(ctx, resetLetter(email, s.config.BaseURL+"/reset#token="+token))
}

// Reset chooses a new password.
type Reset struct {
	Token    string `json:"token" doc:"From the link"`
	Password string `json:"password" format:"password" doc:"12 to 256 characters"`
}

type resetInput struct{ Body Reset }

// resetPassword ends all sessions. It signs nobody in: a second factor is still
// asked for.
func (s *Server) resetPassword(ctx context.Context, in *resetInput) (*struct{}, error) {
	if err := models.CheckPassword(in.Body.Password); err != nil {
		return nil, err
	}
	token := models.HashToken(in.Body.Token)
	if err := s.store.CheckToken(ctx, store.PurposeReset, token); err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.ResetPassword(ctx, token, hash)
	s.closeSessions(ended)
	return nil, err
}

// closeSessions ends what is open for sessions that were revoked.
func (s *Server) closeSessions(ended []models.ID) {
	for _, session := range ended {
		s.closeSession(session)
	}
}

// NewPassword changes one's own password.
type NewPassword struct {
	Current  string `json:"current" format:"password"`
	Password string `json:"password" format:"password" doc:"12 to 256 characters"`
}

type changePasswordInput struct{ Body NewPassword }

// changePassword ends all sessions but the one that asks.
func (s *Server) changePassword(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
	if err := models.CheckPassword(in.Body.Password); err != nil {
		return nil, err
	}
	claims := askerOf(ctx).claims
	if err := s.prove(ctx, claims.UserID, in.Body.Current); err != nil {
		return nil, err
	}
	hash, err := s.passwords.Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	ended, err := s.store.SetPassword(ctx, claims.UserID, hash, claims.SessionID)
	s.closeSessions(ended)
	return nil, err
}

// prove asks for the password once more, before something that somebody at an
// unlocked screen must not do.
func (s *Server) prove(ctx context.Context, user models.ID, password string) error {
	key := "prove " + string(user)
	if err := s.attempt(ctx, key); err != nil {
		return err
	}
	known, err := s.store.User(ctx, user)
	if err != nil {
		return err
	}
	same, err := s.passwords.Matches(ctx, password, known.PasswordHash)
	if err != nil {
		return err
	}
	if !same {
		return models.InvalidField("current", "is not your password")
	}
	return s.store.Succeeded(ctx, key)
}

// attempt counts an attempt to prove something, but where limits are lifted.
func (s *Server) attempt(ctx context.Context, key string) error {
	if s.config.Unlimited {
		return nil
	}
	return s.store.Attempt(ctx, key)
}

// Verify confirms an address.
type Verify struct {
	Token string `json:"token" doc:"From the link"`
}

type verifyInput struct{ Body Verify }

func (s *Server) verifyEmail(ctx context.Context, in *verifyInput) (*struct{}, error) {
	return nil, s.store.ConfirmEmail(ctx, models.HashToken(in.Body.Token))
}

type sendVerificationInput struct {
	Body *struct{} `required:"false"`
}

// sendVerification mails the link again.
func (s *Server) sendVerification(ctx context.Context, _ *sendVerificationInput) (*forgotOutput, error) {
	user, err := s.store.User(ctx, askerOf(ctx).claims.UserID)
	if err != nil {
		return nil, err
	}
	if err := s.letters.Take(ctx, "verify "+string(user.ID)); err != nil {
		return nil, err
	}
	mailed := !user.EmailVerified && s.postVerification(ctx, user)
	return &forgotOutput{Body: Answered{Mail: mailed}}, nil
}

// postVerification reports whether a letter goes out.
func (s *Server) postVerification(ctx context.Context, user models.User) bool {
	if s.mails == nil {
		return false
	}
	token := models.NewToken()
	err := s.store.PutToken(ctx, store.PurposeVerify, models.HashToken(token), store.AccountLink{User: user.ID, Email: user.Email}, verifyLifetime)
	if err != nil {
		s.log.Error("make a link to confirm an address", "error", err)
		return false
	}
	return s.sendLetter(ctx, verifyLetter(user.Email, s.config.BaseURL+"/verify#token="+token))
}

// MePatch changes one's own account.
type MePatch struct {
	Name *string `json:"name,omitempty" doc:"How colleagues and visitors see you"`
}

type updateMeInput struct{ Body MePatch }

func (s *Server) updateMe(ctx context.Context, in *updateMeInput) (*meOutput, error) {
	if in.Body.Name != nil {
		name := strings.TrimSpace(*in.Body.Name)
		if err := models.CheckName(name); err != nil {
			return nil, err
		}
		if err := s.store.RenameUser(ctx, askerOf(ctx).claims.UserID, name); err != nil {
			return nil, err
		}
	}
	return s.getMe(ctx, nil)
}

// OpenSession is a sign-in of one's own that goes on.
type OpenSession struct {
	ID        models.ID `json:"id"`
	Current   bool      `json:"current" doc:"The one that asks"`
	Agent     string    `json:"agent" doc:"As the browser calls itself"`
	Address   string    `json:"address" doc:"The network that it was last used from: a /24, or /48 of IPv6"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// OpenSessions are all of one's own sessions, the last used first.
type OpenSessions struct {
	Items []OpenSession `json:"items" nullable:"false"`
}

type listSessionsOutput struct{ Body OpenSessions }

func (s *Server) listSessions(ctx context.Context, _ *struct{}) (*listSessionsOutput, error) {
	claims := askerOf(ctx).claims
	sessions, err := s.store.Sessions(ctx, claims.UserID)
	if err != nil {
		return nil, err
	}
	body := OpenSessions{Items: []OpenSession{}}
	for _, session := range sessions {
		body.Items = append(body.Items, OpenSession{
			ID: session.ID, Current: session.ID == claims.SessionID, Agent: session.Agent, Address: session.Address,
			CreatedAt: session.CreatedAt, UsedAt: session.UsedAt, ExpiresAt: session.ExpiresAt,
		})
	}
	return &listSessionsOutput{Body: body}, nil
}

// SessionPath names a session.
type SessionPath struct {
	ID string `path:"id"`
}

func (s *Server) revokeSession(ctx context.Context, in *SessionPath) (*struct{}, error) {
	id := models.ID(in.ID)
	if err := s.store.RevokeOwnSession(ctx, askerOf(ctx).claims.UserID, id); err != nil {
		return nil, err
	}
	s.closeSession(id)
	return nil, nil
}
