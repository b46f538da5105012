package mail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

func TestNewFeedbackAtOnce(t *testing.T) {
	f := newFixture(t)
	f.submit("before anybody wanted to know")
	f.want(f.owner.ID, models.NotifyAtOnce, "Europe/Berlin")
	f.start()
	f.submit("suspected", quarantined)
	f.office.Never(0)
	item := f.submit("The total is <wrong>.", from("ada@example.com", "Ada"))
	got := f.office.Await(1)[0]
	if got.To != "owner@example.com" || got.Subject() != "Web: The total is <wrong>." {
		t.Errorf("the mail goes to %s: %q", got.To, got.Subject())
	}
	for _, want := range []string{
		"New bug in Web", "The total is <wrong>.", "Ada · bug · 27 March 2026, 10:30 CET", "https://shop.example/cart",
		"/projects/" + string(f.project.ID) + "/inbox/" + string(item.ID), "because you chose mails at once for new feedback in Web", "/u/",
	} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, got.Text)
		}
	}
	if !strings.Contains(got.HTML, "The total is &lt;wrong&gt;.") || strings.Contains(got.HTML, "<wrong>") {
		t.Errorf("the page is not escaped:\n%s", got.HTML)
	}
	// Other events are no news.
	f.reply(item, "Thank you.")
	f.office.Never(1)
	f.submit("second")
	f.office.Await(2)
}

// A flood fills nobody's mailbox: past some mails in a row they come at a pace,
// each of all that came meanwhile.
func TestFloodBecomesADigest(t *testing.T) {
	f := newFixture(t)
	f.want(f.owner.ID, models.NotifyAtOnce, "UTC")
	f.start()
	for i := range 12 {
		f.submit(fmt.Sprintf("number %d", i))
		f.office.Await(i + 1)
	}
	for i := range 25 {
		f.submit(fmt.Sprintf("more %d", i))
	}
	f.office.Never(12)
	f.add(5 * time.Minute)
	got := f.office.Await(13)[12]
	if got.Subject() != "Web: 25 new" || !strings.Contains(got.Text, "And 15 more.") || strings.Count(got.Text, "\n* ") != 10 {
		t.Errorf("the mail is no digest of the 25: %q\n%s", got.Subject(), got.Text)
	}
	f.submit("and one")
	f.office.Never(13)
	f.add(5 * time.Minute)
	f.office.Await(14)
}

func TestDigests(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		mode        models.NotifyMode
		zone        string
		chosen      time.Time
		next, after time.Time // the first two mails
	}{
		"hourly": {models.NotifyHourly, "UTC", time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC),
			time.Date(2026, 3, 27, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 27, 11, 0, 0, 0, time.UTC)},
		"daily": {models.NotifyDaily, "UTC", time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC),
			time.Date(2026, 3, 28, 8, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 8, 0, 0, 0, time.UTC)},
		"daily, when the clocks go forward": {models.NotifyDaily, "Europe/Berlin", time.Date(2026, 3, 27, 12, 0, 0, 0, berlin),
			time.Date(2026, 3, 28, 7, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 6, 0, 0, 0, time.UTC)},
		"daily, when they go back": {models.NotifyDaily, "Europe/Berlin", time.Date(2026, 10, 23, 12, 0, 0, 0, berlin),
			time.Date(2026, 10, 24, 6, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 7, 0, 0, 0, time.UTC)},
		"daily, beyond the date line": {models.NotifyDaily, "Pacific/Kiritimati", time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC),
			time.Date(2026, 3, 27, 18, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 18, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.set(tc.chosen)
			f.want(f.owner.ID, tc.mode, tc.zone)
			f.start()
			f.submit("one")
			f.submit("two")
			f.set(tc.next.Add(-time.Second))
			f.office.Never(0)
			f.set(tc.next)
			first := f.office.Await(1)[0]
			if first.Subject() != "Web: 2 new" || !strings.Contains(first.Text, "2 bugs") {
				t.Errorf("the first digest is %q:\n%s", first.Subject(), first.Text)
			}
			f.submit("three")
			f.set(tc.after.Add(-time.Second))
			f.office.Never(1)
			f.set(tc.after)
			if second := f.office.Await(2)[1]; second.Subject() != "Web: three" {
				t.Errorf("the second digest is %q:\n%s", second.Subject(), second.Text)
			}
			f.set(tc.after.Add(48 * time.Hour)) // nothing came
			f.office.Never(2)
		})
	}
}

// What is due is in the database: a restart loses no digest and repeats none.
func TestDigestSurvivesRestarts(t *testing.T) {
	f := newFixture(t)
	f.want(f.owner.ID, models.NotifyDaily, "UTC")
	f.start().Stop()
	f.submit("one")
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	f.add(30 * 24 * time.Hour)
	f.openStore()
	f.start()
	f.office.Await(1)
	f.runner.Stop()
	f.start()
	f.add(24 * time.Hour)
	f.office.Never(1)
}

// A clock that was wrong for a while does not put the mails off for as long.
func TestDigestSurvivesAClockThatJumps(t *testing.T) {
	for name, jump := range map[string]time.Duration{"forward": 365 * 24 * time.Hour, "back": -365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.want(f.owner.ID, models.NotifyHourly, "UTC")
			f.start()
			f.submit("one")
			f.add(jump)
			if jump > 0 {
				f.office.Await(1)
			} else {
				f.office.Never(0)
			}
			f.submit("two")
			f.add(-jump)
			time.Sleep(10 * testLook)
			text := ""
			// Hours and days instead of a year: how many depends on when the runner looks at the clock.
			for deadline := time.Now().Add(5 * time.Second); !strings.Contains(text, "one") || !strings.Contains(text, "two"); time.Sleep(testLook) {
				f.add(10 * time.Minute)
				text = ""
				for _, l := range f.office.Got() {
					text += l.Text
				}
				if time.Now().After(deadline) {
					t.Fatalf("not all was told:\n%s", text)
				}
			}
		})
	}
}

func TestNewsIsForWhoWantsIt(t *testing.T) {
	for name, tc := range map[string]struct {
		act  func(*fixture)
		want int
	}{
		"a member":        {func(*fixture) {}, 1},
		"never":           {func(f *fixture) { f.want(f.agent.ID, models.NotifyNever, "UTC") }, 0},
		"unsubscribed":    {func(f *fixture) { f.unsubscribe(f.agent.ID) }, 0},
		"deleted project": {func(f *fixture) { _ = f.store.DeleteProject(f.t.Context(), f.scope, f.project.ID) }, 0},
		"all erased": {func(f *fixture) {
			if err := f.store.Erase(f.t.Context(), f.scope, f.last); err != nil {
				f.t.Fatal(err)
			}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.want(f.agent.ID, models.NotifyHourly, "UTC")
			f.start()
			f.submit("one")
			tc.act(f)
			f.add(time.Hour)
			if tc.want == 0 {
				f.office.Never(0)
				return
			}
			f.office.Await(tc.want)
		})
	}
}

// A daily mail is chosen instead of an hourly one: what came before is in it.
func TestChangeOfModeSkipsNothing(t *testing.T) {
	f := newFixture(t)
	f.want(f.agent.ID, models.NotifyHourly, "UTC")
	f.start()
	f.submit("one")
	f.want(f.agent.ID, models.NotifyDaily, "UTC")
	f.submit("two")
	f.add(time.Hour)
	f.office.Never(0)
	f.add(24 * time.Hour)
	if got := f.office.Await(1)[0]; got.Subject() != "Web: 2 new" {
		t.Errorf("the mail is %q:\n%s", got.Subject(), got.Text)
	}
}
