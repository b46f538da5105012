package api_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/mail/mailtest"
)

// linkToken is the token of a letter's link to a page.
func linkToken(t *testing.T, letter mailtest.Letter, page string) string {
	t.Helper()
	found := regexp.MustCompile(`/` + page + `#token=([\w-]{43})`).FindStringSubmatch(letter.Text)
	if found == nil || !strings.Contains(letter.HTML, found[0]) {
		t.Fatalf("no link to %s in both forms of the letter:\n%s", page, letter.Text)
	}
	return found[1]
}

func TestPasswordReset(t *testing.T) {
	t.Parallel()
	office, ahead := mailtest.Open(t), &clock{}
	s := apitest.Start(t, mails(t, office, ahead))
	owner := s.Owner(t)
	socket := dashboardSocket(t, s, owner)
	c := s.Client(t)
	forgot := func(email string) *apitest.Response {
		return c.Post("/api/v1/auth/password/forgot", map[string]any{"email": email}, 202)
	}
	known, unknown := forgot(apitest.OwnerEmail), forgot("nobody@example.com")
	if string(known.Body) != string(unknown.Body) {
		t.Errorf("answers differ: %s and %s", known.Body, unknown.Body)
	}
	letter := office.Await(1)[0]
	if letter.To != apitest.OwnerEmail || strings.Contains(letter.Text, "nsubscribe") {
		t.Errorf("letter = %+v, want it to the owner, without a way to unsubscribe", letter)
	}
	token := linkToken(t, letter, "reset")
	forgot(apitest.OwnerEmail)
	later := linkToken(t, office.Await(2)[1], "reset")
	const fresh = "a better password"
	run(t, c, []call{
		{name: "short", method: post, path: "/api/v1/auth/password/reset", body: map[string]any{"token": token, "password": "hunter2"}, status: 422, code: "invalid_field", field: "password"},
		{name: "no token", method: post, path: "/api/v1/auth/password/reset", body: map[string]any{"token": models.NewToken(), "password": fresh}, status: 401, code: "unauthorized"},
		{name: "good", method: post, path: "/api/v1/auth/password/reset", body: map[string]any{"token": token, "password": fresh}, status: 204},
		{name: "used", method: post, path: "/api/v1/auth/password/reset", body: map[string]any{"token": token, "password": fresh}, status: 401, code: "unauthorized"},
		{name: "the other link", method: post, path: "/api/v1/auth/password/reset", body: map[string]any{"token": later, "password": fresh}, status: 401, code: "unauthorized"},
		{name: "the old password", method: post, path: "/api/v1/auth/login", body: login(apitest.OwnerEmail, apitest.Password), status: 401, code: "unauthorized"},
		{name: "the new password", method: post, path: "/api/v1/auth/login", body: login(apitest.OwnerEmail, fresh), status: 200},
	})
	closedWith(t, socket, 4502)
	owner.Get("/api/v1/me", 401)

	forgot(apitest.OwnerEmail)
	token = linkToken(t, office.Await(3)[2], "reset")
	ahead.move(time.Hour + time.Second)
	run(t, c, []call{{name: "after an hour", method: post, path: "/api/v1/auth/password/reset", body: map[string]any{"token": token, "password": fresh}, status: 401, code: "unauthorized"}})
}

// Nobody's box is filled, and without a mail server the answer says so.
func TestPasswordResetIsBounded(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	c := s.Client(t)
	var answered api.Answered
	if c.Post("/api/v1/auth/password/forgot", map[string]any{"email": "a@example.com"}, 202).JSON(&answered); answered.Mail {
		t.Error("there is no mail server")
	}
	for range 19 {
		c.Post("/api/v1/auth/password/forgot", map[string]any{"email": "a@example.com"}, 202)
	}
	run(t, c, []call{{name: "too many", method: post, path: "/api/v1/auth/password/forgot", body: map[string]any{"email": "a@example.com"}, status: 429, code: "rate_limited"}})
}

