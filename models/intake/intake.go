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
	"earshot/models/ratelimit"
	"earshot/models/store"
)

// The limits of the wire contract, in submissions a minute.
const (
	PerSession = 6
	perAddress = 30
	perProject = 600
)

// reasonFlood marks what came while its project was over its limit.
const reasonFlood = "The project received unusually many submissions at this time."

// Store is what intake needs of the store.
type Store interface {
	Submit(ctx context.Context, in store.NewFeedback) (store.Accepted, error)
	// HasFeedback reports whether the id was used in the project.
	HasFeedback(ctx context.Context, project, id models.ID) (bool, error)
	PostVisitorMessage(ctx context.Context, project *models.Project, session models.ID, in models.NewMessage) (store.Posted, error)
}

// Options is what an Intake is made from.
type Options struct {
	Store Store
	// BaseURL is the public address, without a trailing slash.
	BaseURL string
	// Secret signs receipts.
	Secret []byte
	// Unlimited lifts the rate limits, for load tests.
	Unlimited bool
}

// Intake takes submissions in. It may be used by many goroutines at once.
type Intake struct {
	store   Store
	baseURL string
	secret  []byte

	sessions, addresses, projects, messages *ratelimit.Limiter
}

// New makes an Intake.
func New(options Options) (*Intake, error) {
	in := &Intake{
		store: options.Store, baseURL: strings.TrimSuffix(options.BaseURL, "/"), secret: options.Secret,
		sessions: ratelimit.Unlimited(), addresses: ratelimit.Unlimited(), projects: ratelimit.Unlimited(),
		messages: ratelimit.Unlimited(),
	}
	if options.Unlimited {
		return in, nil
	}
	for _, limit := range []struct {
		into  **ratelimit.Limiter
		count int
	}{{&in.sessions, PerSession}, {&in.addresses, perAddress}, {&in.projects, perProject}, {&in.messages, messagesPerSession}} {
		limiter, err := ratelimit.New(limit.count, time.Minute)
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
// address refuse (CodeRateLimited); past a project's limit submissions are kept
// but quarantined, so that a flood hides nobody's feedback.
func (in *Intake) Submit(ctx context.Context, request Request) (Result, error) {
	if err := request.Submission.Normalize(); err != nil {
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
	quarantine, counted, err := in.limit(ctx, request, hash)
	if err != nil {
		return Result{}, err
	}
	accepted, err := in.store.Submit(ctx, store.NewFeedback{
		Project: request.Project, Submission: request.Submission, ResumeHash: hash, TokenMade: made != "",
		SessionID: request.SessionID, SessionStored: request.SessionStored, Quarantine: quarantine,
	})
	if err != nil {
		return Result{}, errors.Join(err, counted.giveBack(ctx))
	}
	result := Result{ID: accepted.ID, SessionID: accepted.SessionID, Repeated: accepted.Repeated, ResumeToken: made}
	if accepted.Repeated {
		if err := counted.giveBack(ctx); err != nil {
			return Result{}, err
		}
	}
	if accepted.Owned {
		result.ReceiptURL = in.ReceiptURL(accepted.ID, accepted.ReceiptVersion)
	}
	return result, nil
}

// counted is a submission in the budget of its session.
type counted struct {
	by  *ratelimit.Limiter // nil where it was not counted
	key string
}

// giveBack takes a submission out of its session's budget again: only what was
// stored is what a session has sent.
func (c counted) giveBack(ctx context.Context) error {
	if c.by == nil {
		return nil
	}
	return c.by.Return(ctx, c.key)
}

func (in *Intake) limit(ctx context.Context, request Request, token models.ResumeHash) (quarantine []string, c counted, err error) {
	key := sessionKey(request.Project, token)
	if err := in.sessions.Take(ctx, key); err == nil {
		c = counted{in.sessions, key}
	} else {
		// Who repeats what was acknowledged asks for nothing new.
		known, lookupErr := in.store.HasFeedback(ctx, request.Project.ID, request.Submission.ID)
		if lookupErr != nil || !known {
			return nil, c, errors.Join(err, lookupErr)
		}
	}
	if err := in.addresses.Take(ctx, AddressKey(request.Address)); err != nil {
		return nil, c, errors.Join(err, c.giveBack(ctx))
	}
	err = in.projects.Take(ctx, string(request.Project.ID))
	if models.CodeOf(err) == models.CodeRateLimited {
		return []string{reasonFlood}, c, nil
	}
	return nil, c, err
}

func sessionKey(project *models.Project, token models.ResumeHash) string {
	return string(project.ID) + string(token)
}

// AddressKey is what one party on the network is counted by: an IPv4 address,
// or the /64 that an IPv6 customer is given whole.
func AddressKey(address netip.Addr) string {
	address = address.Unmap()
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}
