package e2e

import (
	"strings"
	"testing"
)

func TestFirstRun(t *testing.T) {
	t.Parallel()
	s, host := freshServer(t), newSite(t)
	link := s.setupLink()
	owner := newWindow(t)
	owner.open(link)
	owner.fill("input[name=name]", "Olga Owner")
	owner.fill("input[name=organization]", "Kettle & Leaf")
	owner.fill("input[name=email]", ownerEmail)
	owner.fill("input[name=password]", ownerPassword)
	owner.click("[data-testid=setup] button[type=submit]")

	owner.see("[data-testid=projects-none]")
	owner.click("[data-testid=new-project]")
	owner.fill("[data-testid=create-project] input[name=name]", "Shop")
	owner.fill("[data-testid=create-project] textarea", host.url)
	owner.click("[data-testid=create-project] button[type=submit]")

	owner.text("[data-testid=first-feedback] h2", "Waiting for the first feedback…")
	owner.connected("connected")
	snippet := read[string](owner, "document.querySelector('[data-testid=snippet]').textContent")
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{body: "<h1>Shop</h1>" + snippet}))
	visitor.send("Hello, is this on?", sent)

	owner.text("[data-testid=first-feedback] h2", "It works. The first feedback is here.")
	owner.click("[data-testid=first-feedback] a")
	owner.rows("Hello, is this on?")

	owner.click("[data-testid=account-menu]")
	owner.click("[data-testid=sign-out]")
	owner.text("[data-testid=login-reason]", "You are signed out.")
	owner.signIn(ownerEmail, "not the password")
	owner.text("[data-testid=login-error]", "E-mail and password do not match.")
	owner.signIn(ownerEmail, ownerPassword)
	owner.click("[data-testid=project] a")
	owner.rows("Hello, is this on?")

	again := newWindow(t)
	again.open(link)
	again.see("[data-testid=setup]")
	again.text("[data-testid=setup] .banner", "This server is already set up.")
}

func TestSessionThatEndsElsewhere(t *testing.T) {
	t.Parallel()
	const leave = "await fetch('/api/v1/auth/logout',{method:'POST',headers:{'Content-Type':'application/json'},body:'{}'})"
	for _, c := range []struct {
		name string
		end  func(other *window)
	}{
		{"revoked", func(other *window) { other.run(leave) }},
		{"signed out in another tab", func(other *window) {
			other.click("[data-testid=account-menu]")
			other.click("[data-testid=sign-out]")
			other.see("[data-testid=login]")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			p := s.project(nil)
			id := s.submit(p, "Read me", nil)
			staff := s.inboxWindow(p)
			place := s.inbox(p) + "/" + id + "?status=new"
			staff.open(place)
			staff.see(detail)
			staff.connected("connected")
			other := staff.tab()
			other.open(s.base)
			other.see("[data-testid=project]")

			c.end(other)
			staff.see("[data-testid=login]")
			staff.text("[data-testid=login-reason]", "You were signed out. Sign in to return to where you were.")
			staff.signIn(ownerEmail, ownerPassword)
			staff.see(detail)
			await(staff, "the same place is shown", "location.href", place)
			staff.connected("connected")
		})
	}
}

func TestUnknownPlacesOfTheDashboard(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	stranger := newWindow(t)
	stranger.open(s.inbox(p))
	stranger.see("[data-testid=login]")
	if got := read[int](stranger, "e2e.count('[data-testid=login-reason]')"); got != 0 {
		t.Errorf("somebody who was never here reads why a session ended: got %d reasons, want 0", got)
	}
	staff := s.dashboard(s.base + "/projects/" + strings.Repeat("0", 8) + "-0000-7000-8000-000000000000/inbox")
	staff.see("[data-testid=missing]")
	staff.open(s.inbox(p) + "/00000000-0000-7000-8000-000000000000")
	staff.see("[data-testid=detail-gone]")
}
