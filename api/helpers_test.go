package api_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// call is one row of a scenario table.
type call struct {
	name    string
	method  string
	path    string
	body    any
	headers []string
	status  int
	code    models.Code
	// field is the path that errors must name.
	field string
}

func run(t *testing.T, client *apitest.Client, rows []call) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := client.Do(row.method, row.path, row.body, row.headers...)
			if r.Status != row.status {
				t.Fatalf("%s %s: status = %d, want %d\n%s", row.method, row.path, r.Status, row.status, r.Body)
			}
			if row.code == "" {
				return
			}
			if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type = %q, want application/problem+json", got)
			}
			p := r.Problem()
			if p.Code != row.code || p.Status != row.status || p.Type == "" || p.Title == "" || p.Detail == "" {
				t.Errorf("problem = %+v, want code %q and status %d, and all members", p, row.code, row.status)
			}
			if row.field != "" && (len(p.Errors) == 0 || p.Errors[0].Path != row.field || p.Errors[0].Message == "") {
				t.Errorf("errors = %+v, want the first to name %q", p.Errors, row.field)
			}
			if strings.Contains(string(r.Body), "hunter2") {
				t.Errorf("the refusal repeats a value that was sent: %s", r.Body)
			}
		})
	}
}

// member makes a member of the owner's organisation and signs in.
func member(t *testing.T, s *apitest.Server, owner *apitest.Client, role models.Role) *apitest.Client {
	t.Helper()
	var me api.Me
	owner.Get("/api/v1/me", 200).JSON(&me)
	hash := storedHash(t, s)
	email := string(role) + "@example.com"
	user := models.User{Email: email, Name: string(role), PasswordHash: hash}
	if _, err := s.Store().CreateMember(t.Context(), models.ScopeOf(me.Organization.ID), user, role); err != nil {
		t.Fatal(err)
	}
	return s.Login(t, email, apitest.Password)
}

// storedHash is the owner's, whose password everybody here has.
func storedHash(t *testing.T, s *apitest.Server) string {
	t.Helper()
	user, err := s.Store().UserByEmail(t.Context(), apitest.OwnerEmail)
	if err != nil {
		t.Fatal(err)
	}
	return user.PasswordHash
}

// stranger owns another organisation.
func stranger(t *testing.T, s *apitest.Server) *apitest.Client {
	t.Helper()
	user := models.User{Email: "stranger@example.com", PasswordHash: storedHash(t, s)}
	if _, _, err := s.Store().CreateOwner(t.Context(), user, models.Organization{Name: "Elsewhere"}); err != nil {
		t.Fatal(err)
	}
	return s.Login(t, user.Email, apitest.Password)
}

func submission(message string) map[string]any {
	return map[string]any{"page_url": "https://shop.example/cart", "message": message}
}

func wantHeader(t *testing.T, r *apitest.Response, name, want string) {
	t.Helper()
	if got := r.Header.Get(name); got != want {
		t.Errorf("%s = %q, want %q", name, got, want)
	}
}

func wantVary(t *testing.T, r *apitest.Response, want string) {
	t.Helper()
	for _, value := range r.Header.Values("Vary") {
		for name := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(name), want) {
				return
			}
		}
	}
	t.Errorf("Vary = %q, want it to name %s", r.Header.Values("Vary"), want)
}

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	del   = http.MethodDelete
)

// loopback is this machine as a proxy that is believed.
func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
