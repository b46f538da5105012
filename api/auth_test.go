package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// clock is a clock that a test moves.
type clock struct {
	ahead atomic.Int64
	// stands is where it stands still; zero where it goes with the machine's.
	stands time.Time
}

// standing is a clock for what a slow machine must not add time to.
func standing() *clock { return &clock{stands: time.Now()} }

func (c *clock) now() time.Time {
	now := c.stands
	if now.IsZero() {
		now = time.Now()
	}
	return now.Add(time.Duration(c.ahead.Load()))
}

func (c *clock) move(d time.Duration)   { c.ahead.Add(int64(d)) }
func (c *clock) option(cfg *api.Config) { cfg.Now = c.now }
func cookie(refresh string) string      { return "earshot_refresh=" + refresh }
func login(email, password string) any {
	return map[string]string{"email": email, "password": password}
}

func TestSetup(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	c := s.Client(t)
	var state api.SetupState
	c.Get("/api/v1/setup", 200).JSON(&state)
	if !state.Needed {
		t.Error("needed = false before the first owner")
	}
	link, err := s.SetupURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	prefix := s.URL + "/setup#token="
	token, ok := strings.CutPrefix(link, prefix)
	if !ok {
		t.Fatalf("link = %q, want it to begin with %q", link, prefix)
	}
	body := func(token, email, password, organization string) map[string]string {
		return map[string]string{"token": token, "email": email, "password": password, "organization": organization}
	}
	good := body(token, "a@example.com", apitest.Password, "Shop")
	run(t, c, []call{
		{name: "wrong token", method: post, path: "/api/v1/setup", body: body(models.NewToken(), "a@example.com", apitest.Password, "Shop"), status: 401, code: "unauthorized"},
		{name: "short password", method: post, path: "/api/v1/setup", body: body(token, "a@example.com", "hunter2", "Shop"), status: 422, code: "invalid_field", field: "password"},
		{name: "bad email", method: post, path: "/api/v1/setup", body: body(token, "a", apitest.Password, "Shop"), status: 422, code: "invalid_field", field: "email"},
		{name: "no organisation", method: post, path: "/api/v1/setup", body: body(token, "a@example.com", apitest.Password, ""), status: 422, code: "invalid_field", field: "organization"},
		{name: "good", method: post, path: "/api/v1/setup", body: good, status: 201},
		{name: "again", method: post, path: "/api/v1/setup", body: good, status: 403, code: "forbidden"},
	})
	c.Get("/api/v1/setup", 200).JSON(&state)
	if state.Needed {
		t.Error("needed = true after the first owner")
	}
	if link, err := s.SetupURL(t.Context()); link != "" || err != nil {
		t.Errorf("SetupURL = %q, %v, want none", link, err)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	s.Owner(t)
	const path = "/api/v1/auth/login"
	long := strings.Repeat("ü", 256)
	run(t, s.Client(t), []call{
		{name: "good", method: post, path: path, body: login(" OWNER@example.com ", apitest.Password), status: 200},
		{name: "wrong password", method: post, path: path, body: login(apitest.OwnerEmail, "not the password"), status: 401, code: "unauthorized"},
		{name: "unknown account", method: post, path: path, body: login("nobody@example.com", "not the password"), status: 401, code: "unauthorized"},
		{name: "256 characters", method: post, path: path, body: login(apitest.OwnerEmail, long), status: 401, code: "unauthorized"},
		{name: "257 characters", method: post, path: path, body: login(apitest.OwnerEmail, long+"ü"), status: 422, code: "invalid_field", field: "password"},
		{name: "11 characters", method: post, path: path, body: login(apitest.OwnerEmail, "hunter2hunt"), status: 422, code: "invalid_field", field: "password"},
		{name: "no password", method: post, path: path, body: map[string]string{"email": "a@example.com"}, status: 422, code: "invalid_field", field: "password"},
		{name: "number", method: post, path: path, body: `{"email":"a@example.com","password":123456789012}`, status: 422, code: "invalid_field", field: "password"},
		{name: "unknown field", method: post, path: path, body: `{"email":"a@example.com","password":"hunter2hunter2","remember":true}`, status: 422, code: "invalid_field"},
		{name: "duplicate", method: post, path: path, body: `{"email":"a@example.com","email":"b@example.com","password":"hunter2hunter2"}`, status: 400, code: "bad_json"},
		{name: "case variant", method: post, path: path, body: `{"Email":"a@example.com","password":"hunter2hunter2"}`, status: 400, code: "bad_json"},
		{name: "NUL", method: post, path: path, body: `{"email":"a@example.com\u0000","password":"hunter2hunter2"}`, status: 422, code: "invalid_text"},
		{name: "surrogate", method: post, path: path, body: `{"email":"\udc00","password":"hunter2hunter2"}`, status: 422, code: "invalid_text"},
		{name: "empty", method: post, path: path, body: "", status: 400, code: "bad_json"},
		{name: "nothing", method: post, path: path, status: 400, code: "bad_json"},
		{name: "text", method: post, path: path, body: "x", status: 400, code: "bad_json"},
		{name: "array", method: post, path: path, body: "[]", status: 422, code: "invalid_field"},
		{name: "deep", method: post, path: path, body: strings.Repeat("[", 17) + strings.Repeat("]", 17), status: 400, code: "bad_json"},
		{name: "form", method: post, path: path, body: "email=a", headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media"},
		{name: "plain", method: post, path: path, body: login("a@example.com", "hunter2hunter2"), headers: []string{"Content-Type", "text/plain"}, status: 415, code: "unsupported_media"},
		{name: "large", method: post, path: path, body: login("a@example.com", strings.Repeat("a", 300<<10)), status: 413, code: "too_large"},
		{name: "GET", method: get, path: path, status: 405, code: "method_not_allowed"},
		{name: "password in the query", method: post, path: path + "?password=hunter2", body: "{}", status: 400, code: "bad_request"},
		{name: "unknown query", method: post, path: path + "?a=1", body: login(apitest.OwnerEmail, apitest.Password), status: 400, code: "bad_request"},
	})
	r := s.Client(t).Post(path, login(apitest.OwnerEmail, apitest.Password), 200)
	var token api.AccessToken
	r.JSON(&token)
	if token.TokenType != "Bearer" || token.ExpiresIn != 900 || token.AccessToken == "" {
		t.Errorf("token = %+v, want a Bearer of 900 s", token)
	}
	c := r.Cookie("earshot_refresh")
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/api/v1/auth" || c.Secure || c.MaxAge != 30*24*3600 {
		t.Errorf("cookie = %+v", c)
	}
	wantHeader(t, r, "Cache-Control", "no-store")
}

func TestHTTPS(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, func(c *api.Config) { c.BaseURL = "https://earshot.example" })
	s.Owner(t)
	r := s.Client(t).Post("/api/v1/auth/login", login(apitest.OwnerEmail, apitest.Password), 200)
	if c := r.Cookie("earshot_refresh"); c == nil || !c.Secure {
		t.Errorf("cookie = %+v, want it secure", c)
	}
	wantHeader(t, r, "Strict-Transport-Security", "max-age=31536000")
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	body := map[string]string{"email": "new@example.com", "password": apitest.Password, "organization": "New"}
	t.Run("closed", func(t *testing.T) {
		s := apitest.Start(t)
		run(t, s.Client(t), []call{
			{name: "good", method: post, path: "/api/v1/auth/signup", body: body, status: 403, code: "forbidden"},
			{name: "bad", method: post, path: "/api/v1/auth/signup", body: "{}", status: 403, code: "forbidden"},
		})
	})
	t.Run("open", func(t *testing.T) {
		s := apitest.Start(t, apitest.SignupOpen)
		s.Owner(t)
		r := s.Client(t).Post("/api/v1/auth/signup", body, 201)
		var token api.AccessToken
		r.JSON(&token)
		c := s.Client(t)
		c.Token = token.AccessToken
		var me api.Me
		c.Get("/api/v1/me", 200).JSON(&me)
		if me.Organization.Name != "New" || me.Role != models.RoleOwner || me.User.Email != "new@example.com" || len(me.Organizations) != 1 {
			t.Errorf("me = %+v", me)
		}
		run(t, s.Client(t), []call{
			{name: "taken", method: post, path: "/api/v1/auth/signup", body: body, status: 409, code: "conflict"},
			{name: "short", method: post, path: "/api/v1/auth/signup", body: map[string]string{"email": "b@example.com", "password": "hunter2", "organization": ""}, status: 422, code: "invalid_field", field: "password"},
		})
	})
}

