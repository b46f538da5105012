// Package suspicion judges whether a person wrote a submission. Each sign that
// speaks against it has a weight, and a sentence that staff read beside the item;
// together they hold it back or let it through. Nothing is refused here.
package suspicion

import (
	"hash/maphash"
	"time"

	"earshot/models"
	"earshot/models/sighting"
)

// Threshold is the weight from which on a submission is suspected: one sign that
// hardly a person gives, or two that some do.
const Threshold = 4

// The bounds of what is counted. Memory is fixed, about a megabyte in all.
const (
	// A text that so many other sessions have sent within an hour is a campaign's.
	// Short ones are the same by chance.
	sameTextSessions = 4
	sameTextLetters  = 24
	textWindow       = time.Hour
	textKeys         = 1 << 13
	// An address with so many sessions is a large office, or a program that takes
	// a new session each time. At 30 a minute 40 take more than a minute.
	burstSessions     = 10
	longBurstSessions = 40
	burstWindow       = 10 * time.Minute
	addressKeys       = 1 << 13
	// So many suspected submissions from so many addresses are an attack on their
	// project, and what comes with them unproven is held back with them.
	attackSubmissions = 20
	attackAddresses   = 8
	attackWindow      = 5 * time.Minute
	projectKeys       = 1 << 10
)

// Judge remembers what it needs of earlier submissions. It may be used by many
// goroutines at once.
type Judge struct {
	now  func() time.Time
	seed maphash.Seed
	// nil where many at once are no sign: for load tests.
	texts, addresses, attacks, attackers *sighting.Table
}

// New makes a Judge. crowds says whether to heed signs that lie in many
// submissions together.
func New(now func() time.Time, crowds bool) *Judge {
	j := &Judge{now: now, seed: maphash.MakeSeed()}
	if crowds {
		j.texts = sighting.New(textKeys, textWindow, true)
		j.addresses = sighting.New(addressKeys, burstWindow, false)
		j.attacks = sighting.New(projectKeys, attackWindow, true)
		j.attackers = sighting.New(projectKeys, attackWindow, true)
	}
	return j
}

// Case is a submission to be judged; its texts are normalised.
type Case struct {
	Project    *models.Project
	Submission *models.Submission
	Evidence   *models.Evidence
	// Address counts as one party on the network.
	Address string
	// Session is the visitor's, by whatever tells it from others.
	Session []byte
}

// Verdict is what speaks against a submission.
type Verdict struct {
	signs  signs
	weight int
}

// Suspected reports whether it is to be held back.
func (v Verdict) Suspected() bool { return v.weight >= Threshold }

// Certain reports whether it is to be held back whatever work was done for it.
func (v Verdict) Certain() bool { return v.signs&unforgivable != 0 }

// Reasons are sentences that tell staff why; none where it is not suspected.
func (v Verdict) Reasons() []string {
	if !v.Suspected() {
		return nil
	}
	var reasons []string
	for i := range catalogue {
		if v.signs&(1<<i) != 0 {
			reasons = append(reasons, catalogue[i].reason)
		}
	}
	return reasons
}

// Hash is a number for something that is counted.
func (j *Judge) Hash(parts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(j.seed)
	for _, part := range parts {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// Examine judges one submission and remembers it. What it costs is little: a
// thousandth of what storing the submission does.
func (j *Judge) Examine(c Case) Verdict {
	found := j.manner(c)
	words := read(c.Submission.Message, pageHost(c.Submission.PageURL))
	found |= words.signs() | ofFields(c.Submission)
	if len(c.Project.AllowedOrigins) > 0 && !c.Project.AllowedOrigins.AllowsPage(c.Submission.PageURL) {
		found |= foreignPage
	}
	if j.texts != nil {
		found |= j.crowds(c, words, found)
	}
	return Verdict{signs: found, weight: found.weight()}
}

// manner is how the form was filled in.
func (j *Judge) manner(c Case) (found signs) {
	if c.Evidence.Website != "" {
		found |= trapped
	}
	if elapsed := c.Evidence.ElapsedMS; elapsed != nil && *elapsed >= 0 {
		switch took := *elapsed; {
		case took < atOnce.Milliseconds():
			found |= filledAtOnce
		case took < inHaste.Milliseconds():
			found |= filledInHaste
		}
	}
	return found
}

// crowds is what a submission has in common with others.
func (j *Judge) crowds(c Case, words reading, own signs) (found signs) {
	now := j.now()
	session := maphash.Bytes(j.seed, c.Session)
	address := j.Hash(string(c.Project.ID), c.Address)
	project := j.Hash(string(c.Project.ID))
	if words.letters >= sameTextLetters && j.texts.Note(words.hash^project, session, now) > sameTextSessions {
		found |= sameText
	}
	switch n := j.addresses.Note(address, session, now); {
	case n >= longBurstSessions:
		found |= longBurst
	case n >= burstSessions:
		found |= burst
	}
	if (own | found).weight() >= Threshold {
		j.attacks.Note(project, session, now)
		j.attackers.Note(project, address, now)
	}
	if j.attacks.Count(project, now) >= attackSubmissions && j.attackers.Count(project, now) >= attackAddresses {
		found |= attacked
	}
	return found
}
