package mail

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"earshot/models"
)

// delay is more than a reply waits.
const delay = 61 * time.Second

func TestReplyIsMailedOnce(t *testing.T) {
	f := newFixture(t)
	f.start()
	item := f.submit("The total is wrong.\nReally.", from("ada@example.com", "Ada"))
	f.post(item, "a note among us", models.VisibilityInternal)
	f.reply(item, "Thank you, it is <mended>.")
	f.office.Never(0)
	f.add(delay)
	got := f.office.Await(1)[0]
	if got.To != "ada@example.com" || got.From != "no-reply@example.com" {
		t.Errorf("the mail goes from %s to %s", got.From, got.To)
	}
	if want := "Web: Anna replied to your feedback"; got.Subject() != want {
		t.Errorf("subject is %q, want %q", got.Subject(), want)
	}
	if addresses, err := got.Header.AddressList("From"); err != nil || addresses[0].Name != "Web" {
		t.Errorf("From is %v (%v), want the project's name", addresses, err)
	}
	for _, want := range []string{
		"Thank you, it is <mended>.", "> The total is wrong.\n> Really.", "https://feedback.example.com/r/",
		"left this address when you wrote to Web on 27 March 2026", "https://feedback.example.com/u/", "replies to this e-mail are not read",
	} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, got.Text)
		}
	}
	for _, want := range []string{"Thank you, it is &lt;mended&gt;.", "Open the conversation"} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("the page lacks %q:\n%s", want, got.HTML)
		}
	}
	for _, unwanted := range []string{"a note among us", "<img", "<mended>"} {
		if strings.Contains(got.HTML, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
	if got.Header.Get("Reply-To") != "" || got.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("Reply-To is %q and Auto-Submitted %q", got.Header.Get("Reply-To"), got.Header.Get("Auto-Submitted"))
	}
	f.reply(item, "One more thing.")
	f.add(delay)
	second := f.office.Await(2)[1]
	if !strings.Contains(second.Text, "One more thing.") || strings.Contains(second.Text, "mended") {
		t.Errorf("the second mail is not of the second reply alone:\n%s", second.Text)
	}
	if got.Header.Get("References") == "" || got.Header.Get("References") != second.Header.Get("References") {
		t.Errorf("the mails are no thread: %q and %q", got.Header.Get("References"), second.Header.Get("References"))
	}
	f.counts(0, 0)
}

func TestRepliesWithinTheDelayAreOneMail(t *testing.T) {
	f := newFixture(t)
	f.start()
	item := f.submit("Help", from("ada@example.com", ""))
	f.reply(item, "First.")
	f.add(30 * time.Second)
	f.reply(item, "Second.")
	f.add(-10 * time.Minute) // the clock is set back meanwhile
	f.reply(item, "Third.")
	f.add(10*time.Minute + 31*time.Second)
	text := f.office.Await(1)[0].Text
	for _, want := range []string{"First.", "Second.", "Third."} {
		if strings.Count(text, want) != 1 {
			t.Errorf("the mail does not have %q once:\n%s", want, text)
		}
	}
}