// TestSigningInFromOtherSites: each of these calls sets the cookie, so that
// another site's page must not make it.
func TestSigningInFromOtherSites(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.SignupOpen, func(c *api.Config) { c.BaseURL = "https://earshot.example" })
	s.Owner(t)
	setup := map[string]string{"token": models.NewToken(), "email": "a@example.com", "password": apitest.Password, "organization": "A"}
	signUp := func(i int) map[string]string {
		return map[string]string{"email": fmt.Sprintf("a%d@example.com", i), "password": apitest.Password, "organization": "A"}
	}
	for i, from := range []struct {
		name    string
		headers []string
		own     bool
	}{
		{"a program", nil, true},
		{"the base URL's page", []string{"Origin", "https://earshot.example"}, true},
		{"a page that has a name of its own lead here", []string{"Origin", "http://evil.example", "Host", "evil.example"}, false},
		{"a browser that says so", []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin"}, true},
		{"another site", []string{"Origin", "https://evil.example"}, false},
		{"another scheme of the base URL", []string{"Origin", "http://earshot.example"}, false},
		{"another port", []string{"Origin", "https://earshot.example:8443"}, false},
		{"a sandbox", []string{"Origin", "null"}, false},
		{"a browser on another site", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a browser on a sibling", []string{"Sec-Fetch-Site", "same-site"}, false},
	} {
		for path, row := range map[string]struct {
			body any
			own  int
		}{
			"/api/v1/auth/login":  {login(apitest.OwnerEmail, apitest.Password), 200},
			"/api/v1/auth/signup": {signUp(i), 201},
			"/api/v1/setup":       {setup, 403},
		} {
			r := s.Client(t).Do(post, path, row.body, from.headers...)
			if !from.own {
				row.own = 403
			}
			if r.Status != row.own || (r.Status == 403) != (r.Cookie("earshot_refresh") == nil) {
				t.Errorf("%s from %s: status %d, cookie %v, want %d", path, from.name, r.Status, r.Cookie("earshot_refresh"), row.own)
			}
			if detail := "this call is for the dashboard's own pages"; (r.Status == 403 && strings.HasPrefix(r.Problem().Detail, detail)) == from.own {
				t.Errorf("%s from %s: %s", path, from.name, r.Body)
			}
		}
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	var clock clock
	s := apitest.Start(t, clock.option)
	owner := s.Owner(t)
	const path = "/api/v1/auth/refresh"
	refresh := func(token string, status int) *apitest.Response {
		t.Helper()
		return s.Client(t).Do(post, path, "{}", "Cookie", cookie(token)).Want(status)
	}
	first := owner.Refresh
	r := refresh(first, 200)
	second := r.Cookie("earshot_refresh").Value
	var token api.AccessToken
	r.JSON(&token)
	owner.Token = token.AccessToken
	owner.Get("/api/v1/me", 200)

	run(t, s.Client(t), []call{
		{name: "no cookie", method: post, path: path, body: "{}", status: 401, code: "unauthorized"},
		{name: "unknown", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(models.NewToken())}, status: 401, code: "unauthorized"},
		{name: "malformed", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie("x")}, status: 401, code: "unauthorized"},
		{name: "form", method: post, path: path, body: "a=b", headers: []string{"Cookie", cookie(second), "Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "unsupported_media"},
		{name: "text", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(second), "Content-Type", "text/plain"}, status: 415, code: "unsupported_media"},
		{name: "foreign page", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(second), "Sec-Fetch-Site", "cross-site"}, status: 403, code: "forbidden"},
		{name: "sibling page", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(second), "Sec-Fetch-Site", "same-site"}, status: 403, code: "forbidden"},
		{name: "foreign origin", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(second), "Origin", "https://evil.example"}, status: 403, code: "forbidden"},
		{name: "null origin", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(second), "Origin", "null"}, status: 403, code: "forbidden"},
		{name: "unknown field", method: post, path: path, body: `{"a":1}`, headers: []string{"Cookie", cookie(second)}, status: 422, code: "invalid_field"},
		{name: "not a member there", method: post, path: path, body: `{"organization_id":"` + string(models.NewID()) + `"}`, headers: []string{"Cookie", cookie(second)}, status: 404, code: "not_found"},
		{name: "own origin", method: post, path: path, body: "{}", headers: []string{"Cookie", cookie(second), "Origin", s.URL}, status: 200},
	})

	// The one that was just exchanged is honoured for 10 s.
	clock.move(9 * time.Second)
	grace := refresh(first, 200).Cookie("earshot_refresh").Value
	clock.move(2 * time.Second)
	owner.Get("/api/v1/me", 200)
	refresh(first, 401)
	// Somebody has a copy: the whole family has ended, access tokens too.
	for _, token := range []string{second, grace} {
		refresh(token, 401)
	}
	if r := owner.Get("/api/v1/me", 401); r.Problem().Code != models.CodeUnauthorized || r.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("answer = %v %s", r.Header, r.Body)
	}
}

