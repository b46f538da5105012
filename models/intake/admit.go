package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/netip"

	"earshot/models"
	"earshot/models/challenge"
	"earshot/models/ratelimit"
	"earshot/models/suspicion"
)

// reasonFlood marks what came while its project was over its limit.
const reasonFlood = "The project received unusually many submissions at this time."

// counted is a submission in a budget.
type counted struct {
	by  *ratelimit.Limiter // nil where it was not counted
	key string
}

// giveBack takes a submission out of a budget again: only what was stored is what
// somebody has sent.
func (c counted) giveBack(ctx context.Context) error {
	if c.by == nil {
		return nil
	}
	return c.by.Return(ctx, c.key)
}

// admission is a submission on its way through the limits.
type admission struct {
	in      *Intake
	request *Request
	token   models.ResumeHash
	// party is what tells one who sends from another.
	party                []byte
	address, addressHash string

	// session is what the submission took of its session's budget. What it took of
	// its address's and its project's only a challenge gives back.
	session, ofAddress, ofProject counted
	// crowded says that its address may send no more, flooded that its project may
	// get no more.
	crowded, flooded bool
	verdict          suspicion.Verdict
	// blocked says which blocks hold it back.
	blocked []string
}

// admit holds a submission to the limits and says why it is to be quarantined, if
// it is.
func (a *admission) admit(ctx context.Context) (quarantine []string, err error) {
	if err := a.count(ctx); err != nil {
		return nil, err
	}
	if err = a.look(ctx); err == nil {
		quarantine, err = a.decide(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, a.session.giveBack(ctx))
	}
	return quarantine, nil
}

// look finds what speaks against the submission.
func (a *admission) look(ctx context.Context) error {
	in, request := a.in, a.request
	blocks, err := in.store.Blocks(ctx, request.Project.ID)
	if err != nil {
		return err
	}
	if blocks.Any() {
		a.blocked = blocks.Reasons(&request.Submission, a.addressHash, a.token, in.now())
	}
	if in.judge != nil {
		a.verdict = in.judge.Examine(suspicion.Case{
			Project: request.Project, Submission: &request.Submission, Evidence: &request.Evidence, Address: a.address, Session: a.party,
		})
	}
	return nil
}

// count takes the submission out of the budgets. An error refuses it: its session
// has sent too much, or its address has and the client knows of no challenges.
func (a *admission) count(ctx context.Context) error {
	in, request := a.in, a.request
	key := sessionKey(request.Project, a.token)
	if err := in.sessions.Take(ctx, key); err == nil {
		a.session = counted{in.sessions, key}
	} else {
		// Who repeats what was acknowledged asks for nothing new.
		known, lookupErr := in.store.HasFeedback(ctx, request.Project.ID, request.Submission.ID)
		if lookupErr != nil || !known {
			return errors.Join(err, lookupErr)
		}
	}
	switch err := in.addresses.Take(ctx, a.address); {
	case err == nil:
		a.ofAddress = counted{in.addresses, a.address}
	case models.CodeOf(err) != models.CodeRateLimited || request.Evidence.Proof == nil:
		return errors.Join(err, a.session.giveBack(ctx))
	default:
		a.crowded = true
	}
	project := string(request.Project.ID)
	switch err := in.projects.Take(ctx, project); {
	case err == nil:
		a.ofProject = counted{in.projects, project}
	case models.CodeOf(err) == models.CodeRateLimited:
		a.flooded = true
	default:
		return errors.Join(err, a.session.giveBack(ctx))
	}
	return nil
}

// decide says why the submission is to be quarantined, if it is, or asks for a
// proof of work.
func (a *admission) decide(ctx context.Context) ([]string, error) {
	certain := len(a.blocked) > 0 || a.verdict.Certain()
	switch {
	case a.crowded:
		if err := a.prove(ctx); err != nil {
			return nil, err
		}
		if err := a.in.proven.Take(ctx, a.address); err != nil || !certain {
			return nil, err
		}
	case !certain && !a.flooded && !a.verdict.Suspected():
		return nil, nil
	case certain || a.request.Evidence.Proof == nil:
		// No proof is of use, or there cannot be one.
	default:
		err := a.prove(ctx)
		if err == nil {
			return nil, nil
		}
		known, lookupErr := a.in.store.HasFeedback(ctx, a.request.Project.ID, a.request.Submission.ID)
		if lookupErr != nil || !known {
			return nil, errors.Join(err, lookupErr)
		}
	}
	reasons := append(a.blocked, a.verdict.Reasons()...)
	if a.flooded {
		reasons = append(reasons, reasonFlood)
	}
	return reasons, nil
}

// prove checks the proof of work. Who brings none that is good has sent nothing:
// what the budgets were taken is given back.
func (a *admission) prove(ctx context.Context) error {
	err := challenge.Required()
	if proof := *a.request.Evidence.Proof; proof != "" {
		err = a.in.challenges.Check(proof, a.request.Project.ID, a.request.Submission.ID)
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, a.ofAddress.giveBack(ctx), a.ofProject.giveBack(ctx))
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

// addressHashBytes is 128 bits: no two addresses of a project have the same.
const addressHashBytes = 16

// AddressHash is what is kept of an address, so that it can be blocked: without
// the server's secret it cannot be told which it was, and in another project it is
// another.
func (in *Intake) AddressHash(project models.ID, address netip.Addr) string {
	mac := hmac.New(sha256.New, in.addressKey)
	mac.Write([]byte(project))
	mac.Write([]byte(AddressKey(address)))
	return models.AddressValue(mac.Sum(nil)[:addressHashBytes])
}
