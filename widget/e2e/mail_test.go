package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"earshot/models/mail/mailtest"
)

const mailPreferences = "[data-testid=mail-preferences]"

// choice is what one of the choices looks like, in a state.
func choice(value, state string) string {
	return mailPreferences + " label:has(input[value=" + value + "]" + state + ")"
}

// A member chooses to be mailed, is, and ends it by the link in the mail, signed in
// or not.
func TestMemberIsMailed(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	office := mailtest.Open(t)
	s := freshServer(t, "--admin-email="+ownerEmail, "--admin-password="+ownerPassword, "--smtp-url=smtp://"+office.Address)
	s.owner, s.password = ownerEmail, ownerPassword
	s.signIn()
	p := s.project(nil)
	staff := s.dashboard(s.base + "/preferences")
	staff.see(choice("never", ":checked"))
	staff.examine(axe, "preferences")
	staff.click(choice("at_once", ""))
	staff.text(mailPreferences+" [role=status]", "Saved")
	staff.reload()
	staff.see(choice("at_once", ":checked"))

	s.submit(p, "The total is wrong", nil)
	letter := office.Await(1)[0]
	if letter.To != ownerEmail || letter.Subject() != "Test shop: The total is wrong" {
		t.Errorf("the mail goes to %s: %q", letter.To, letter.Subject())
	}
	reader := newWindow(t)
	reader.open(strings.Trim(letter.Header.Get("List-Unsubscribe"), "<>"))
	reader.text("h1", "No more e-mail about new feedback in Test shop?")
	reader.examine(axe, "unsubscribe")
	staff.reload()
	staff.see(choice("at_once", ":checked")) // to look at the link ends nothing
	reader.click("button")
	reader.text("h1", "No more e-mail")
	reader.examine(axe, "unsubscribed")
	staff.reload()
	staff.see(choice("never", ":checked"))
}

// Where the server sends no mail, the page says so and offers nothing.
func TestMailIsOff(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	s.project(nil)
	s.call("POST", "/api/v1/projects", map[string]any{"name": strings.Repeat("A long name ", 15), "allowed_origins": []string{}}, &project{})
	staff := s.dashboard(s.base + "/preferences")
	staff.see("[data-testid=mail-off]")
	staff.see(choice("never", ":disabled"))
	staff.examine(axe, "preferences-off")
}

// The program is killed when the mail server has taken a mail and the answer is on
// its way. Started again it sends the mail once more, as the same one, and the rest.
func TestMailSurvivesAKill(t *testing.T) {
	t.Parallel()
	taken, take := context.WithCancel(t.Context())
	killed, kill := context.WithCancel(t.Context())
	office := mailtest.Open(t, func(o *mailtest.Office) {
		o.RefuseData = func() error {
			take()
			<-killed.Done()
			return nil
		}
	})
	s := freshServer(t, "--admin-email="+ownerEmail, "--admin-password="+ownerPassword, "--smtp-url=smtp://"+office.Address)
	s.owner, s.password = ownerEmail, ownerPassword
	s.signIn()
	p := s.project(nil)
	s.call("PUT", "/api/v1/me/notifications", map[string]any{
		"time_zone": "UTC", "answers": true, "projects": []any{map[string]any{"project_id": p.ID, "new_feedback": "at_once"}},
	}, &struct{}{})
	s.submit(p, "first", nil)
	<-taken.Done()
	s.submit(p, "second", nil)
	s.kill()
	kill()
	s.start()
	office.Await(3)
	pause(3 * time.Second) // a look of the server, and more
	letters := office.Never(3)
	ids := map[string]int{}
	for _, letter := range letters {
		ids[letter.Header.Get("Message-ID")+" "+letter.Subject()]++
	}
	if len(ids) != 2 || letters[0].Header.Get("Message-ID") != letters[1].Header.Get("Message-ID") {
		t.Errorf("the mails are %v, want the first twice and the second once", ids)
	}
}
