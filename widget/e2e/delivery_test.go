package e2e

import (
	"fmt"
	"testing"
)

func TestVisitorIsSeenLive(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(settings{"show_drafts": true}, host.url)
	staff := s.inboxWindow(p)
	staff.see("[data-testid=list-none]")
	visitor := newWindow(t)
	visitor.open(host.shop(p))

	visitor.speak("The total is wrong")
	visitor.text("earshot-widget >>> .share", "Support can see this as you type")
	staff.text("[data-testid=draft] .draft-text", "The total is wrong")

	visitor.write(", it counts the pot twice")
	staff.text("[data-testid=draft] .draft-text", "The total is wrong, it counts the pot twice")
	visitor.click(submit)
	visitor.text(outcome, sent)
	staff.rows("The total is wrong, it counts the pot twice")
	staff.miss("[data-testid=draft]")

	staff.reload()
	staff.rows("The total is wrong, it counts the pot twice")
}

func TestDraftStaysPrivate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		show bool
	}{
		{"the project does not show drafts", false},
		{"the visitor says no", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, host := newServer(t), newSite(t)
			p := s.project(settings{"show_drafts": c.show}, host.url)
			staff := s.inboxWindow(p)
			visitor := newWindow(t)
			visitor.open(host.shop(p))
			visitor.click(launcher)
			visitor.see(panel)
			if c.show {
				visitor.click("earshot-widget >>> .share input")
				visitor.click(message)
			}
			visitor.speak("my password is hunter2hunter2")
			// The server's hint on the draft says that it has read it; what it shows to staff came before that.
			visitor.see("earshot-widget >>> #hints p")
			staff.miss("[data-testid=draft]")
		})
	}
}

func TestEverySubmissionArrivesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	staff := s.inboxWindow(p)
	visitors := []*window{newWindow(t), newWindow(t)}
	for _, visitor := range visitors {
		visitor.open(host.shop(p))
	}
	want := ""
	for i := 1; i <= 6; i++ {
		text := fmt.Sprintf("Message %d", i)
		visitors[i%2].send(text, sent)
		want = text + " | " + want
	}
	want = want[:len(want)-len(" | ")]
	staff.rows(want)
	staff.reload()
	staff.rows(want)
}

func TestServerDiesWhileTheVisitorWrites(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	staff := s.inboxWindow(p)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	visitor.send("Before the crash", sent)
	staff.rows("Before the crash")
	visitor.speak("During the crash")

	s.kill()
	staff.connected("reconnecting")
	visitor.click(submit)
	visitor.text(outcome, kept)
	stored := "JSON.parse(localStorage.getItem('earshot:" + p.Key + "')).entries"
	await(visitor, "one entry waits in the outbox", stored+".length", 1)
	id := read[string](visitor, stored+"[0].id")

	s.start()
	visitor.text(outcome, sent)
	await(visitor, "the outbox is empty", stored+".length", 0)
	staff.connected("connected")
	staff.rows("During the crash | Before the crash")
	staff.reload()
	staff.rows("During the crash | Before the crash")

	items := s.feedback(p)
	if got, want := s.messages(p), "Before the crash | During the crash"; got != want {
		t.Fatalf("the server has %q, want %q", got, want)
	}
	if items[1].ID != id {
		t.Errorf("the id changed on its way: got %s, want %s", items[1].ID, id)
	}
}

func TestOutboxOutlivesThePage(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	shop := host.shop(p)
	visitor.open(shop)
	visitor.click(launcher)
	visitor.see(message)
	s.kill()
	visitor.send("Written in a tunnel", kept)
	s.start()

	visitor.open("about:blank")
	visitor.open(shop)
	visitor.see(launcher)
	visitor.click("h1") // the first interaction wakes the outbox
	eventually(t, "the server has the message", func() (bool, string) {
		got := s.messages(p)
		return got == "Written in a tunnel", got
	})
}
