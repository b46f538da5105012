package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/seal"
	"earshot/models/store"
)

// OIDCConfig is another provider that signs people in (OpenID Connect Core 1.0).
type OIDCConfig struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	// Name is what the button says.
	Name string
}

const (
	oidcPath   = "/api/v1/auth/oidc"
	oidcCookie = "earshot_oidc"
	// oidcLifetime is what people get to sign in at the provider.
	oidcLifetime = 10 * time.Minute
	// oidcTimeout bounds each call to the provider.
	oidcTimeout = 10 * time.Second
)

// provider is the other provider as it describes itself. It is asked at the first
// sign-in and not at the start: we run without it.
type provider struct {
	config   OIDCConfig
	redirect string
	box      seal.Box
	client   *http.Client

	asking singleflight.Group
	found  atomic.Pointer[oidc.Provider]
}

func newProvider(config OIDCConfig, baseURL string, secret []byte) (*provider, error) {
	key, err := models.DeriveKey(secret, "earshot oidc")
	if err != nil {
		return nil, err
	}
	box, err := seal.New(key)
	return &provider{config: config, redirect: baseURL + oidcPath + "/callback", box: box, client: &http.Client{Timeout: oidcTimeout}}, err
}

// describe gives the provider and what to ask it with. Who comes while it is asked
// waits for the answer.
func (p *provider) describe(ctx context.Context) (*oidc.Provider, oauth2.Config, error) {
	found := p.found.Load()
	if found == nil {
		var err error
		if found, err = p.ask(ctx); err != nil {
			return nil, oauth2.Config{}, fmt.Errorf("ask the sign-in provider: %w", err)
		}
	}
	return found, oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: p.redirect, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, nil
}

// ask asks once for all who wait, and no longer than the client's timeout.
func (p *provider) ask(ctx context.Context) (*oidc.Provider, error) {
	// The provider keeps the context for as long as it is used.
	kept := oidc.ClientContext(context.WithoutCancel(ctx), p.client)
	answer := p.asking.DoChan("", func() (any, error) {
		found, err := oidc.NewProvider(kept, p.config.Issuer)
		if err == nil {
			p.found.Store(found)
		}
		return found, err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-answer:
		if got.Err != nil {
			return nil, got.Err
		}
		return p.found.Load(), nil
	}
}

// pending is a sign-in that is under way, in a sealed cookie: only the browser that
// began it can end it.
type pending struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Expires  time.Time `json:"expires"`
}

// startOIDC sends a browser to the provider.
func (s *Server) startOIDC(c *fiber.Ctx) error {
	if s.provider == nil {
		return models.Errorf(models.CodeNotFound, "no other provider signs people in here")
	}
	_, config, err := s.provider.describe(c.UserContext())
	if err != nil {
		s.log.Error("sign in by OIDC", "error", err)
		return s.endOIDC(c, "unavailable")
	}
	p := pending{State: models.NewToken(), Nonce: models.NewToken(), Verifier: oauth2.GenerateVerifier(), Expires: s.now().Add(oidcLifetime)}
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode sign-in: %w", err)
	}
	s.setOIDCCookie(c, base64.RawURLEncoding.EncodeToString(s.provider.box.Seal(plain, oidcCookie)))
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect(config.AuthCodeURL(p.State, oidc.Nonce(p.Nonce), oauth2.S256ChallengeOption(p.Verifier)), fiber.StatusSeeOther)
}