func TestEmailIsVerified(t *testing.T) {
	t.Parallel()
	office, ahead := mailtest.Open(t), &clock{}
	s := apitest.Start(t, apitest.SignupOpen, mails(t, office, ahead))
	var access api.AccessToken
	c := s.Client(t)
	c.Post("/api/v1/auth/signup", map[string]any{"email": "new@example.com", "password": apitest.Password, "organization": "New"}, 201).JSON(&access)
	c.Token = access.AccessToken
	verified := func() bool {
		var me api.Me
		c.Get("/api/v1/me", 200).JSON(&me)
		return me.User.EmailVerified
	}
	if verified() {
		t.Error("the address is proved by nothing")
	}
	first := linkToken(t, office.Await(1)[0], "verify")
	c.Post("/api/v1/me/email/verification", nil, 202)
	office.Await(2)
	run(t, s.Client(t), []call{
		{name: "no token", method: post, path: "/api/v1/auth/email/verify", body: map[string]any{"token": models.NewToken()}, status: 401, code: "unauthorized"},
		{name: "good", method: post, path: "/api/v1/auth/email/verify", body: map[string]any{"token": first}, status: 204},
		{name: "used", method: post, path: "/api/v1/auth/email/verify", body: map[string]any{"token": first}, status: 401, code: "unauthorized"},
	})
	if !verified() {
		t.Error("the address is not proved")
	}
	var again api.Answered
	if c.Post("/api/v1/me/email/verification", nil, 202).JSON(&again); again.Mail {
		t.Error("a letter goes to an address that is proved")
	}
}

func TestInvitationIsMailed(t *testing.T) {
	t.Parallel()
	office, ahead := mailtest.Open(t), &clock{}
	s := apitest.Start(t, mails(t, office, ahead))
	made, token := invite(t, s.Owner(t), map[string]any{"email": "ann@example.com", "role": "agent"})
	letter := office.Await(1)[0]
	if !made.Mailed || letter.To != "ann@example.com" || linkToken(t, letter, "join") != token || !strings.Contains(letter.Subject(), "Shop") {
		t.Errorf("invitation = %+v, letter = %+v", made, letter)
	}
}

