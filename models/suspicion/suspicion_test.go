package suspicion

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

func ms(n int64) *int64 { return &n }

func newCase(message string) Case {
	return Case{
		Project:    &models.Project{ID: models.NewID()},
		Submission: &models.Submission{PageURL: "https://shop.example/cart", Message: message},
		Evidence:   &models.Evidence{}, Address: "192.0.2.1", Session: []byte(models.NewToken()),
	}
}

// What people write is let through, what programs write is held back, each for
// reasons that say so.
func TestExamine(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Case)
		found  signs
		held   bool
	}{
		{"a message", func(*Case) {}, 0, false},
		{"the trap", func(c *Case) { c.Evidence.Website = "x" }, trapped, true},
		{"at once", func(c *Case) { c.Evidence.ElapsedMS = ms(0) }, filledAtOnce, true},
		{"in haste", func(c *Case) { c.Evidence.ElapsedMS = ms(2999) }, filledInHaste, false},
		{"in time", func(c *Case) { c.Evidence.ElapsedMS = ms(3000) }, 0, false},
		{"before it was opened", func(c *Case) { c.Evidence.ElapsedMS = ms(-1) }, 0, false},
		{"after a million years", func(c *Case) { c.Evidence.ElapsedMS = ms(1 << 62) }, 0, false},
		{"a link in a report", func(c *Case) {
			c.Submission.Message = "The total is wrong, see https://pics.example/1.png for what I saw"
		}, 0, false},
		{"links to the same site", func(c *Case) {
			c.Submission.Message = "These are all broken: " + strings.Repeat("https://SHOP.example/a?b=c http://shop.example:8080/ ", 5)
		}, 0, false},
		{"two links", func(c *Case) {
			c.Submission.Message = "It used to be as on https://a.example/x and (http://b.example) but not any more"
		}, someLinks, false},
		{"five links", func(c *Case) {
			c.Submission.Message = "Cheap watches " + strings.Repeat("https://spam.example/w www.spam.example ", 3) + "with free shipping"
		}, manyLinks, true},
		{"nothing but a link", func(c *Case) { c.Submission.Message = "WWW.spam.example/offer" }, onlyLinks, false},
		{"nothing but two", func(c *Case) { c.Submission.Message = "http://spam.example http://spam.example/b" }, onlyLinks | someLinks, true},
		{"somebody else's host before one's own", func(c *Case) {
			c.Submission.Message = "http://shop.example.spam.example/ and http://shop.example@spam.example/ are what I wanted to show"
		}, someLinks, false},
		{"BBCode", func(c *Case) {
			c.Submission.Message = "Hello [url=https://spam.example]watches[/url] and [url]https://spam.example/b[/url] are waiting for you"
		}, markup | someLinks, true},
		{"HTML", func(c *Case) {
			c.Submission.Message = `You write <A HREF="x"> in your documentation, which is old-fashioned`
		}, markup, false},
		{"a name that is a link", func(c *Case) { c.Submission.Name = "https://spam.example" }, linkAsName, false},
		{"such a name with a throw-away address", func(c *Case) {
			c.Submission.Name, c.Submission.Email = "www.spam.example", "a@mailinator.com"
		}, linkAsName | disposable, true},
		{"anger", func(c *Case) { c.Submission.Message = strings.Repeat("a", 300) }, repetitive, false},
		{"spam spam spam", func(c *Case) { c.Submission.Message = strings.Repeat("spam ", 20) }, repetitive, false},
		{"a short one", func(c *Case) { c.Submission.Message = "!!!" }, 0, false},
		{"another site's page", func(c *Case) { c.Project.AllowedOrigins = models.Origins{"https://other.example"} }, foreignPage, false},
		{"another site's page in haste", func(c *Case) {
			c.Project.AllowedOrigins, c.Evidence.ElapsedMS = models.Origins{"https://other.example"}, ms(2000)
		}, foreignPage | filledInHaste, true},
		{"an allowed page", func(c *Case) {
			c.Project.AllowedOrigins = models.Origins{"https://other.example", "https://shop.example"}
		}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCase("The total in my cart is wrong: it says 38.50 and should be 35.00.")
			tc.change(&c)
			got := New(time.Now, true).Examine(c)
			if got.signs != tc.found || got.Suspected() != tc.held {
				t.Errorf("found %b of weight %d, suspected %v; want %b, %v", got.signs, got.weight, got.Suspected(), tc.found, tc.held)
			}
			if reasons := got.Reasons(); (len(reasons) > 0) != tc.held || slices.ContainsFunc(reasons, func(r string) bool { return !strings.HasSuffix(r, ".") }) {
				t.Errorf("reasons are %q", reasons)
			}
			if got.Certain() != (tc.found&trapped != 0) {
				t.Errorf("certain is %v", got.Certain())
			}
		})
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	if last := attacked; last != 1<<(len(catalogue)-1) {
		t.Errorf("the last sign is %b, the catalogue has %d", last, len(catalogue))
	}
}

