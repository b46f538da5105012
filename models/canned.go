package models

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// MaxCannedReplies bounds what a project has of them.
const MaxCannedReplies = 500

// CannedReply is an answer that staff give again and again.
type CannedReply struct {
	ID             ID
	OrganizationID ID
	ProjectID      ID
	Name           string
	// Body may hold placeholders: {{visitor.name}}, or {{visitor.name|there}} with
	// what stands there where nothing is known.
	Body      string
	Rev       int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Placeholders are what a canned reply may leave open.
func Placeholders() []string { return []string{"visitor.name", "visitor.email", "page", "member.name"} }

var placeholder = regexp.MustCompile(`\{\{([^{}|]*)(\|[^{}]*)?\}\}`)

// Normalize checks a canned reply, and brings it to the form in which it is stored.
func (r *CannedReply) Normalize() error {
	var p problems
	r.Name = strings.TrimSpace(r.Name)
	if checkText(&p, "name", r.Name) {
		checkLength(&p, "name", r.Name, 1, MaxName)
	}
	if r.Body = NormalizeBody(r.Body); CheckBody(r.Body) != nil {
		p.add("body", "must be 1 to 5,000 code points of text")
	}
	for _, found := range placeholder.FindAllStringSubmatch(r.Body, -1) {
		if name := strings.TrimSpace(found[1]); !slices.Contains(Placeholders(), name) {
			p.add("body", "{{%s}} is not one of %v", name, Placeholders())
		}
	}
	return p.err()
}