func TestRefreshMovesToAnotherOrganisation(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner := s.Owner(t)
	old := owner.Token
	var me api.Me
	owner.Get("/api/v1/me", 200).JSON(&me)
	r := owner.Do(post, "/api/v1/auth/refresh", map[string]any{"organization_id": me.Organization.ID}, "Cookie", cookie(owner.Refresh)).Want(200)
	if r.Cookie("earshot_refresh") == nil {
		t.Error("no new refresh token")
	}
	owner.Token = old
	owner.Get("/api/v1/me", 200)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	const path = "/api/v1/auth/logout"
	for name, use := range map[string]func(c *apitest.Client) *apitest.Response{
		"cookie": func(c *apitest.Client) *apitest.Response {
			return s.Client(t).Do(post, path, "{}", "Cookie", cookie(c.Refresh))
		},
		"token": func(c *apitest.Client) *apitest.Response { return c.Do(post, path, "{}") },
		"both":  func(c *apitest.Client) *apitest.Response { return c.Do(post, path, nil, "Cookie", cookie(c.Refresh)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := s.Owner(t)
			r := use(c).Want(204)
			if gone := r.Cookie("earshot_refresh"); gone == nil || gone.MaxAge >= 0 || gone.Value != "" {
				t.Errorf("cookie = %+v, want it deleted", gone)
			}
			c.Get("/api/v1/me", 401)
			s.Client(t).Do(post, "/api/v1/auth/refresh", "{}", "Cookie", cookie(c.Refresh)).Want(401)
		})
	}
	s.Client(t).Post(path, "{}", 401)
	other := s.Owner(t)
	// Whoever signs out by the cookie alone is known by it.
	var log api.AuditList
	other.Get("/api/v1/audit", 200).JSON(&log)
	ended := 0
	for _, entry := range log.Items {
		if entry.Action == models.AuditSignedOut {
			if ended++; entry.Actor.Kind != models.ActorUser || entry.Actor.ID == nil {
				t.Errorf("who signed out is %+v", entry.Actor)
			}
		}
	}
	if ended != 3 {
		t.Errorf("%d sign-outs are in the log, want 3", ended)
	}
	other.Do(post, path, "{}", "Cookie", cookie(other.Refresh), "Sec-Fetch-Site", "cross-site").Want(403)
	other.Get("/api/v1/me", 200)
}