func TestReplyIsNotMailed(t *testing.T) {
	for name, tc := range map[string]struct {
		changes []change
		act     func(*fixture, *models.Feedback)
	}{
		"where there is no address": {act: func(*fixture, *models.Feedback) {}},
		"of what is quarantined":    {[]change{from("a@example.com", ""), quarantined}, func(*fixture, *models.Feedback) {}},
		"once it was read": {[]change{from("a@example.com", "")}, func(f *fixture, _ *models.Feedback) {
			f.see(f.Now())
		}},
		"once it was erased": {[]change{from("a@example.com", "")}, func(f *fixture, item *models.Feedback) {
			if err := f.store.Erase(f.t.Context(), f.scope, item.ID); err != nil {
				f.t.Fatal(err)
			}
			f.counts(0, 0)
		}},
		"once the project was deleted": {[]change{from("a@example.com", "")}, func(f *fixture, _ *models.Feedback) {
			if err := f.store.DeleteProject(f.t.Context(), f.scope, f.project.ID); err != nil {
				f.t.Fatal(err)
			}
		}},
		"to who unsubscribed": {[]change{from("a@example.com", "")}, func(f *fixture, _ *models.Feedback) {
			err := f.store.Unsubscribe(f.t.Context(), models.Unsubscription{
				Kind: models.MailReply, ProjectID: f.project.ID, Address: models.HashAddress(f.project.ID, "a@example.com"),
			}, false)
			if err != nil {
				f.t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.start()
			item := f.submit("Help", tc.changes...)
			f.reply(item, "Here.")
			tc.act(f, item)
			f.add(delay)
			f.office.Never(0)
			f.counts(0, 0)
		})
	}
}

// What was seen live is not mailed, what came after it is.
func TestOnlyTheUnseenPartIsMailed(t *testing.T) {
	f := newFixture(t)
	f.start()
	item := f.submit("Help", from("ada@example.com", ""))
	f.reply(item, "While you watched.")
	f.see(f.Now())
	f.add(20 * time.Second)
	f.reply(item, "When you had gone.")
	f.add(delay)
	text := f.office.Await(1)[0].Text
	if strings.Contains(text, "While you watched.") || !strings.Contains(text, "When you had gone.") {
		t.Errorf("the mail is not of the second reply alone:\n%s", text)
	}
}

// What somebody writes gets into no header but as words, and does not go on in
// the next one.
func TestHeadersCannotBeWritten(t *testing.T) {
	f := newFixture(t)
	f.start()
	f.project = f.newProject("Web\" <evil@example.com>,")
	f.agent.Name = "Anna\r\nBcc: evil@example.com\r\n\r\nbody"
	item := f.submit("Help\r\nBcc: evil@example.com", from("ada@example.com", "Ada\r\nCc: evil@example.com"))
	f.reply(item, "Here.\r\n.\r\nMAIL FROM:<evil@example.com>")
	f.want(f.owner.ID, models.NotifyAtOnce, "UTC")
	f.submit("Subject\r\nBcc: evil@example.com", from("", "Eve\nCc: evil@example.com"))
	f.add(delay)
	for _, got := range f.office.Await(2) {
		for name := range got.Header {
			if name == "Bcc" || name == "Cc" {
				t.Errorf("a header %s was written:\n%s", name, got.Raw)
			}
		}
		if got.To == "evil@example.com" {
			t.Errorf("the mail went to %s", got.To)
		}
		if list, err := got.Header.AddressList("From"); err != nil || len(list) != 1 || list[0].Address != "no-reply@example.com" {
			t.Errorf("From is %v (%v)", list, err)
		}
		if strings.ContainsAny(got.Subject(), "\r\n") {
			t.Errorf("subject is %q", got.Subject())
		}
	}
}

// What turns the direction of a text would turn ours with it.
func TestMailsKeepTheirDirection(t *testing.T) {
	f := newFixture(t)
	f.start()
	f.project = f.newProject("Web \u202eelpmaxe\u202c")
	f.want(f.owner.ID, models.NotifyAtOnce, "UTC")
	f.submit("Help \u2067me\u202e, or", from("", "Eve \u202b"))
	f.add(delay)
	got := f.office.Await(1)[0]
	for _, text := range []string{got.Subject(), got.Header.Get("From"), got.Text} {
		if i := strings.IndexFunc(text, func(r rune) bool { return undirected(string(r)) == "" }); i >= 0 {
			t.Errorf("%q has %q", text, text[i:])
		}
	}
	if !strings.Contains(got.Text, "> Help me, or") {
		t.Errorf("the text is\n%s", got.Text)
	}
}

func TestRefusedForGood(t *testing.T) {
	f := newFixture(t)
	f.office.Refuse = func(to string) error {
		if strings.HasPrefix(to, "gone@") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
		}
		return nil
	}
	f.start()
	gone := f.submit("Help", from("gone@example.com", ""))
	for i := range 3 {
		f.reply(gone, "Here.")
		f.add(delay)
		f.counts(0, int64(i+1))
	}
	// The address has refused three and gets no more; others do.
	f.office.Set(func() { f.office.Refuse = nil })
	f.reply(gone, "Again.")
	f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	f.add(delay)
	if got := f.office.Await(1)[0]; got.To != "ada@example.com" {
		t.Errorf("the mail went to %s", got.To)
	}
	f.counts(0, 3)
}

func TestAddressThatIsNone(t *testing.T) {
	f := newFixture(t)
	f.start()
	for _, address := range []string{"a,b@example.com", "<a@example.com>", "name<a@example.com>"} {
		f.reply(f.submit("Help", from(address, "")), "Here.")
	}
	f.add(delay)
	f.counts(0, 3)
	f.office.Never(0)
}

// Not now is not never: the mail comes later, once.
func TestRefusedForNow(t *testing.T) {
	for name, refusal := range map[string]*smtp.SMTPError{
		"greylisted": {Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "later"},
		"no relay":   {Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "relay access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.office.Refuse = func(string) error { return refusal }
			f.start()
			f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
			f.add(delay)
			f.office.Never(0)
			f.counts(1, 0)
			f.office.Set(func() { f.office.Refuse = nil })
			f.add(delay)
			f.office.Await(1)
			f.counts(0, 0)
		})
	}
}

