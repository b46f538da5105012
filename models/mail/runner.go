package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strconv"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"

	"earshot/models"
	"earshot/models/metrics"
	"earshot/models/seal"
	"earshot/models/store"
)

// Store is what mail needs of the store.
type Store interface {
	RequeueMails(ctx context.Context) error
	QueueNews(ctx context.Context) (queued int, err error)
	BeginMail(ctx context.Context) (*models.Mail, error)
	MailContent(ctx context.Context, mail models.Mail) (*store.MailContent, error)
	MailSent(ctx context.Context, mail models.Mail, address models.AddressHash) error
	DropMail(ctx context.Context, id models.ID) error
	RetryMail(ctx context.Context, id models.ID, reason string, unreachable bool) (given bool, err error)
	FailMail(ctx context.Context, mail models.Mail, reason string, address models.AddressHash, bounced bool) error
	ReleaseMail(ctx context.Context, id models.ID) error
	HurryMails(ctx context.Context) error
	PruneMails(ctx context.Context) (more bool, err error)
	MailCounts(ctx context.Context) (waiting, failed int64, err error)
	PutLetter(ctx context.Context, sealed []byte, lifetime time.Duration) error
	BeginLetter(ctx context.Context) (*store.Letter, error)
	EndLetter(ctx context.Context, id models.ID) error
}

// Options is what a Runner is made from.
type Options struct {
	Store  Store
	Server Server
	// From is whom mails are from.
	From  mail.Address
	Links Links
	// ReceiptURL is the address of an item's receipt.
	ReceiptURL func(models.ID, int) string
	// Seen tells up to when a visitor has seen what happened in an item of theirs,
	// without a mail.
	Seen func(*models.Feedback) time.Time
	// LetterKey seals letters while they wait: 32 bytes.
	LetterKey []byte
	Log       *slog.Logger
	Now       func() time.Time
	// Look is the time between two looks for mail that is due.
	Look time.Duration

	// Metrics counts what becomes of mails; nil where nobody reads it.
	Metrics *metrics.Metrics

	// roots are who vouches for the mail server, in tests.
	roots *x509.CertPool
}

// Runner sends one mail after the other.
type Runner struct {
	Options
	composer *composer
	sender   *sender
	letters  seal.Box
	posted   chan struct{} // there is a letter; one mark is enough
	cancel   context.CancelFunc
	ended    sync.WaitGroup

	// The run goroutine's own. sent are mails that were, and of which the store
	// could not be told: they must not be sent once more.
	sent     map[models.ID]sentMail
	away     int // looks in a row that found no mail server
	silent   int // looks to leave out until the next
	prunedAt time.Time
}

type sentMail struct {
	mail    models.Mail
	address models.AddressHash
}

const (
	// Look is the usual time between two looks.
	Look = 2 * time.Second
	// longestSilence bounds, in looks, the time between two attempts to reach a mail
	// server that is away: a minute.
	longestSilence = 30
	pruneInterval  = time.Minute
	writeTimeout   = time.Minute
)

// Start starts a Runner; end it with Stop.
func Start(ctx context.Context, options Options) (*Runner, error) {
	if options.Metrics == nil {
		options.Metrics = metrics.Unread()
	}
	r := &Runner{Options: options, sent: map[models.ID]sentMail{}, posted: make(chan struct{}, 1)}
	var err error
	if r.letters, err = seal.New(options.LetterKey); err != nil {
		return nil, err
	}
	if r.composer, err = newComposer(options); err != nil {
		return nil, err
	}
	if r.sender, err = newSender(options.Server, r.composer.host, options.roots, options.Metrics.Mailed); err != nil {
		return nil, fmt.Errorf("set up the mail server: %w", err)
	}
	if err := options.Store.RequeueMails(ctx); err != nil {
		return nil, fmt.Errorf("take mails up again: %w", err)
	}
	waiting, failed, err := options.Store.MailCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count mails: %w", err)
	}
	if waiting+failed > 0 {
		options.Log.Info("mails", "waiting", waiting, "given up within 30 days", failed)
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.ended.Go(func() { r.run(ctx) })
	return r, nil
}

// Stop gives the mail that is on its way a moment, and waits.
func (r *Runner) Stop() {
	r.cancel()
	r.ended.Wait()
}

func (r *Runner) run(ctx context.Context) {
	ticker := time.NewTicker(r.Look)
	defer ticker.Stop()
	defer func() { r.sender.rest(r.Now(), true) }()
	for {
		r.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-r.posted:
		}
	}
}

// look sends what is due.
func (r *Runner) look(ctx context.Context) {
	if r.silent > 0 {
		r.silent--
		return
	}
	if _, err := r.Store.QueueNews(ctx); err != nil {
		r.complain(ctx, "look for news to mail", err)
	}
	for r.nextLetter(ctx) {
	}
	for r.next(ctx) {
	}
	r.sender.rest(r.Now(), false)
	r.prune(ctx)
}

func (r *Runner) prune(ctx context.Context) {
	now := r.Now()
	if since := now.Sub(r.prunedAt); since < pruneInterval && since >= 0 {
		return
	}
	more, err := r.Store.PruneMails(ctx)
	if err != nil {
		r.complain(ctx, "forget old mails", err)
	}
	if !more {
		r.prunedAt = now
	}
}