// setOIDCCookie is sent back along with the provider's redirect, which another site
// causes: so it is Lax, and good for nothing else. "" deletes it.
func (s *Server) setOIDCCookie(c *fiber.Ctx, value string) {
	cookie := http.Cookie{ //nolint:gosec // Secure follows the base URL, as for the refresh cookie
		Name: oidcCookie, Value: value, Path: oidcPath, MaxAge: int(oidcLifetime / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	c.Response().Header.Add(fiber.HeaderSetCookie, cookie.String())
}

// endOIDC goes back to the page for signing in, with a word why.
func (s *Server) endOIDC(c *fiber.Ctx, why string) error {
	s.setOIDCCookie(c, "")
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect("/login#oidc="+why, fiber.StatusSeeOther)
}

// finishOIDC is where the provider sends the browser back to.
func (s *Server) finishOIDC(c *fiber.Ctx) error {
	if s.provider == nil {
		return models.Errorf(models.CodeNotFound, "no other provider signs people in here")
	}
	p, ok := s.readPending(c)
	if !ok {
		return s.endOIDC(c, "expired")
	}
	if c.Query("error") != "" {
		return s.endOIDC(c, "denied")
	}
	identity, err := s.identify(c.UserContext(), c.Query("code"), p)
	if err != nil {
		s.log.Warn("sign in by OIDC", "error", err)
		return s.endOIDC(c, "failed")
	}
	who := asker{address: s.address(c), agent: c.Get(fiber.HeaderUserAgent)}
	ctx := context.WithValue(models.WithBy(c.UserContext(), who.by()), askerKey{}, who)
	entered, err := s.enterByIdentity(ctx, identity)
	switch models.CodeOf(err) {
	case "":
		s.setOIDCCookie(c, "")
		c.Response().Header.Add(fiber.HeaderSetCookie, entered.SetCookie)
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Redirect("/", fiber.StatusSeeOther)
	case models.CodeNotFound:
		return s.endOIDC(c, "unknown")
	case models.CodeForbidden:
		return s.endOIDC(c, "unverified")
	default:
		return err
	}
}

func (s *Server) readPending(c *fiber.Ctx) (p pending, ok bool) {
	raw, ok := models.ReadBase64(c.Cookies(oidcCookie))
	if !ok {
		return p, false
	}
	plain, err := s.provider.box.Open(raw, oidcCookie)
	if err != nil || json.Unmarshal(plain, &p) != nil {
		return p, false
	}
	return p, p.State == c.Query("state") && s.now().Before(p.Expires)
}

// identify asks the provider who has signed in.
func (s *Server) identify(ctx context.Context, code string, p pending) (identity store.Identity, err error) {
	found, config, err := s.provider.describe(ctx)
	if err != nil {
		return identity, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, s.provider.client), oidcTimeout)
	defer cancel()
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(p.Verifier))
	if err != nil {
		return identity, fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return identity, errors.New("the provider has sent no id_token")
	}
	verified, err := found.Verifier(&oidc.Config{ClientID: config.ClientID, Now: s.now}).Verify(ctx, raw)
	if err != nil {
		return identity, fmt.Errorf("verify the id_token: %w", err)
	}
	if verified.Nonce != p.Nonce {
		return identity, errors.New("the id_token is of another sign-in")
	}
	var claims struct {
		Email         string `json:"email"`
		EmailVerified bool   `json:"email_verified"`
		Name          string `json:"name"`
	}
	if err := verified.Claims(&claims); err != nil {
		return identity, fmt.Errorf("read the id_token: %w", err)
	}
	return store.Identity{
		Issuer: verified.Issuer, Subject: verified.Subject, Email: models.NormalizeEmail(claims.Email), EmailVerified: claims.EmailVerified, Name: claims.Name,
	}, nil
}

// enterByIdentity signs in whose account it is. The provider is asked for a second
// factor in its own way; ours belongs to the password.
func (s *Server) enterByIdentity(ctx context.Context, identity store.Identity) (*signedIn, error) {
	user, ended, err := s.store.UserByIdentity(ctx, identity)
	s.closeSessions(ended)
	if err == nil {
		return s.enterFirst(ctx, user, "")
	}
	if models.CodeOf(err) != models.CodeNotFound || !s.config.SignupOpen || !identity.EmailVerified {
		return nil, err
	}
	if err := s.signUps.Take(ctx, intake.AddressKey(askerOf(ctx).address)); err != nil {
		return nil, err
	}
	user, err = models.NewUserWithoutPassword(identity.Email, identity.Name)
	if err != nil {
		return nil, err
	}
	user.EmailVerified = true
	organization := models.Organization{Name: models.OrganizationNameFor(user)}
	user, organization, err = s.store.CreateOwnerByIdentity(ctx, identity, user, organization)
	if err != nil {
		return nil, err
	}
	return s.signIn(ctx, user.ID, organization.ID, "")
}

// SignInMethods are the ways to sign in here.
type SignInMethods struct {
	Signup bool    `json:"signup" doc:"Anybody may create an organisation"`
	Mail   bool    `json:"mail" doc:"A forgotten password can be reset by mail"`
	OIDC   *string `json:"oidc" nullable:"true" doc:"What another provider is called, to be begun at /api/v1/auth/oidc"`
}

type methodsOutput struct{ Body SignInMethods }

func (s *Server) getMethods(context.Context, *struct{}) (*methodsOutput, error) {
	methods := SignInMethods{Signup: s.config.SignupOpen, Mail: s.mails != nil}
	if s.provider != nil {
		methods.OIDC = &s.provider.config.Name
	}
	return &methodsOutput{Body: methods}, nil
}