func TestAccessTokens(t *testing.T) {
	t.Parallel()
	var clock clock
	s := apitest.Start(t, clock.option)
	owner := s.Owner(t)
	parts := strings.Split(owner.Token, ".")
	enc := base64.RawURLEncoding
	none := enc.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	guess := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	guess.Write([]byte(parts[0] + "." + parts[1]))
	claims, err := enc.DecodeString(parts[1])
	if err != nil || !strings.Contains(string(claims), `"aud":"earshot-admin"`) {
		t.Errorf("the claims are %s (%v), want one audience", claims, err)
	}
	for name, header := range map[string]string{
		"none":          "",
		"basic":         "Basic " + owner.Token,
		"no scheme":     owner.Token,
		"empty":         "Bearer ",
		"garbage":       "Bearer x.y.z",
		"alg none":      "Bearer " + none,
		"raw secret":    "Bearer " + parts[0] + "." + parts[1] + "." + enc.EncodeToString(guess.Sum(nil)),
		"cut":           "Bearer " + owner.Token[:len(owner.Token)-4],
		"refresh token": "Bearer " + owner.Refresh,
	} {
		t.Run(name, func(t *testing.T) {
			if code := s.Client(t).Do(get, "/api/v1/me", nil, "Authorization", header).Want(401).Problem().Code; code != models.CodeUnauthorized {
				t.Errorf("code = %q", code)
			}
		})
	}
	s.Client(t).Do(get, "/api/v1/me", nil, "Authorization", "bearer "+owner.Token).Want(200)
	clock.move(15*time.Minute + time.Second)
	owner.Get("/api/v1/me", 401)
}
