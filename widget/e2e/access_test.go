package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// Somebody is invited, joins in a browser of their own, and is given another role while
// they look: their window goes on with it.
func TestSomebodyJoinsTheTeam(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	owner := newWindow(t)
	owner.open(s.base + "/team")
	owner.signIn(s.owner, s.password)
	owner.see("[data-testid=member]")
	owner.fill("[data-testid=invite] input[name=email]", "ann@example.com")
	owner.click("[data-testid=invite-send]")
	owner.see("[data-testid=invite-link]")
	link := read[string](owner, "document.querySelector('[data-testid=invite-link]').textContent")
	owner.examine(axe, "team")

	ann := newWindow(t)
	ann.open(link)
	ann.see("form")
	if at := read[string](ann, "location.href"); strings.Contains(at, "token") {
		t.Errorf("the link's secret is still in the address: %s", at)
	}
	ann.examine(axe, "join")
	ann.fill("input[name=name]", "Ann Agent")
	ann.fill("input[name=password]", "a sentence to remember")
	ann.click("button[type=submit]")
	ann.see("[data-testid=palette-open]")
	ann.open(s.inbox(p))
	ann.connected("connected")

	owner.reload()
	await(owner, "both are members", "document.querySelectorAll('[data-testid=member]').length", 2)
	owner.run("{const s=document.querySelector('[data-role=agent] [data-testid=role]');s.value='viewer';s.dispatchEvent(new Event('change',{bubbles:true}))}")
	owner.see("[data-role=viewer]")
	ann.connected("connected")
	s.submit(p, "After the change", nil)
	await(ann, "it comes live", "document.body.textContent.includes('After the change')", true)
}

// asked is how the server answers a program that has a key.
func (s *server) asked(key string) (status int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.base+"/api/v1/projects", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	answer, err := s.http.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// Who removes a member is asked what becomes of the API keys that the member made.
func TestSomebodyLeavesTheTeam(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	s.project(nil)
	bob := s.member("Bob Builder", "admin")
	var signedIn struct {
		AccessToken string `json:"access_token"`
	}
	var made struct{ Key string }
	owners := s.token
	s.call(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": bob.email, "password": bob.password}, &signedIn)
	s.token = signedIn.AccessToken
	s.call(http.MethodPost, "/api/v1/api-keys", map[string]any{"name": "Bob's script", "scopes": []string{"projects:read"}}, &made)
	s.token = owners
	owner := newWindow(t)
	owner.open(s.base + "/team")
	owner.signIn(s.owner, s.password)
	owner.click("[data-role=admin] [data-testid=member-remove]")
	owner.see("[data-testid=remove-keys]")
	await(owner, "the harmless answer has the focus", "document.activeElement.textContent", "Cancel")
	owner.examine(axe, "remove-member")
	owner.click("[data-testid=remove-member-confirm]")
	owner.miss("[data-role=admin]")
	if status := s.asked(made.Key); status != http.StatusUnauthorized {
		t.Errorf("the key of who is gone is answered %d", status)
	}
}

// An API key is made, shown once, used, and revoked; the record has all of it.
func TestProgramsAreLetIn(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	s.project(nil)
	owner := newWindow(t)
	owner.open(s.base + "/api-keys")
	owner.signIn(s.owner, s.password)
	owner.fill("input[name=name]", "Nightly export")
	owner.click("input[name='projects:read']")
	owner.click("[data-testid=key-create]")
	owner.see("[data-testid=key-secret]")
	key := read[string](owner, "document.querySelector('[data-testid=key-secret]').textContent")
	owner.examine(axe, "api-keys")
	if status := s.asked(key); status != http.StatusOK {
		t.Errorf("the key is answered %d", status)
	}
	owner.click("[data-testid=key-revoke]")
	owner.click("[data-testid=revoke-key-confirm]")
	owner.miss("[data-testid=key]")
	if status := s.asked(key); status != http.StatusUnauthorized {
		t.Errorf("the revoked key is answered %d", status)
	}
	owner.open(s.base + "/audit")
	owner.see("[data-action='api_key.revoked']")
	owner.see("[data-action='api_key.created']")
	owner.examine(axe, "audit")
}

// A second factor is set up, and asked for at the next sign-in.
func TestSecondFactorInTheBrowser(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	owner := newWindow(t)
	owner.open(s.base + "/account")
	owner.signIn(s.owner, s.password)
	owner.see("[data-testid=sessions]")
	owner.examine(axe, "account")
	var factor struct{ Secret string }
	s.call("POST", "/api/v1/me/totp", map[string]string{"current": s.password}, &factor)
	code := func(at time.Time) string {
		made, err := totp.GenerateCode(factor.Secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	now := time.Now()
	s.call("POST", "/api/v1/me/totp/confirm", map[string]string{"code": code(now)}, nil)
	other := newWindow(t)
	other.open(s.base + "/login")
	other.signIn(s.owner, s.password)
	other.see("input[autocomplete=one-time-code]")
	other.examine(axe, "second-factor")
	other.fill("input[autocomplete=one-time-code]", code(now.Add(30*time.Second)))
	other.click("button[type=submit]")
	other.see("[data-testid=palette-open]")
}