// A mail that is never taken is tried for three days and then there for people to
// see.
func TestGivenUp(t *testing.T) {
	f := newFixture(t)
	f.office.RefuseData = func() error { return &smtp.SMTPError{Code: 451, Message: "later"} }
	f.start()
	f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	began, tries := f.Now(), 0
	for ; tries < 1000; tries++ {
		f.add(time.Hour)
		time.Sleep(2 * testLook)
		if waiting, _, err := f.store.MailCounts(t.Context()); err != nil || waiting == 0 {
			break
		}
	}
	f.counts(0, 1)
	if took := f.Now().Sub(began); took < 48*time.Hour || took > 10*24*time.Hour {
		t.Errorf("it was given up after %v", took)
	}
	f.office.Never(0)
}

func TestRejectedForWhatItIs(t *testing.T) {
	f := newFixture(t)
	f.office.RefuseData = func() error {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "we do not like it"}
	}
	f.start()
	item := f.submit("Help", from("ada@example.com", ""))
	for i := range 4 { // which is not the address's fault
		f.reply(item, "Here.")
		f.add(delay)
		f.counts(0, int64(i+1))
	}
	f.office.Set(func() { f.office.RefuseData = nil })
	f.reply(item, "Here.")
	f.add(delay)
	f.office.Await(1)
}

func TestOneRecipientIsNotFlooded(t *testing.T) {
	f := newFixture(t)
	f.start()
	for range 35 {
		f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	}
	f.add(delay)
	f.office.Await(30)
	f.counts(5, 0)
	f.add(time.Hour)
	f.office.Await(35)
}

func TestAnswersInAssignedItems(t *testing.T) {
	f := newFixture(t)
	f.start()
	item := f.submit("The total is wrong.", from("", "Ada"))
	f.answer(item, "Nobody's yet.")
	f.assign(item, f.agent.ID)
	f.answer(item, "Is there any news?")
	f.answer(item, "Hello?")
	f.add(delay)
	got := f.office.Await(1)[0]
	if got.To != "agent@example.com" || got.Subject() != "Web: Ada answered" {
		t.Errorf("the mail goes to %s: %q", got.To, got.Subject())
	}
	for _, want := range []string{"Is there any news?", "Hello?", "> The total is wrong.", "assigned to you", "/inbox/" + string(item.ID), "/preferences"} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, got.Text)
		}
	}
	// Not what was read meanwhile, nor what is somebody else's by then, nor where
	// it is not wanted.
	f.answer(item, "You are reading this.")
	if err := f.store.MarkRead(t.Context(), f.scope, f.agent.ID, item.ID, true); err != nil {
		t.Fatal(err)
	}
	f.add(delay)
	f.office.Never(1)
	f.answer(item, "Somebody else's.")
	f.assign(item, f.owner.ID)
	f.add(delay)
	f.office.Never(1)
	if err := f.store.Unsubscribe(t.Context(), models.Unsubscription{Kind: models.MailAnswer, UserID: f.owner.ID}, false); err != nil {
		t.Fatal(err)
	}
	f.answer(item, "Not wanted.")
	f.add(delay)
	f.office.Never(1)
	f.counts(0, 0)
}

func TestLinksCannotBeForged(t *testing.T) {
	links := Links{BaseURL: "https://feedback.example.com", Key: []byte("key")}
	project, user := models.NewID(), models.NewID()
	for _, from := range []models.Unsubscription{
		{Kind: models.MailReply, ProjectID: project, Address: models.HashAddress(project, "a@example.com")},
		{Kind: models.MailNews, ProjectID: project, UserID: user},
		{Kind: models.MailAnswer, UserID: user},
	} {
		token := strings.TrimPrefix(links.Unsubscribe(from), "https://feedback.example.com/u/")
		got, ok := links.ReadUnsubscribe(token)
		if !ok || got.Kind != from.Kind || got.ProjectID != from.ProjectID || got.UserID != from.UserID || string(got.Address) != string(from.Address) {
			t.Errorf("%v is read as %v (%t)", from, got, ok)
		}
		if _, ok := (Links{Key: []byte("other")}).ReadUnsubscribe(token); ok {
			t.Errorf("%v is good under another key", from)
		}
		for _, forged := range []string{token[:len(token)-1], token + "A", "A" + token[1:], strings.ToLower(token), ""} {
			if _, ok := links.ReadUnsubscribe(forged); ok && forged != token {
				t.Errorf("%q is taken for %v", forged, from)
			}
		}
	}
}
