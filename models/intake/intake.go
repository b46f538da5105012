// Package intake takes submissions in, from whichever transport they come: it
// checks them, holds them to their limits, and has them stored.
package intake

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/challenge"
	"earshot/models/metrics"
	"earshot/models/ratelimit"
	"earshot/models/store"
	"earshot/models/suspicion"
	"earshot/models/trace"
)

// The limits of the wire contract, in submissions a minute. An office shares an
// address: what it sends beyond perAddress with proofs of work gets through until
// it is three times as much.
const (
	PerSession       = 6
	perAddress       = 30
	provenPerAddress = 2 * perAddress
	perProject       = 600
)

// Store is what intake needs of the store.
type Store interface {
	Submit(ctx context.Context, in store.NewFeedback) (store.Accepted, error)
	// HasFeedback reports whether the id was used in the project.
	HasFeedback(ctx context.Context, project, id models.ID) (bool, error)
	PostVisitorMessage(ctx context.Context, project *models.Project, session models.ID, in models.NewMessage) (store.Posted, error)
	// Blocks are a project's. It is asked at every submission.
	Blocks(ctx context.Context, project models.ID) (*models.Blocks, error)
}

// Options is what an Intake is made from.
type Options struct {
	Store Store
	// BaseURL is the public address, without a trailing slash.
	BaseURL string
	// Secret signs receipts, ChallengeKey challenges, and AddressKey keys the hashes
	// of addresses.
	Secret, ChallengeKey, AddressKey []byte
	// IdentityKey makes the secrets that sites sign their visitors' identities with.
	IdentityKey []byte
	// Unlimited lifts the rate limits, for load tests. Then many submissions at once
	// are no sign against any of them.
	Unlimited bool
	// Credulous has nothing suspected, for tests of what that is good for.
	Credulous bool
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Metrics counts what is taken in; nil where nobody reads it.
	Metrics *metrics.Metrics
}

// Intake takes submissions in. It may be used by many goroutines at once.
type Intake struct {
	store   Store
	metrics *metrics.Metrics
	baseURL string
	secret  []byte
	now     func() time.Time

	addressKey, identityKey []byte
	judge                   *suspicion.Judge // nil: nothing is suspected
	challenges              *challenge.Book

	sessions, addresses, proven, projects, messages, asked *ratelimit.Limiter
}

// New makes an Intake.
func New(options Options) (*Intake, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Metrics == nil {
		options.Metrics = metrics.Unread()
	}
	in := &Intake{
		store: options.Store, metrics: options.Metrics, baseURL: strings.TrimSuffix(options.BaseURL, "/"), secret: options.Secret, now: options.Now,
		addressKey: options.AddressKey, identityKey: options.IdentityKey, challenges: challenge.NewBook(options.ChallengeKey, options.Now),
	}
	if !options.Credulous {
		in.judge = suspicion.New(options.Now, !options.Unlimited)
	}
	for _, limit := range []struct {
		into  **ratelimit.Limiter
		count int
	}{
		{&in.sessions, PerSession}, {&in.addresses, perAddress}, {&in.proven, provenPerAddress}, {&in.projects, perProject},
		{&in.messages, messagesPerSession}, {&in.asked, challengesPerAddress},
	} {
		*limit.into = ratelimit.Unlimited()
		if options.Unlimited {
			continue
		}
		limiter, err := ratelimit.New(limit.count, time.Minute, options.Now)
		if err != nil {
			return nil, err
		}
		*limit.into = limiter
	}
	return in, nil
}

// Request is a submission as a transport hands it over.
type Request struct {
	Project    *models.Project
	Address    netip.Addr
	Submission models.Submission
	Evidence   models.Evidence
	// ResumeToken is the visitor's own; "" where none was brought, and then one
	// is made.
	ResumeToken string
	// SessionID is what the session will be called if the token is new; made
	// where it is "".
	SessionID models.ID
	// SessionStored says that SessionID is that of an earlier Result with the same
	// token, so that it need not be looked for.
	SessionStored bool
}