func (r *Runner) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		r.Log.Error(what, "error", err)
	}
}

// next deals with one mail; it is false where nothing more is to be done for now.
func (r *Runner) next(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	m, err := r.Store.BeginMail(ctx)
	if err != nil || m == nil {
		if err != nil {
			r.complain(ctx, "look for mail", err)
		}
		return false
	}
	if done, ok := r.sent[m.ID]; ok {
		return r.note(done)
	}
	content, err := r.Store.MailContent(ctx, *m)
	if err != nil {
		return r.again(*m, err.Error(), false)
	}
	if content != nil && m.Kind == models.MailReply {
		content.Messages = unseen(content.Messages, r.Seen(content.Item))
		if len(content.Messages) == 0 {
			content = nil
		}
	}
	if content == nil {
		return r.tell(m.ID, "drop mail", func(ctx context.Context) error { return r.Store.DropMail(ctx, m.ID) })
	}
	message, err := r.composer.message(*m, content, r.Now())
	if err != nil {
		return r.fail(*m, err.Error(), content.AddressHash, errors.Is(err, errAddress))
	}
	result, err := r.sender.send(ctx, message, r.Now())
	return r.settle(ctx, *m, content.AddressHash, result, err)
}

// unseen are the messages that came after what was seen.
func unseen(messages []models.Message, seen time.Time) []models.Message {
	var rest []models.Message
	for _, message := range messages {
		if message.CreatedAt.After(seen) {
			rest = append(rest, message)
		}
	}
	return rest
}

// settle writes down what became of an attempt.
func (r *Runner) settle(ctx context.Context, m models.Mail, address models.AddressHash, result outcome, err error) bool {
	if result != unreachable && (err == nil || codeOf(err) != 0) { // the server has said something
		r.back(ctx)
	}
	switch result {
	case delivered:
		return r.note(sentMail{m, address})
	case bounced, rejected:
		return r.fail(m, reason(err), address, result == bounced)
	case unreachable:
		if ctx.Err() != nil { // we leave: it was never tried
			return r.tell(m.ID, "release mail", func(ctx context.Context) error { return r.Store.ReleaseMail(ctx, m.ID) }) && false
		}
		if r.away == 0 {
			r.Log.Warn("mail server cannot be reached, mails wait", "error", err)
		}
		r.away++
		r.silent = min(1<<min(r.away, 8), longestSilence)
		r.again(m, reason(err), true)
		return false
	case retry:
	}
	return r.again(m, reason(err), false)
}

// back has what waited for the mail server go on.
func (r *Runner) back(ctx context.Context) {
	if r.away == 0 {
		return
	}
	r.away = 0
	r.Log.Info("mail server is there again")
	if err := r.Store.HurryMails(ctx); err != nil {
		r.complain(ctx, "hurry mails", err)
	}
}

// note tells the store that a mail was sent, now or at the next look.
func (r *Runner) note(done sentMail) bool {
	r.sent[done.mail.ID] = done
	ok := r.tell(done.mail.ID, "note that mail was sent", func(ctx context.Context) error { return r.Store.MailSent(ctx, done.mail, done.address) })
	if ok {
		delete(r.sent, done.mail.ID)
	}
	return ok
}

func (r *Runner) again(m models.Mail, why string, unreachable bool) bool {
	var given bool
	ok := r.tell(m.ID, "put mail off", func(ctx context.Context) (err error) {
		given, err = r.Store.RetryMail(ctx, m.ID, why, unreachable)
		return err
	})
	if ok && given {
		r.Log.Error("mail given up", "mail", m.ID, "kind", m.Kind, "project", m.ProjectID, "attempts", m.Attempts+1, "reason", why)
	}
	return ok
}

func (r *Runner) fail(m models.Mail, why string, address models.AddressHash, isBounce bool) bool {
	level := slog.LevelError
	if isBounce { // visitors mistype their addresses every day
		level = slog.LevelWarn
	}
	r.Log.Log(context.Background(), level, "mail given up", "mail", m.ID, "kind", m.Kind, "project", m.ProjectID, "reason", why)
	return r.tell(m.ID, "give mail up", func(ctx context.Context) error { return r.Store.FailMail(ctx, m, why, address, isBounce) })
}

// tell writes to the store, also while we leave; false where it could not.
func (r *Runner) tell(id models.ID, what string, write func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	err := write(ctx)
	if err != nil {
		r.Log.Error(what, "mail", id, "error", err)
	}
	return err == nil
}

// reason says why a mail was not taken, without the address that it was for.
func reason(err error) string {
	var refusal *gomail.SendError
	if codeOf(err) == 0 || !errors.As(err, &refusal) {
		return "the connection to the mail server failed"
	}
	return refusal.Reason.String() + ": " + strconv.Itoa(refusal.ErrorCode()) + " " + refusal.EnhancedStatusCode()
}

// codeOf is what the mail server has answered, 0 where it has not.
func codeOf(err error) int {
	var refusal *gomail.SendError
	if errors.As(err, &refusal) {
		return refusal.ErrorCode()
	}
	return 0
}
