package api_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/store"
)

// After some wrong passwords each further one costs a longer wait, of who guesses
// alone.
func TestLoginLimit(t *testing.T) {
	t.Parallel()
	ahead := standing()
	s := apitest.Start(t, ahead.option, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	s.Owner(t)
	c := s.Client(t)
	for range 12 {
		c.Post("/api/v1/auth/login", login(apitest.OwnerEmail, apitest.Password), 200)
	}
	attempt := func(from string) *apitest.Response {
		return c.Do(post, "/api/v1/auth/login", login(apitest.OwnerEmail, "not the password"), "X-Forwarded-For", from)
	}
	for range store.FreeAttempts {
		attempt("203.0.113.1").Want(401)
	}
	r := attempt("203.0.113.1").Want(429)
	if r.Header.Get("Retry-After") == "" || r.Problem().Code != models.CodeRateLimited {
		t.Errorf("answer = %v %s, want Retry-After and rate_limited", r.Header, r.Body)
	}
	attempt("198.51.100.9, 203.0.113.1").Want(429) // what a client made up stands left
	attempt("203.0.113.2").Want(401)
	c.Do(post, "/api/v1/auth/login", login("other@example.com", "not the password"), "X-Forwarded-For", "203.0.113.1").Want(401)
	for wait := time.Second; wait < 15*time.Minute; wait *= 2 {
		// Not even the right password is looked at before the time.
		ahead.move(wait / 2)
		c.Do(post, "/api/v1/auth/login", login(apitest.OwnerEmail, apitest.Password), "X-Forwarded-For", "203.0.113.1").Want(429)
		ahead.move(wait - wait/2)
		attempt("203.0.113.1").Want(401)
	}
	ahead.move(15 * time.Minute)
	c.Do(post, "/api/v1/auth/login", login(apitest.OwnerEmail, apitest.Password), "X-Forwarded-For", "203.0.113.1").Want(200)
	for range store.FreeAttempts { // afresh
		attempt("203.0.113.1").Want(401)
	}
}

// Many guesses at once are no more than as many in a row.
func TestLoginsAtOnce(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, standing().option)
	s.Owner(t)
	var wrong, refused atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			switch r := s.Client(t).Do(post, "/api/v1/auth/login", login(apitest.OwnerEmail, "not the password")); r.Status {
			case 401:
				wrong.Add(1)
			case 429:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if wrong.Load() > store.FreeAttempts+1 || wrong.Load()+refused.Load() != 40 {
		t.Errorf("%d guesses were looked at and %d refused, want at most %d", wrong.Load(), refused.Load(), store.FreeAttempts+1)
	}
}

// Guessing at many accounts is counted, too: none of them sees more than one guess.
func TestLoginLimitOfAnAddress(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, standing().option, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	s.Owner(t)
	c := s.Client(t)
	if err := s.FailLogins(t.Context(), netip.MustParseAddr("203.0.113.1"), api.LoginsPerAddress-1); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		from, account, password string
		want                    int
	}{
		{"203.0.113.1", apitest.OwnerEmail, apitest.Password, 200}, // not a guess
		{"203.0.113.1", "one@example.com", "not the password", 401},
		{"203.0.113.1", "two@example.com", "not the password", 429},
		{"203.0.113.2", "two@example.com", "not the password", 401},
	} {
		c.Do(post, "/api/v1/auth/login", login(tc.account, tc.password), "X-Forwarded-For", tc.from).Want(tc.want)
	}
}

func TestForwardedForIsNotBelievedByDefault(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, standing().option)
	s.Owner(t)
	for i := range store.FreeAttempts + 1 {
		want := 401
		if i == store.FreeAttempts {
			want = 429
		}
		s.Client(t).Do(post, "/api/v1/auth/login", login(apitest.OwnerEmail, "not the password"), "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i)).Want(want)
	}
}
