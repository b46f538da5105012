package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"earshot/models"
	"earshot/models/intake"
)

const (
	// loginsPerAddress are wrong passwords a minute from one address, for all accounts
	// together. Each costs a core some 30 ms.
	loginsPerAddress = 100
	// signUpsPerAddress are an hour's.
	signUpsPerAddress = 20
	refreshLifetime   = 30 * 24 * time.Hour
	refreshCookie     = "earshot_refresh"
)

// AccessToken is what signing in gives; the refresh token comes as a cookie.
type AccessToken struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds"`
}

type signedIn struct {
	SetCookie string `header:"Set-Cookie"`
	Body      AccessToken
}

// Credentials is what a person signs in with.
type Credentials struct {
	Email    string `json:"email"`
	Password string `json:"password" format:"password"`
	TOTP     string `json:"totp,omitempty" doc:"For accounts with a second factor"`
}

type loginInput struct{ Body Credentials }

func (s *Server) login(ctx context.Context, in *loginInput) (*signedIn, error) {
	out, err := s.logIn(ctx, in)
	switch models.CodeOf(err) {
	case "":
		s.metrics.Login("succeeded")
	case models.CodeUnauthorized:
		s.metrics.Login("wrong")
	case models.CodeRateLimited:
		s.metrics.Login("throttled")
	default:
		s.metrics.Login("failed")
	}
	return out, err
}

func (s *Server) logIn(ctx context.Context, in *loginInput) (*signedIn, error) {
	if err := models.CheckPassword(in.Body.Password); err != nil {
		return nil, err
	}
	email := models.NormalizeEmail(in.Body.Email)
	attempt, address := loginKey(ctx, email), intake.AddressKey(askerOf(ctx).address)
	if err := s.loginAddresses.Take(ctx, address); err != nil {
		return nil, err
	}
	if err := s.attempt(ctx, attempt); err != nil {
		return nil, err
	}
	user, err := s.store.UserByEmail(ctx, email)
	if err != nil && models.CodeOf(err) != models.CodeNotFound {
		return nil, err
	}
	same, err := s.passwords.Matches(ctx, in.Body.Password, user.PasswordHash)
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, models.Errorf(models.CodeUnauthorized, "the address or the password is wrong")
	}
	if err := s.passFactor(ctx, user, in.Body.TOTP); err != nil {
		return nil, err
	}
	// Only failures count: who knows the password is not guessing.
	if err := errors.Join(s.store.Succeeded(ctx, attempt), s.loginAddresses.Return(ctx, address)); err != nil {
		return nil, err
	}
	return s.enterFirst(ctx, user, user.PasswordHash)
}

