package models

import (
	"crypto/sha256"
	"strings"
	"time"
)

// AuthorKind is on which side of a conversation somebody is.
type AuthorKind string

// The sides.
const (
	AuthorVisitor AuthorKind = "visitor"
	AuthorMember  AuthorKind = "member"
)

// Author is who wrote a message.
type Author struct {
	Kind   AuthorKind `json:"kind"`
	UserID ID         `json:"user_id,omitempty" doc:"The member's; absent where it is the visitor"`
	Name   string     `json:"name" doc:"As it was then; may be empty for a visitor"`
}

// PublicName is what a visitor is told of a member: never the e-mail address that
// stands in for a name that was not given.
func (a Author) PublicName() string {
	if strings.Contains(a.Name, "@") {
		return ""
	}
	return a.Name
}

// Visibility is who may see a message.
type Visibility string

// The visibilities. A note is internal: no visitor ever sees it.
const (
	VisibilityPublic   Visibility = "public"
	VisibilityInternal Visibility = "internal"
)

// MaxMessageBody bounds a message of a conversation, in code points.
const MaxMessageBody = 5000

// Message is one message of an item's conversation, or a note.
type Message struct {
	ID         ID
	ProjectID  ID
	FeedbackID ID
	Author     Author
	Visibility Visibility
	Body       string // "" once it was deleted
	// Rev counts the edits from 1; a writer names the one it has seen.
	Rev       int64
	CreatedAt time.Time
	UpdatedAt time.Time
	Deleted   bool
}

// NewMessage is a message on its way into the store. Its id is made by whoever
// sends it: sent again, it is the same one.
type NewMessage struct {
	ID         ID
	FeedbackID ID
	Author     Author
	Visibility Visibility
	Body       string
}

// Normalize checks a message and brings it to the form in which it is stored and
// compared.
func (m *NewMessage) Normalize() error {
	var p problems
	if !m.ID.Valid() {
		p.add("id", "must be a UUIDv7 in lower case")
	}
	if m.Visibility != VisibilityPublic && m.Visibility != VisibilityInternal {
		p.add("visibility", "must be public or internal")
	}
	m.Body = NormalizeBody(m.Body)
	checkBody(&p, m.Body)
	return p.err()
}

// NormalizeBody trims a message's text, and gives its lines one kind of end: forms
// send another than programs (HTML Living Standard, "Constructing the entry list").
func NormalizeBody(body string) string {
	return strings.TrimSpace(strings.ReplaceAll(body, "\r\n", "\n"))
}

// CheckBody holds a normalised text to what a message may say.
func CheckBody(body string) error {
	var p problems
	checkBody(&p, body)
	return p.err()
}

func checkBody(p *problems, body string) {
	if checkText(p, "body", body) {
		checkLength(p, "body", body, 1, MaxMessageBody)
	}
}

// Fingerprint identifies what was sent: two messages of one id are the same
// exactly when their fingerprints are. The fields before the body have no
// spaces, so none can run into the next.
func (m *NewMessage) Fingerprint() []byte {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		string(m.FeedbackID), string(m.Author.Kind), "u" + string(m.Author.UserID), string(m.Visibility), m.Body,
	}, " ")))
	return sum[:]
}