func TestSameText(t *testing.T) {
	j, project := New(time.Now, true), models.NewID()
	send := func(message string, session string) Verdict {
		c := newCase(message)
		c.Project.ID, c.Session, c.Address = project, []byte(session), session
		return j.Examine(c)
	}
	text := "Your site could have a thousand more visitors a day, number %d"
	for n := range sameTextSessions {
		if send(fmt.Sprintf(text, n), fmt.Sprint(n)).Suspected() {
			t.Fatalf("number %d is suspected", n)
		}
	}
	// Neither case nor digits nor what is between the words makes it another text.
	if got := send("YOUR site, could-have a thousand more visitors a day; number 77", "x"); got.signs != sameText {
		t.Errorf("the next one has the signs %b", got.signs)
	}
	if send("Your shop could have a thousand more visitors a day, number 1", "y").Suspected() {
		t.Error("another text is suspected")
	}
	for n := range 20 {
		if send("Great!", fmt.Sprint(n)).Suspected() || send("I like what you did with the new search page", "one and the same").Suspected() {
			t.Fatal("what many say, or one says often, is suspected")
		}
	}
	other := newCase(fmt.Sprintf(text, 1))
	if j.Examine(other).Suspected() {
		t.Error("in another project it is suspected")
	}
}

func TestBursts(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	j, project := New(func() time.Time { return now }, true), models.NewID()
	send := func(session int) signs {
		c := newCase(fmt.Sprint("Something else each time: ", session))
		c.Project.ID, c.Session = project, []byte(fmt.Sprint(session))
		return j.Examine(c).signs &^ sameText
	}
	for n := 1; n <= longBurstSessions; n++ {
		want := signs(0)
		switch {
		case n >= longBurstSessions:
			want = longBurst
		case n >= burstSessions:
			want = burst
		}
		if got := send(n); got != want {
			t.Errorf("session %d has the signs %b, want %b", n, got, want)
		}
	}
	now = now.Add(burstWindow)
	if got := send(1000); got != 0 {
		t.Errorf("after a while there still are %b", got)
	}
}

// Amid an attack nothing is let through that does not prove itself, and it ends by
// itself. One address alone makes none.
func TestAttack(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		name      string
		addresses int
		attacked  bool
	}{{"from many addresses", attackAddresses, true}, {"from few", 3, false}} {
		t.Run(tc.name, func(t *testing.T) {
			j, project := New(func() time.Time { return now }, true), models.NewID()
			send := func(n int, trap string) Verdict {
				c := newCase("Question " + strings.Map(func(r rune) rune { return r + 'g' - '0' }, fmt.Sprint(n, now.UnixNano())))
				c.Project.ID, c.Address, c.Evidence.Website = project, fmt.Sprint("address ", n%tc.addresses), trap
				return j.Examine(c)
			}
			for n := range attackSubmissions {
				if send(n, "").signs&attacked != 0 {
					t.Fatalf("after %d there is an attack", n)
				}
				send(n, "x")
			}
			if got := send(100, ""); (got.signs&attacked != 0) != tc.attacked || got.Suspected() != tc.attacked || got.Certain() {
				t.Errorf("the next one has the signs %b", got.signs)
			}
			// What is held back for the attack alone does not keep it going.
			end := now.Add(attackWindow)
			for ; now.Before(end); now = now.Add(time.Minute) {
				send(200, "")
			}
			if got := send(300, ""); got.signs&attacked != 0 {
				t.Error("it does not end")
			}
		})
	}
}

func TestNoCrowds(t *testing.T) {
	j := New(time.Now, false)
	for range 100 {
		c := newCase("The total in my cart is wrong: it says 38.50 and should be 35.00.")
		if j.Examine(c).Suspected() {
			t.Fatal("suspected where many at once are no sign")
		}
	}
}

// Whatever the text, reading it ends and finds no more than there is.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "h", "http", "https://", "www.", "[", "<a href", "[url=", "http://a http://b", "\xff\xfe", "äöü"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		r := read(message, "shop.example")
		if r.letters > len(message) || r.outside > r.letters || r.foreign > len(message)/4+1 {
			t.Errorf("%q gives %+v", message, r)
		}
	})
}

func BenchmarkExamine(b *testing.B) {
	for _, bench := range []struct{ name, message string }{
		{"usual", "The total in the cart is wrong: it shows 38.50 but the two teas add up to 35.00."},
		{"longest", strings.Repeat("The total in the cart is wrong, see https://shop.example/ ", 86)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			j := New(time.Now, true)
			c := newCase(bench.message)
			c.Project.AllowedOrigins = models.Origins{"https://*.shop.example", "https://shop.example"}
			b.ReportAllocs()
			for b.Loop() {
				if j.Examine(c).Certain() {
					b.Fatal("suspected")
				}
			}
		})
	}
}