// enterFirst signs a user in where they have been for longest. hash is that of the
// password that they gave, if they did.
func (s *Server) enterFirst(ctx context.Context, user models.User, hash string) (*signedIn, error) {
	memberships, err := s.store.Memberships(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	if len(memberships) == 0 {
		return nil, models.Errorf(models.CodeForbidden, "this account belongs to no organisation")
	}
	return s.signIn(ctx, user.ID, memberships[0].Organization.ID, hash)
}

// loginKey counts attempts on one account from one address: a stranger who
// guesses locks out neither the owner nor the neighbours.
func loginKey(ctx context.Context, account string) string {
	return "login " + account + "\x00" + intake.AddressKey(askerOf(ctx).address)
}

// signIn starts a session.
func (s *Server) signIn(ctx context.Context, user, organization models.ID, hash string) (*signedIn, error) {
	refresh := models.NewToken()
	who := askerOf(ctx)
	from := models.SignIn{Agent: models.CleanAgent(who.agent), Address: models.TruncateAddress(who.address), PasswordHash: hash}
	session, err := s.store.CreateSession(ctx, user, organization, from, models.HashToken(refresh), refreshLifetime)
	if err != nil {
		return nil, err
	}
	return s.grant(session, refresh)
}

func (s *Server) grant(session models.Session, refresh string) (*signedIn, error) {
	token, err := s.tokens.make(session)
	if err != nil {
		return nil, err
	}
	return &signedIn{
		SetCookie: s.cookie(refresh, refreshLifetime),
		Body:      AccessToken{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(accessLifetime / time.Second)},
	}, nil
}

// cookie is sent back to the authentication calls only, and never along with a
// request that another site caused. An empty value deletes it.
func (s *Server) cookie(value string, lifetime time.Duration) string {
	cookie := http.Cookie{ //nolint:gosec // Secure follows the base URL: a server tried out on http://localhost has no other way
		Name: refreshCookie, Value: value, Path: "/api/v1/auth", MaxAge: int(lifetime / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.secure,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	return cookie.String()
}

// SignUp is what makes a user with an organisation.
type SignUp struct {
	Email        string `json:"email"`
	Password     string `json:"password" format:"password" doc:"12 to 256 characters"`
	Organization string `json:"organization" doc:"The new organisation's name"`
	Name         string `json:"name,omitempty" doc:"The person's"`
}

type signUpInput struct{ Body SignUp }

func (s *Server) signUpOpen() error {
	if !s.config.SignupOpen {
		return models.Errorf(models.CodeForbidden, "sign-up is closed: ask for an invitation")
	}
	return nil
}

func (s *Server) signUp(ctx context.Context, in *signUpInput) (*signedIn, error) {
	user, organization, err := newOwner(in.Body.Email, in.Body.Name, in.Body.Password, in.Body.Organization)
	if err != nil {
		return nil, err
	}
	if err := s.signUps.Take(ctx, intake.AddressKey(askerOf(ctx).address)); err != nil {
		return nil, err
	}
	if user.PasswordHash, err = s.passwords.Hash(ctx, in.Body.Password); err != nil {
		return nil, err
	}
	user, organization, err = s.store.CreateOwner(ctx, user, organization)
	if err != nil {
		return nil, err
	}
	s.postVerification(ctx, user)
	return s.signIn(ctx, user.ID, organization.ID, "")
}

// newOwner checks both and names all that is wrong with either.
func newOwner(email, name, password, organization string) (models.User, models.Organization, error) {
	user, err := models.NewUser(email, name, password)
	owned, orgErr := models.NewOrganization(organization)
	return user, owned, joinFields(err, orgErr)
}

type refreshInput struct {
	Cookie string `cookie:"earshot_refresh" doc:"The refresh token"`
	Body   *struct {
		OrganizationID models.ID `json:"organization_id,omitempty" doc:"Moves the session to another organisation of the user's"`
	}
}

// refresh exchanges the cookie for its successor and an access token. A token
// that comes back long after it was exchanged is in two hands: the session ends.
func (s *Server) refresh(ctx context.Context, in *refreshInput) (*signedIn, error) {
	ended := models.Errorf(models.CodeUnauthorized, "there is no session to go on with")
	if !models.ValidToken(in.Cookie) {
		return nil, ended
	}
	organization := models.ID("")
	if in.Body != nil {
		organization = in.Body.OrganizationID
	}
	successor := models.NewToken()
	rotation, err := s.store.RotateRefreshToken(ctx, models.HashToken(in.Cookie), models.HashToken(successor), refreshLifetime, organization)
	if err != nil {
		return nil, err
	}
	if rotation.Reused {
		s.closeSession(rotation.Session.ID)
		return nil, ended
	}
	return s.grant(rotation.Session, successor)
}

type logoutInput struct {
	Cookie        string    `cookie:"earshot_refresh" doc:"The refresh token"`
	Authorization string    `header:"Authorization" hidden:"true"`
	Body          *struct{} `required:"false"`
}

type signedOut struct {
	SetCookie string `header:"Set-Cookie"`
}

// logout ends the sessions that the request can name, by cookie or by access
// token, with all that hangs on them. It is no error if they have ended before.
func (s *Server) logout(ctx context.Context, in *logoutInput) (*signedOut, error) {
	var sessions []models.ID
	if models.ValidToken(in.Cookie) {
		session, err := s.store.SessionOfRefreshToken(ctx, models.HashToken(in.Cookie))
		if err != nil && models.CodeOf(err) != models.CodeNotFound {
			return nil, err
		}
		sessions = append(sessions, session.ID)
	}
	if token, ok := bearerToken(in.Authorization); ok {
		if read, err := s.tokens.read(token); err == nil {
			sessions = append(sessions, read.Session)
		}
	}
	if len(sessions) == 0 {
		return nil, models.Errorf(models.CodeUnauthorized, "there is no session to end")
	}
	for _, session := range sessions {
		if session == "" {
			continue
		}
		if err := s.store.RevokeSession(ctx, session); err != nil {
			return nil, err
		}
		s.closeSession(session)
	}
	return &signedOut{SetCookie: s.cookie("", 0)}, nil
}
