package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"earshot/models"
)

const (
	accessLifetime = 15 * time.Minute
	accessAudience = "earshot-admin"
)

// tokens makes and reads access tokens. A token says whose session it is; what
// its holder may do is asked of the store each time.
type tokens struct {
	key    []byte
	issuer string
	now    func() time.Time
}

type accessClaims struct {
	jwt.RegisteredClaims
	// For is written as a text where the library would write a list of one; both
	// are read (RFC 7519 §4.1.3).
	For          audience  `json:"aud"`
	Organization models.ID `json:"org"`
	Session      models.ID `json:"sid"`
}

type audience jwt.ClaimStrings

// MarshalJSON implements json.Marshaler.
func (a audience) MarshalJSON() ([]byte, error) { return json.Marshal(a[0]) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(raw []byte) error { return (*jwt.ClaimStrings)(a).UnmarshalJSON(raw) }

// GetAudience implements jwt.Claims.
func (c accessClaims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings(c.For), nil }

func (t tokens) make(session models.Session) (string, error) {
	now := t.now()
	claims := accessClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.issuer, Subject: string(session.UserID),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(accessLifetime)), ID: string(models.NewID()),
		},
		For: audience{accessAudience}, Organization: session.OrganizationID, Session: session.ID,
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.key)
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return token, nil
}

// read checks a token's signature and times. The method is pinned and the end is
// required: the library by itself would take a token without one.
func (t tokens) read(token string) (accessClaims, error) {
	var claims accessClaims
	if strings.ContainsAny(token, "\r\n") { // which base64 is read without: one token would have many forms
		return claims, jwt.ErrTokenMalformed
	}
	_, err := jwt.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return t.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(t.issuer), jwt.WithAudience(accessAudience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(t.now), jwt.WithStrictDecoding())
	return claims, err
}

// authenticateFor is authenticate for a call that an API key needs a scope for; "" is
// for calls that are people's alone.
func (s *Server) authenticateFor(ctx context.Context, token string, scope models.KeyScope) (models.Claims, error) {
	claims, err := s.authenticate(ctx, token)
	switch {
	case err != nil:
		return claims, err
	case claims.Key != nil && scope == "":
		return claims, models.Errorf(models.CodeForbidden, "this call is for people: an API key does not do")
	case !claims.Has(scope):
		return claims, models.Errorf(models.CodeForbidden, "this API key does not have the scope %s", scope)
	}
	return claims, nil
}

func errUnauthorized() *models.Error {
	return models.Errorf(models.CodeUnauthorized, "a valid access token is needed")
}

// authenticate says who holds an access token or an API key right now. Its error is
// CodeUnauthorized unless the store cannot be asked.
func (s *Server) authenticate(ctx context.Context, token string) (models.Claims, error) {
	if models.IsAPIKey(token) {
		if !models.ValidAPIKey(token) {
			return models.Claims{}, errUnauthorized()
		}
		return s.store.AuthorizeKey(ctx, models.HashToken(token))
	}
	read, err := s.tokens.read(token)
	if err != nil {
		return models.Claims{}, errUnauthorized()
	}
	claims, err := s.store.Authorize(ctx, read.Session)
	if err != nil {
		return models.Claims{}, fmt.Errorf("authorize: %w", err)
	}
	// A session that moved on to another organisation leaves its old tokens behind.
	if string(claims.UserID) != read.Subject || claims.Scope.Organization() != read.Organization {
		return models.Claims{}, errUnauthorized()
	}
	claims.ExpiresAt = read.ExpiresAt.Time
	return claims, nil
}
