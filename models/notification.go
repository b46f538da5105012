package models

import (
	"crypto/sha256"
	"slices"
	"time"
)

// MailKind is what a mail is about.
type MailKind string

// The kinds of mail.
const (
	// MailReply tells a visitor what staff have answered.
	MailReply MailKind = "reply"
	// MailAnswer tells a member what a visitor has answered in an item of theirs.
	MailAnswer MailKind = "answer"
	// MailNews tells a member of new feedback.
	MailNews MailKind = "news"
)

// Mail is an e-mail that is to be sent. What it says is composed when it is.
type Mail struct {
	ID             ID // also in its Message-ID: sent twice it is the same one
	Kind           MailKind
	OrganizationID ID
	ProjectID      ID
	UserID         ID // the member's; "" where it is for a visitor
	FeedbackID     ID // "" where it is about several
	// Since and Through are what it is about: of news the log's numbers after the
	// one up to the other, otherwise the messages from the one time to the other, in
	// Unix milliseconds.
	Since, Through int64
	// Attempts counts those that failed.
	Attempts  int
	CreatedAt time.Time
}

// NotifyMode is when a member is mailed about new feedback of a project.
type NotifyMode string

// The modes, from most to fewest mails.
const (
	NotifyAtOnce NotifyMode = "at_once"
	NotifyHourly NotifyMode = "hourly"
	NotifyDaily  NotifyMode = "daily"
	NotifyNever  NotifyMode = "never"
)

// NotifyModes lists all modes; the caller owns the slice.
func NotifyModes() []NotifyMode {
	return []NotifyMode{NotifyAtOnce, NotifyHourly, NotifyDaily, NotifyNever}
}

// DailyHour is when a daily mail comes, by the member's clock.
const DailyHour = 8

// Next is the first moment after now at which a mail of this mode comes, by the
// clock of the zone.
func (m NotifyMode) Next(now time.Time, zone *time.Location) time.Time {
	switch m {
	case NotifyHourly:
		return now.Truncate(time.Hour).Add(time.Hour)
	case NotifyDaily:
		local := now.In(zone)
		year, month, day := local.Date()
		next := time.Date(year, month, day, DailyHour, 0, 0, 0, zone)
		if !next.After(now) {
			next = time.Date(year, month, day+1, DailyHour, 0, 0, 0, zone)
		}
		return next
	case NotifyAtOnce, NotifyNever:
	}
	return now
}

// Longest is more than any two mails of the mode are apart by themselves: a next
// one beyond it was reckoned by a clock that was wrong.
func (m NotifyMode) Longest() time.Duration {
	if m == NotifyDaily {
		return 26 * time.Hour // the day on which the clock is set back has 25
	}
	return 2 * time.Hour
}

// Notifications is what a member wants to be mailed.
type Notifications struct {
	// TimeZone is an IANA name.
	TimeZone string
	// Answers: what visitors answer in items assigned to the member.
	Answers bool
	// Projects has those of which the member hears; all others are NotifyNever.
	Projects map[ID]NotifyMode
	// Bouncing: the member's address has refused mail for good, so none is sent. It
	// is read only; to store notifications tries the address again.
	Bouncing bool
}

// maxZoneName is longer than any zone's name.
const maxZoneName = 64

// Check holds notifications to what they may be.
func (n *Notifications) Check() error {
	var p problems
	if _, err := LoadZone(n.TimeZone); err != nil {
		p.add("time_zone", "must be the name of a time zone, such as Europe/Berlin")
	}
	for id, mode := range n.Projects {
		if !id.Valid() {
			p.add("projects", "names a project that does not exist")
		}
		if !slices.Contains(NotifyModes(), mode) {
			p.add("projects", "must each have one of %v", NotifyModes())
		}
	}
	return p.err()
}

// LoadZone finds a zone by its IANA name. "Local" is none: the server's clock is
// nobody's business.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" || len(name) > maxZoneName {
		return nil, Errorf(CodeInvalidField, "%q is no time zone", name)
	}
	return time.LoadLocation(name)
}

// AddressHash is what is kept of an address that wants no mail, or refuses it. A
// visitor's is one project's alone; a member's has no project.
type AddressHash []byte

// HashAddress hashes an address in its normal form.
func HashAddress(project ID, address string) AddressHash {
	sum := sha256.Sum256([]byte(string(project) + "\x00" + address))
	return sum[:]
}

// Unsubscription is what a link in a mail ends: a project's mails to a visitor's
// address (MailReply), or a member's of one kind.
type Unsubscription struct {
	Kind      MailKind
	ProjectID ID
	UserID    ID          // the member's
	Address   AddressHash // the visitor's
}
