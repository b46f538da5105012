package mail

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/mail/mailtest"
	"earshot/models/store"
)

// A mail server that is away delays mails and loses none.
func TestServerIsAway(t *testing.T) {
	f := newFixture(t)
	f.want(f.owner.ID, models.NotifyAtOnce, "UTC")
	f.start()
	f.office.Close()
	for range 3 {
		f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	}
	for range 20 { // so that some have been tried often
		f.add(time.Hour)
		time.Sleep(2 * testLook)
	}
	f.office.Listen(f.office.Address)
	replies, news := 0, 0
	for deadline := time.Now().Add(10 * time.Second); (replies < 3 || news < 3) && time.Now().Before(deadline); time.Sleep(testLook) {
		replies, news = 0, 0
		for _, l := range f.office.Got() {
			if l.To == "ada@example.com" {
				replies++
			} else {
				news += strings.Count(l.Text, "/inbox/")
			}
		}
	}
	if replies != 3 || news != 3 {
		t.Errorf("%d replies came, and news of %d items, want 3 of both", replies, news)
	}
	f.counts(0, 0)
}

// deaf is a store that cannot be told what was sent.
type deaf struct {
	Store
	deaf atomic.Bool
}

func (d *deaf) MailSent(ctx context.Context, m models.Mail, address models.AddressHash) error {
	if d.deaf.Load() {
		return errors.New("the disk is full")
	}
	return d.Store.MailSent(ctx, m, address)
}

// Who is killed between sending and writing it down sends once more, and the mail
// says that it is the same.
func TestKilledAfterSending(t *testing.T) {
	f := newFixture(t)
	deaf := &deaf{Store: f.store}
	deaf.deaf.Store(true)
	f.start(func(o *Options) { o.Store = deaf })
	f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	f.add(delay)
	f.office.Await(1)
	f.runner.Stop()
	if store.IsPostgres(f.path) { // another server might be sending it, until its time is over
		f.add(10 * time.Minute)
	}
	f.start()
	letters := f.office.Await(2)
	f.counts(0, 0)
	if first, second := letters[0].Header.Get("Message-ID"), letters[1].Header.Get("Message-ID"); first == "" || first != second {
		t.Errorf("the Message-IDs are %q and %q", first, second)
	}
	if letters[0].Text != letters[1].Text {
		t.Error("the repetition says something else")
	}
}

// Who lives on does not send twice for it, however long the store is deaf.
func TestStoreIsDeafForAWhile(t *testing.T) {
	f := newFixture(t)
	store := &deaf{Store: f.store}
	store.deaf.Store(true)
	f.start(func(o *Options) { o.Store = store })
	f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	f.add(delay)
	f.office.Await(1)
	f.add(time.Hour)
	f.office.Never(1)
	store.deaf.Store(false)
	f.add(time.Hour)
	f.counts(0, 0)
	f.office.Never(1)
}

// A connection that breaks before the answer leaves it open whether the mail was
// taken: it is sent again, and says that it is the same.
func TestConnectionBreaksBeforeTheAnswer(t *testing.T) {
	f := newFixture(t)
	f.office.CutAfter = true
	f.start()
	f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	f.add(delay)
	f.office.Await(1)
	f.counts(1, 0)
	f.office.Set(func() { f.office.CutAfter = false })
	f.add(2 * time.Minute)
	letters := f.office.Await(2)
	if first, second := letters[0].Header.Get("Message-ID"), letters[1].Header.Get("Message-ID"); first != second {
		t.Errorf("the Message-IDs are %q and %q", first, second)
	}
}

// A mail server that stalls keeps nobody from leaving, and no write waiting.
func TestServerStalls(t *testing.T) {
	f := newFixture(t)
	f.office.Stall = make(chan struct{})
	defer close(f.office.Stall)
	f.start()
	item := f.submit("Help", from("ada@example.com", ""))
	f.reply(item, "Here.")
	f.add(delay)
	time.Sleep(20 * testLook)
	began := time.Now()
	f.submit("meanwhile")
	if took := time.Since(began); took > time.Second {
		t.Errorf("a submission took %v meanwhile", took)
	}
	began = time.Now()
	f.runner.Stop()
	if took := time.Since(began); took > stopGrace+3*time.Second {
		t.Errorf("Stop took %v", took)
	}
}