// Result is what the visitor is told.
type Result struct {
	ID        models.ID
	SessionID models.ID
	// Repeated: it was here before.
	Repeated bool
	// ReceiptURL is "" where the submission belongs to another session.
	ReceiptURL string
	// ResumeToken is set where one was made.
	ResumeToken string
}

// Submit returns once the submission is on disk. Limits of a session and an
// address refuse (CodeRateLimited). Past a project's limit, and where something
// speaks against it, a submission is kept but quarantined, so that a flood hides
// nobody's feedback; a client that can answer challenges is asked for a proof of
// work (CodeChallengeRequired), with which it is let through.
func (in *Intake) Submit(ctx context.Context, request Request) (result Result, err error) {
	span := trace.Of(ctx).Child("intake", time.Now())
	if span != nil {
		ctx = trace.With(ctx, span)
		defer func() {
			if err != nil {
				span.Set(trace.Attribute{Name: "earshot.code", Value: string(models.CodeOf(err))})
			}
			span.End(time.Now())
		}()
	}
	return in.submit(ctx, request)
}

func (in *Intake) submit(ctx context.Context, request Request) (Result, error) {
	if err := request.Submission.Normalize(); err != nil {
		return Result{}, err
	}
	if err := request.Evidence.Identity.Check(); err != nil {
		return Result{}, err
	}
	if request.ResumeToken != "" && !models.ValidToken(request.ResumeToken) {
		return Result{}, models.InvalidField("resume_token", "must be 43 characters of base64url")
	}
	made := ""
	if request.ResumeToken == "" {
		made = models.NewResumeToken()
		request.ResumeToken = made
	}
	if request.SessionID == "" {
		request.SessionID = models.NewID()
	}
	hash := models.HashResumeToken(request.ResumeToken)
	a := admission{
		in: in, request: &request, token: hash, party: hash, address: AddressKey(request.Address),
		addressHash: in.AddressHash(request.Project.ID, request.Address),
	}
	if made != "" { // what is sent again without a token has another one each time
		a.party = []byte(request.Submission.ID)
	}
	quarantine, err := a.admit(ctx)
	if err != nil {
		return Result{}, err
	}
	accepted, err := in.store.Submit(ctx, store.NewFeedback{
		Project: request.Project, Submission: request.Submission, ResumeHash: hash, TokenMade: made != "",
		SessionID: request.SessionID, SessionStored: request.SessionStored, AddressHash: a.addressHash, Quarantine: quarantine,
		Identity: in.identity(request),
	})
	if err != nil {
		return Result{}, errors.Join(err, a.session.giveBack(ctx))
	}
	in.count(accepted, quarantine)
	result := Result{ID: accepted.ID, SessionID: accepted.SessionID, Repeated: accepted.Repeated, ResumeToken: made}
	if accepted.Repeated {
		if err := a.session.giveBack(ctx); err != nil {
			return Result{}, err
		}
	}
	if accepted.Owned {
		result.ReceiptURL = in.ReceiptURL(accepted.ID, accepted.ReceiptVersion)
	}
	return result, nil
}

func (in *Intake) count(accepted store.Accepted, quarantine []string) {
	switch {
	case accepted.Repeated:
		in.metrics.Submitted("repeated")
	case len(quarantine) > 0:
		in.metrics.Submitted("quarantined")
	default:
		in.metrics.Submitted("accepted")
	}
}

// IdentitySecret is what a project's site signs its visitors' identities with.
func (in *Intake) IdentitySecret(project *models.Project) string {
	return models.IdentitySecret(in.identityKey, project.ID, project.IdentityVersion)
}

// identity is who the visitor is to the site, "" where the site has not signed it. A
// claim that is wrong keeps nobody's feedback out: it may be the site that errs.
func (in *Intake) identity(request Request) string {
	claim := request.Evidence.Identity
	if claim != nil && claim.Verified(in.IdentitySecret(request.Project), in.now()) {
		return claim.ID
	}
	return ""
}
