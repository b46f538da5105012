package attacks

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// forge makes a token like the owner's, with something changed, signed by the attacker.
func forge(t *testing.T, token string, method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	change(claims)
	signed, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestSignIn(t *testing.T) {
	at := newTarget(t)
	token := at.owner.Token
	secret := []byte("0123456789abcdef0123456789abcdef") // the server's, but not the key that is made of it
	none := func(jwt.MapClaims) {}
	for name, credential := range map[string]string{
		"no signature":              forge(t, token, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, none),
		"signed by the attacker":    forge(t, token, jwt.SigningMethodHS256, []byte("guess"), none),
		"signed with the secret":    forge(t, token, jwt.SigningMethodHS256, secret, none),
		"signed by another method":  forge(t, token, jwt.SigningMethodHS384, secret, none),
		"for longer":                forge(t, token, jwt.SigningMethodHS256, secret, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(time.Hour).Unix() }),
		"without an end":            forge(t, token, jwt.SigningMethodHS256, secret, func(c jwt.MapClaims) { delete(c, "exp") }),
		"without its signature":     token[:len(token)-43],
		"with a bit changed":        token[:len(token)-1] + map[bool]string{true: "B", false: "A"}[token[len(token)-1] == 'A'],
		"a number for a token":      "1",
		"a JSON text":               base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "..",
		"a visitor's token":         at.visitor,
		"the project's key":         at.project.Key,
		"an API key of nobody":      models.NewAPIKeySecret(),
		"an API key cut short":      models.NewAPIKeySecret()[:40],
		"an API key with SQL in it": "sk_' OR '1'='1",
	} {
		t.Run(name, func(t *testing.T) {
			c := at.Client(t)
			c.Token = credential
			c.Get("/api/v1/me", 401)
		})
	}
	at.run(t, at.Client(t), []attempt{
		{"token in the query", "GET", "/api/v1/me?access_token=" + token, nil, nil, 400, "bad_request"},
		{"token under another name", "GET", "/api/v1/me?x=" + token, nil, nil, 400, "bad_request"},
		{"token as a password of Basic", "GET", "/api/v1/me", nil, []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+token))}, 401, "unauthorized"},
		{"ticket that nobody gave out", "GET", "/api/v1/socket?ticket=" + models.NewToken(), nil, []string{"Connection", "Upgrade", "Upgrade", "websocket"}, 401, ""},
		{"password of a hundred thousand letters", "POST", "/api/v1/auth/login", map[string]string{"email": apitest.OwnerEmail, "password": strings.Repeat("x", 100_000)}, nil, 422, ""},
		{"setup once more", "POST", "/api/v1/setup", map[string]string{"token": models.NewToken(), "email": "e@example.com", "password": apitest.Password, "organization": "E"}, nil, 403, "forbidden"},
		{"reset without a link", "POST", "/api/v1/auth/password/reset", map[string]string{"token": models.NewToken(), "password": apitest.Password}, nil, 401, "unauthorized"},
		{"invitation of nobody", "POST", "/api/v1/auth/invites/show", map[string]string{"token": models.NewToken()}, nil, 401, "unauthorized"},
		{"receipt with a bit changed", "GET", "{receipt}x", nil, []string{"Accept", "application/json"}, 404, ""},
		{"refresh with the access token", "POST", "/api/v1/auth/refresh", "{}", []string{"Cookie", "earshot_refresh=" + token}, 401, "unauthorized"},
	})
	t.Run("ticket twice", func(t *testing.T) {
		var ticket api.Ticket
		at.owner.Post("/api/v1/socket/tickets", nil, 201).JSON(&ticket)
		path := "/api/v1/socket?ticket=" + ticket.Ticket
		at.Client(t).Do("GET", path, nil, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "x")
		at.Client(t).Do("GET", path, nil, "Connection", "Upgrade", "Upgrade", "websocket").Want(401)
	})
	t.Run("known and unknown accounts are answered alike", func(t *testing.T) {
		known := at.Client(t).Do("POST", "/api/v1/auth/login", map[string]string{"email": apitest.OwnerEmail, "password": "not the password"}).Want(401)
		unknown := at.Client(t).Do("POST", "/api/v1/auth/login", map[string]string{"email": "nobody@example.com", "password": "not the password"}).Want(401)
		if string(known.Body) != string(unknown.Body) {
			t.Errorf("answers differ: %s and %s", known.Body, unknown.Body)
		}
	})
}