// One connection serves many mails.
func TestConnectionIsKept(t *testing.T) {
	f := newFixture(t)
	f.start()
	for range 10 {
		f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
	}
	f.add(delay)
	f.office.Await(10)
	f.office.Set(func() {
		if f.office.Conns != 1 {
			t.Errorf("10 mails took %d connections", f.office.Conns)
		}
	})
}

// The password goes over an encrypted connection to a server that is vouched for,
// and nowhere else.
func TestTLS(t *testing.T) {
	certificate, roots := mailtest.SelfSigned(t)
	for name, tc := range map[string]struct {
		security  Security
		encrypted bool
		implicit  bool
		unknown   bool // nobody vouches for the server
		password  string
		want      int
	}{
		"STARTTLS":                     {security: SecurityStartTLS, encrypted: true, password: "secret", want: 1},
		"from the first byte":          {security: SecurityTLS, encrypted: true, implicit: true, password: "secret", want: 1},
		"no STARTTLS at the server":    {security: SecurityStartTLS, password: "secret"},
		"unknown server":               {security: SecurityStartTLS, encrypted: true, unknown: true, password: "secret"},
		"unknown from the first byte":  {security: SecurityTLS, encrypted: true, implicit: true, unknown: true, password: "secret"},
		"offered by an unknown server": {security: SecurityOffered, encrypted: true, unknown: true, password: "secret", want: 1},
		"wrong password":               {security: SecurityStartTLS, encrypted: true, password: "wrong"},
		"on this machine, unencrypted": {security: SecurityOffered, password: "secret", want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(p *mailtest.Office) {
				p.Password, p.Implicit = "secret", tc.implicit
				if tc.encrypted {
					p.Certificate = certificate
				}
			})
			f.roots = roots
			if tc.unknown {
				f.roots = nil
			}
			f.start(func(o *Options) { o.Server.Security, o.Server.User, o.Server.Password = tc.security, "us", tc.password })
			f.reply(f.submit("Help", from("ada@example.com", "")), "Here.")
			f.add(delay)
			if tc.want == 1 {
				f.office.Await(1)
				return
			}
			f.office.Never(0)
			f.counts(1, 0)
		})
	}
}

func TestParseServer(t *testing.T) {
	for raw, want := range map[string]Server{
		"smtp://mail.example.com":                           {"mail.example.com", 587, "", "", SecurityStartTLS},
		"smtp://us:p%40ss@mail.example.com:2525":            {"mail.example.com", 2525, "us", "p@ss", SecurityStartTLS},
		"smtps://us%40example.com:secret@mail.example.com/": {"mail.example.com", 465, "us@example.com", "secret", SecurityTLS},
		"smtp://localhost:25":                               {"localhost", 25, "", "", SecurityOffered},
		"smtp://us:secret@127.0.0.1:25?tls=none":            {"127.0.0.1", 25, "us", "secret", SecurityNone},
		"smtp://[::1]:25?tls=required":                      {"::1", 25, "", "", SecurityStartTLS},
		"smtp://relay.internal:25?tls=offered":              {"relay.internal", 25, "", "", SecurityOffered},
	} {
		if got, err := ParseServer(raw); err != nil || got != want {
			t.Errorf("%s is %+v (%v), want %+v", raw, got, err, want)
		}
	}
	for _, raw := range []string{
		"", "mail.example.com:587", "http://mail.example.com", "smtp://", "smtp://us:sEcret@mail.example.com:99999", "smtp://us:sEcret@mail.example.com:x",
		"smtp://us@mail.example.com", "smtp://us:sEcret@mail.example.com?tls=none", "smtp://us:sEcret@mail.example.com?tls=perhaps",
		"smtps://us:sEcret@mail.example.com?tls=none", "smtp://us:sEcret@mail.example.com?TLS=none", "smtp://us:sEcret@mail.example.com/path", "smtp://us:sEc%ret@x",
	} {
		_, err := ParseServer(raw)
		if err == nil {
			t.Errorf("%s is taken", raw)
		} else if strings.Contains(err.Error(), "sEcret") || strings.Contains(err.Error(), "sEc%ret") {
			t.Errorf("the refusal of %s tells the password: %v", raw, err)
		}
	}
}