// A letter waits for a mail server that is away, sealed.
func TestLetterWaitsForTheMailServer(t *testing.T) {
	t.Parallel()
	office, ahead := mailtest.Open(t), &clock{}
	s := apitest.Start(t, mails(t, office, ahead))
	owner := s.Owner(t)
	address := office.Address
	office.Close()
	_, token := invite(t, owner, map[string]any{"email": "ann@example.com", "role": "agent"})
	if n := s.CountInDatabase(t.Context(), token); n != 0 {
		t.Errorf("the link's token is in %d places of the database", n)
	}
	office.Listen(address)
	await := time.Now().Add(10 * time.Second)
	for len(office.Got()) == 0 && time.Now().Before(await) {
		ahead.move(15 * time.Second)
		time.Sleep(20 * time.Millisecond)
	}
	if got := linkToken(t, office.Await(1)[0], "join"); got != token {
		t.Errorf("the letter's token is %s, want %s", got, token)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, elsewhere := s.Owner(t), s.Owner(t)
	other := stranger(t, s)
	const fresh = "a better password"
	change := func(current, password string) map[string]any {
		return map[string]any{"current": current, "password": password}
	}
	run(t, owner, []call{
		{name: "wrong", method: post, path: "/api/v1/me/password", body: change("not the password", fresh), status: 422, code: "invalid_field", field: "current"},
		{name: "short", method: post, path: "/api/v1/me/password", body: change(apitest.Password, "hunter2"), status: 422, code: "invalid_field", field: "password"},
		{name: "good", method: post, path: "/api/v1/me/password", body: change(apitest.Password, fresh), status: 204},
	})
	owner.Get("/api/v1/me", 200) // who changed it stays
	elsewhere.Get("/api/v1/me", 401)
	var open api.OpenSessions
	if owner.Get("/api/v1/me/sessions", 200).JSON(&open); len(open.Items) != 1 || !open.Items[0].Current || open.Items[0].Address != "127.0.0.0/24" {
		t.Errorf("sessions = %+v", open.Items)
	}
	run(t, other, []call{{name: "somebody else's session", method: del, path: "/api/v1/me/sessions/" + string(open.Items[0].ID), status: 404, code: "not_found"}})
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	ahead := &clock{}
	s := apitest.Start(t, ahead.option)
	owner := s.Owner(t)
	prove := map[string]any{"current": apitest.Password}
	run(t, owner, []call{
		{name: "wrong password", method: post, path: "/api/v1/me/totp", body: map[string]any{"current": "not the password"}, status: 422, code: "invalid_field", field: "current"},
		{name: "confirm nothing", method: post, path: "/api/v1/me/totp/confirm", body: map[string]any{"code": "123456"}, status: 409, code: "conflict"},
		{name: "remove nothing", method: post, path: "/api/v1/me/totp/remove", body: prove, status: 409, code: "conflict"},
	})
	var factor api.NewFactor
	owner.Post("/api/v1/me/totp", prove, 201).JSON(&factor)
	if !strings.HasPrefix(factor.URI, "otpauth://totp/Earshot:owner@example.com?") || !strings.HasPrefix(string(factor.QR), "\x89PNG") {
		t.Errorf("factor = %+v", factor)
	}
	code := func() string {
		now, err := totp.GenerateCode(factor.Secret, ahead.now())
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	enter := func(totp string) *apitest.Response {
		return s.Client(t).Do(post, "/api/v1/auth/login", map[string]any{"email": apitest.OwnerEmail, "password": apitest.Password, "totp": totp})
	}
	enter("").Want(200) // not confirmed yet
	owner.Do(post, "/api/v1/me/totp/confirm", map[string]any{"code": wrongCode(code())}).Want(422)
	var recovery api.RecoveryCodes
	owner.Post("/api/v1/me/totp/confirm", map[string]any{"code": code()}, 200).JSON(&recovery)
	slices.Sort(recovery.Codes)
	if len(slices.Compact(slices.Clone(recovery.Codes))) != 10 {
		t.Errorf("recovery codes = %v", recovery.Codes)
	}
	if n := s.CountInDatabase(t.Context(), factor.Secret); n != 0 {
		t.Errorf("the secret is in %d places of the database", n)
	}
	if p := enter("").Want(401).Problem(); len(p.Errors) != 1 || p.Errors[0].Path != "totp" {
		t.Errorf("refusal = %+v, want it to name totp", p)
	}
	enter(code()).Want(401) // was used to confirm
	ahead.move(31 * time.Second)
	used := code()
	enter(used[:3] + " " + used[3:]).Want(200)
	enter(used).Want(401)
	enter(strings.ToLower(recovery.Codes[0])).Want(200)
	enter(recovery.Codes[0]).Want(401)
	owner.Post("/api/v1/me/totp/recovery-codes", prove, 200)
	enter(recovery.Codes[1]).Want(401)
	run(t, owner, []call{{name: "a second one", method: post, path: "/api/v1/me/totp", body: prove, status: 409, code: "conflict"}})
	ahead.move(time.Hour)
	owner.Token = ownerToken(t, enter(code()).Want(200))
	owner.Do(post, "/api/v1/me/totp/remove", prove).Want(204)
	enter("").Want(200)
}

// Who knows the password and guesses codes waits longer and longer, from wherever.
func TestSecondFactorIsNotGuessed(t *testing.T) {
	t.Parallel()
	clock := standing()
	s := apitest.Start(t, clock.option, func(c *api.Config) { c.TrustedProxies = loopback() })
	owner := s.Owner(t)
	var factor api.NewFactor
	owner.Post("/api/v1/me/totp", map[string]any{"current": apitest.Password}, 201).JSON(&factor)
	code, err := totp.GenerateCode(factor.Secret, clock.now())
	if err != nil {
		t.Fatal(err)
	}
	owner.Post("/api/v1/me/totp/confirm", map[string]any{"code": code}, 200)
	var refused int
	for i := range 8 {
		from := "203.0.113." + string(rune('1'+i))
		r := s.Client(t).Do(post, "/api/v1/auth/login", map[string]any{"email": apitest.OwnerEmail, "password": apitest.Password, "totp": "000000"}, "X-Forwarded-For", from)
		if r.Status == 429 {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d of 8 guesses were refused unseen, want 3", refused)
	}
}

func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func ownerToken(t *testing.T, r *apitest.Response) string {
	t.Helper()
	var access api.AccessToken
	r.JSON(&access)
	return access.AccessToken
}
