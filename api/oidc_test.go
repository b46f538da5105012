package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// signInProvider is a small provider of OpenID Connect. Who signs in there is what a
// test says.
type signInProvider struct {
	*httptest.Server
	t   *testing.T
	key *rsa.PrivateKey
	// claims are what the next id_token says beside what every one does; spoil changes
	// a token that would be right.
	claims jwt.MapClaims
	spoil  func(jwt.MapClaims)
	codes  map[string]url.Values // the request that each code was made for
}

func newSignInProvider(t *testing.T) *signInProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &signInProvider{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	answer := func(value func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(value())
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", answer(func() any {
		return map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		}
	}))
	mux.HandleFunc("/keys", answer(func() any {
		encode := base64.RawURLEncoding.EncodeToString
		return map[string]any{"keys": []map[string]any{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}}
	}))
	mux.HandleFunc("/token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *signInProvider) token(w http.ResponseWriter, r *http.Request) {
	request, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if !known || id != "earshot" || secret != "hush" || r.FormValue("redirect_uri") != request.Get("redirect_uri") ||
		request.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := jwt.MapClaims{"iss": p.URL, "aud": "earshot", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": request.Get("nonce")}
	for name, value := range p.claims {
		claims[name] = value
	}
	if p.spoil != nil {
		p.spoil(claims)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "1"
	signed, err := token.SignedString(p.key)
	if err != nil {
		p.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": signed})
}

func (p *signInProvider) option(c *api.Config) {
	c.OIDC = &api.OIDCConfig{Issuer: p.URL, ClientID: "earshot", ClientSecret: "hush", Name: "Example"}
}

// begin starts to sign in, and gives what comes back with the provider's redirect.
func (p *signInProvider) begin(s *apitest.Server) (query, cookies string) {
	p.t.Helper()
	r := s.Client(p.t).Get("/api/v1/auth/oidc", 303)
	target, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		p.t.Fatal(err)
	}
	asked := target.Query()
	if asked.Get("scope") != "openid email profile" || asked.Get("code_challenge_method") != "S256" || asked.Get("redirect_uri") != s.URL+"/api/v1/auth/oidc/callback" {
		p.t.Errorf("the provider is asked %v", asked)
	}
	p.codes["code"] = asked
	return url.Values{"code": {"code"}, "state": {asked.Get("state")}}.Encode(), "earshot_oidc=" + r.Cookie("earshot_oidc").Value
}

// signIn signs in as the claims say, and gives where that leads.
func (p *signInProvider) signIn(s *apitest.Server, claims jwt.MapClaims) *apitest.Response {
	p.t.Helper()
	p.claims = claims
	query, cookies := p.begin(s)
	return s.Client(p.t).Do(get, "/api/v1/auth/oidc/callback?"+query, nil, "Cookie", cookies).Want(303)
}

// entered is a client of who was signed in; nil where nobody was.
func (p *signInProvider) entered(s *apitest.Server, r *apitest.Response) *apitest.Client {
	p.t.Helper()
	refresh := r.Cookie("earshot_refresh")
	if refresh == nil {
		return nil
	}
	if r.Header.Get("Location") != "/" {
		p.t.Errorf("signing in leads to %s", r.Header.Get("Location"))
	}
	c := s.Client(p.t)
	c.Token = ownerToken(p.t, c.Do(post, "/api/v1/auth/refresh", "{}", "Cookie", cookie(refresh.Value)).Want(200))
	return c
}

func user(subject, email string, verified bool) jwt.MapClaims {
	return jwt.MapClaims{"sub": subject, "email": email, "email_verified": verified, "name": "Ann"}
}

func TestSignInByOIDC(t *testing.T) {
	t.Parallel()
	p := newSignInProvider(t)
	s := apitest.Start(t, p.option)
	owner := s.Owner(t)
	var methods api.SignInMethods
	if owner.Get("/api/v1/auth/methods", 200).JSON(&methods); methods.OIDC == nil || *methods.OIDC != "Example" {
		t.Errorf("methods = %+v", methods)
	}
	wantAt := func(r *apitest.Response, why string) {
		t.Helper()
		if at := r.Header.Get("Location"); at != "/login#oidc="+why || r.Cookie("earshot_refresh") != nil {
			t.Errorf("it leads to %s, want /login#oidc=%s and no session", at, why)
		}
	}
	wantAt(p.signIn(s, user("1", "stranger@example.com", true)), "unknown") // sign-up is closed
	wantAt(p.signIn(s, user("1", apitest.OwnerEmail, false)), "unverified")
	c := p.entered(s, p.signIn(s, user("1", " Owner@Example.com", true)))
	var me, same api.Me
	owner.Get("/api/v1/me", 200).JSON(&me) // linking ended nothing: both sides had proved the address
	if c.Get("/api/v1/me", 200).JSON(&same); same.User.ID != me.User.ID || !same.User.HasPassword {
		t.Errorf("signed in as %+v, want the owner", same.User)
	}
	// From now on it is the account there that counts, whatever its address is.
	c = p.entered(s, p.signIn(s, user("1", "other@example.com", false)))
	if c.Get("/api/v1/me", 200).JSON(&same); same.User.ID != me.User.ID || same.User.Email != apitest.OwnerEmail {
		t.Errorf("signed in as %+v, want the owner at the owner's own address", same.User)
	}
}

// Whoever made an account with somebody's address before them does not keep it.
func TestOIDCEndsWhatWasNotProved(t *testing.T) {
	t.Parallel()
	p := newSignInProvider(t)
	s := apitest.Start(t, p.option, apitest.SignupOpen)
	squatter := s.Client(t)
	squatter.Token = ownerToken(t, squatter.Post("/api/v1/auth/signup", map[string]any{"email": "victim@example.com", "password": apitest.Password, "organization": "Trap"}, 201))
	socket := dashboardSocket(t, s, squatter)
	c := p.entered(s, p.signIn(s, user("7", "victim@example.com", true)))
	closedWith(t, socket, 4502)
	squatter.Get("/api/v1/me", 401)
	s.Client(t).Do(post, "/api/v1/auth/login", login("victim@example.com", apitest.Password)).Want(401)
	var me api.Me
	if c.Get("/api/v1/me", 200).JSON(&me); me.User.HasPassword || !me.User.EmailVerified {
		t.Errorf("me = %+v, want no password, and the address proved", me.User)
	}
}

func TestOIDCSignUp(t *testing.T) {
	t.Parallel()
	p := newSignInProvider(t)
	s := apitest.Start(t, p.option, apitest.SignupOpen)
	c := p.entered(s, p.signIn(s, user("9", "new@example.com", true)))
	var me api.Me
	if c.Get("/api/v1/me", 200).JSON(&me); me.Role != models.RoleOwner || me.Organization.Name != "example.com" || me.User.Name != "Ann" {
		t.Errorf("me = %+v", me)
	}
	if r := p.signIn(s, user("10", "unproved@example.com", false)); r.Cookie("earshot_refresh") != nil {
		t.Error("an account was made at an address that nobody has proved")
	}
}

func TestOIDCRefusals(t *testing.T) {
	t.Parallel()
	p := newSignInProvider(t)
	ahead := &clock{}
	s := apitest.Start(t, p.option, ahead.option)
	s.Owner(t)
	for name, spoil := range map[string]func(jwt.MapClaims){
		"of another provider": func(c jwt.MapClaims) { c["iss"] = "https://evil.example" },
		"for somebody else":   func(c jwt.MapClaims) { c["aud"] = "other" },
		"expired":             func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"another nonce":       func(c jwt.MapClaims) { c["nonce"] = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			p.spoil = spoil
			defer func() { p.spoil = nil }()
			if r := p.signIn(s, user("1", apitest.OwnerEmail, true)); r.Header.Get("Location") != "/login#oidc=failed" || r.Cookie("earshot_refresh") != nil {
				t.Errorf("it leads to %s", r.Header.Get("Location"))
			}
		})
	}
	back := func(query, cookies string) *apitest.Response {
		return s.Client(t).Do(get, "/api/v1/auth/oidc/callback?"+query, nil, "Cookie", cookies).Want(303)
	}
	p.claims = user("1", apitest.OwnerEmail, true)
	for name, tc := range map[string]struct {
		change func(query, cookies string) (string, string)
		why    string
	}{
		"in another browser":   {func(q, _ string) (string, string) { return q, "earshot_oidc=x" }, "expired"},
		"without a cookie":     {func(q, _ string) (string, string) { return q, "" }, "expired"},
		"with another state":   {func(_, c string) (string, string) { return "code=code&state=x", c }, "expired"},
		"with another code":    {func(q, c string) (string, string) { return "code=other&" + q[len("code=code&"):], c }, "failed"},
		"denied by the person": {func(q, c string) (string, string) { return "error=access_denied&" + q[len("code=code&"):], c }, "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := back(tc.change(p.begin(s))); r.Header.Get("Location") != "/login#oidc="+tc.why || r.Cookie("earshot_refresh") != nil {
				t.Errorf("it leads to %s, want %s", r.Header.Get("Location"), tc.why)
			}
		})
	}
	query, cookies := p.begin(s)
	ahead.move(11 * time.Minute)
	if r := back(query, cookies); r.Header.Get("Location") != "/login#oidc=expired" {
		t.Errorf("after eleven minutes it leads to %s", r.Header.Get("Location"))
	}
	p.Close()
	without := apitest.Start(t, p.option)
	if r := without.Client(t).Get("/api/v1/auth/oidc", 303); r.Header.Get("Location") != "/login#oidc=unavailable" {
		t.Errorf("without the provider it leads to %s", r.Header.Get("Location"))
	}
	apitest.Start(t).Client(t).Get("/api/v1/auth/oidc", 404)
}
