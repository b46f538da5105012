package suspicion

import (
	"slices"
	"strings"
	"time"

	"earshot/models"
)

// signs is a set of what speaks against a submission.
type signs uint32

const (
	trapped signs = 1 << iota
	filledAtOnce
	filledInHaste
	manyLinks
	someLinks
	onlyLinks
	markup
	linkAsName
	repetitive
	disposable
	foreignPage
	sameText
	burst
	longBurst
	attacked
)

// unforgivable are the signs that no work outweighs: no person gives them.
const unforgivable = trapped

// Nobody opens a form, writes, and sends it within a second; some do within three,
// with a short text or a pasted one.
const (
	atOnce  = time.Second
	inHaste = 3 * time.Second
)

// sign is how much one weighs and what staff read of it. Reasons are counted by
// their text, so they name no value.
type sign struct {
	weight int
	reason string
}

// catalogue has the signs in the order of their bits.
var catalogue = [...]sign{ //nolint:gochecknoglobals // a table
	{Threshold, "A field that people cannot see was filled in."},
	{Threshold, "The form was sent less than a second after it was opened."},
	{2, "The form was sent less than three seconds after it was opened."},
	{Threshold, "The message has five or more links to other sites."}, // reports quote one or two
	{2, "The message has several links to other sites."},
	{2, "The message is hardly more than a link to another site."},
	{3, "The message has links in HTML or BBCode, as spam for forums does."}, // or asks about HTML
	{3, "The name is a link."},
	{2, "The message repeats the same characters over and over."}, // or is angry
	{1, "The e-mail address is of a service for throw-away addresses."},
	{2, "The page is not one of the origins that the project allows."}, // or a site that moves
	{Threshold, "Several other visitors sent the same text within an hour."},
	{2, "Many sessions came from one address within minutes."}, // or an office
	{Threshold, "A great many sessions came from one address within minutes."},
	{Threshold, "It came amid many suspected submissions, without a proof of work."},
}

func (s signs) weight() (sum int) {
	for i := 0; s != 0; i, s = i+1, s>>1 {
		if s&1 != 0 {
			sum += catalogue[i].weight
		}
	}
	return sum
}

// ofFields is what the fields beside the message give away.
func ofFields(s *models.Submission) (found signs) {
	if s.Name != "" && (strings.Contains(s.Name, "://") || strings.HasPrefix(strings.ToLower(s.Name), "www.")) {
		found |= linkAsName
	}
	if _, domain, ok := strings.Cut(s.Email, "@"); ok && slices.Contains(throwAway[:], domain) {
		found |= disposable
	}
	return found
}

// throwAway are the best known services whose addresses live for minutes. There
// are thousands; an address of one only adds to other signs.
var throwAway = [...]string{ //nolint:gochecknoglobals // a table
	"10minutemail.com", "discard.email", "dispostable.com", "emailondeck.com", "fakeinbox.com", "getnada.com", "grr.la",
	"guerrillamail.com", "guerrillamail.info", "guerrillamail.net", "guerrillamail.org", "maildrop.cc", "mailinator.com", "mailnesia.com",
	"mintemail.com", "mohmal.com", "mytemp.email", "sharklasers.com", "spam4.me", "temp-mail.org", "tempail.com", "tempmail.com", "throwawaymail.com",
	"trashmail.com", "yopmail.com",
}
