package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/mail"
	"strconv"
	"sync"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/mail/mailtest"
	"earshot/models/store"
	"earshot/models/store/storetest"
)

const testLook = 5 * time.Millisecond

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) { c.set(c.Now().Add(d)) }

func (c *clock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}

// fixture is a store with a project, two members, and a mail server.
type fixture struct {
	*clock
	t       *testing.T
	path    string
	store   *store.Store
	scope   models.Scope
	project *models.Project
	owner   models.User
	agent   models.User
	office  *mailtest.Office
	links   Links
	runner  *Runner
	roots   *x509.CertPool
	log     *slog.Logger
	last    models.ID // the item that was submitted last

	seenMu sync.Mutex
	seen   time.Time
}

func newFixture(t *testing.T, setups ...func(*mailtest.Office)) *fixture {
	t.Helper()
	f := &fixture{
		clock: &clock{now: time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)}, t: t, path: storetest.Database(t),
		links: Links{BaseURL: "https://feedback.example.com", Key: []byte("0123456789abcdef0123456789abcdef")},
		log:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	f.openStore()
	var org models.Organization
	var err error
	f.owner, org, err = f.store.CreateFirstOwner(t.Context(), models.User{Email: "owner@example.com", Name: "Olga Owner", PasswordHash: "x", EmailVerified: true}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	f.scope = models.ScopeOf(org.ID)
	if f.agent, err = f.store.CreateMember(t.Context(), f.scope, models.User{Email: "agent@example.com", Name: "Anna", PasswordHash: "x", EmailVerified: true}, models.RoleAgent); err != nil {
		t.Fatal(err)
	}
	f.project = f.newProject("Web")
	f.office = mailtest.Open(t, setups...)
	return f
}

func (f *fixture) newProject(name string) *models.Project {
	f.t.Helper()
	project := &models.Project{Name: name, Settings: models.DefaultSettings()}
	if err := errors.Join(project.Normalize(), f.store.CreateProject(f.t.Context(), f.scope, project)); err != nil {
		f.t.Fatal(err)
	}
	return project
}

func (f *fixture) openStore() {
	f.t.Helper()
	s, err := store.Open(f.t.Context(), store.Options{Path: f.path, Log: slog.New(slog.DiscardHandler), Now: f.Now, Mails: true})
	if err != nil {
		f.t.Fatal(err)
	}
	f.store = s
	f.t.Cleanup(func() { _ = s.Close() })
}

// serverOf is the address of the post office.
func (f *fixture) server() Server {
	f.t.Helper()
	host, port, err := net.SplitHostPort(f.office.Address)
	if err != nil {
		f.t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		f.t.Fatal(err)
	}
	return Server{Host: host, Port: n, Security: SecurityOffered}
}

func (f *fixture) start(changes ...func(*Options)) *Runner {
	f.t.Helper()
	in, err := intake.New(intake.Options{Store: f.store, BaseURL: f.links.BaseURL, Secret: f.links.Key})
	if err != nil {
		f.t.Fatal(err)
	}
	options := Options{
		Store: f.store, Server: f.server(), From: mail.Address{Name: "Earshot", Address: "no-reply@example.com"}, Links: f.links, LetterKey: f.links.Key,
		ReceiptURL: in.ReceiptURL, Seen: f.seenUpTo, Log: f.log, Now: f.Now, Look: testLook, roots: f.roots,
	}
	for _, change := range changes {
		change(&options)
	}
	r, err := Start(f.t.Context(), options)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(r.Stop)
	f.runner = r
	return r
}

func (f *fixture) seenUpTo(*models.Feedback) time.Time {
	f.seenMu.Lock()
	defer f.seenMu.Unlock()
	return f.seen
}

func (f *fixture) see(upTo time.Time) {
	f.seenMu.Lock()
	defer f.seenMu.Unlock()
	f.seen = upTo
}

// change alters a submission before it is sent.
type change func(*store.NewFeedback)

func from(email, name string) change {
	return func(in *store.NewFeedback) { in.Submission.Email, in.Submission.Name = email, name }
}

func quarantined(in *store.NewFeedback) { in.Quarantine = []string{"suspected"} }

func (f *fixture) submit(message string, changes ...change) *models.Feedback {
	f.t.Helper()
	in := store.NewFeedback{
		Project: f.project, ResumeHash: models.HashResumeToken(models.NewResumeToken()), SessionID: models.NewID(),
		Submission: models.Submission{ID: models.NewID(), PageURL: "https://shop.example/cart", Message: message, Kind: models.KindBug},
	}
	for _, change := range changes {
		change(&in)
	}
	if _, err := f.store.Submit(f.t.Context(), in); err != nil {
		f.t.Fatal(err)
	}
	f.last = in.Submission.ID
	item, err := f.store.Feedback(f.t.Context(), f.scope, in.Submission.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return item
}

func (f *fixture) reply(item *models.Feedback, body string) {
	f.t.Helper()
	f.post(item, body, models.VisibilityPublic)
}

func (f *fixture) post(item *models.Feedback, body string, visibility models.Visibility) {
	f.t.Helper()
	_, err := f.store.PostMessage(f.t.Context(), f.scope, models.NewMessage{
		ID: models.NewID(), FeedbackID: item.ID, Body: body, Visibility: visibility,
		Author: models.Author{Kind: models.AuthorMember, UserID: f.agent.ID, Name: f.agent.Name},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) answer(item *models.Feedback, body string) {
	f.t.Helper()
	_, err := f.store.PostVisitorMessage(f.t.Context(), f.project, item.SessionID, models.NewMessage{
		ID: models.NewID(), FeedbackID: item.ID, Body: body, Visibility: models.VisibilityPublic, Author: models.Author{Kind: models.AuthorVisitor},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) assign(item *models.Feedback, to models.ID) {
	f.t.Helper()
	current, err := f.store.Feedback(f.t.Context(), f.scope, item.ID)
	if err == nil {
		_, err = f.store.Triage(f.t.Context(), f.scope, item.ID, models.Triage{AssigneeID: &to, Rev: current.Rev}, models.Actor{})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// want has a member mailed about the project.
func (f *fixture) want(user models.ID, mode models.NotifyMode, zone string) {
	f.t.Helper()
	err := f.store.SetNotifications(f.t.Context(), f.scope, user, models.Notifications{
		TimeZone: zone, Answers: true, Projects: map[models.ID]models.NotifyMode{f.project.ID: mode},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// unsubscribe is what the link in a mail about new feedback does.
func (f *fixture) unsubscribe(user models.ID) {
	f.t.Helper()
	err := f.store.Unsubscribe(f.t.Context(), models.Unsubscription{Kind: models.MailNews, ProjectID: f.project.ID, UserID: user}, false)
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) counts(waiting, failed int64) {
	f.t.Helper()
	var gotWaiting, gotFailed int64
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		var err error
		if gotWaiting, gotFailed, err = f.store.MailCounts(context.WithoutCancel(f.t.Context())); err != nil {
			f.t.Fatal(err)
		}
		if gotWaiting == waiting && gotFailed == failed {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%d mails wait and %d were given up, want %d and %d", gotWaiting, gotFailed, waiting, failed)
		}
	}
}
