package models

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Organization owns projects and has members. Everything a tenant has hangs on it.
type Organization struct {
	ID        ID        `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// User is a person who can sign in; membership says where.
type User struct {
	ID           ID     `json:"id"`
	Email        string `json:"email"`
	Name         string `json:"name"`
	PasswordHash string `json:"-"` // "" where another provider signs the person in
	// EmailVerified: the address was proved to be the person's.
	EmailVerified bool `json:"email_verified"`
	// SecondFactor: signing in takes a code as well.
	SecondFactor bool      `json:"second_factor"`
	CreatedAt    time.Time `json:"created_at"`
}

// Role is what a member may do in an organisation.
type Role string

// The roles, from most to least.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleAgent  Role = "agent"
	RoleViewer Role = "viewer"
)

// CanManage reports whether the role may change projects and their settings.
func (r Role) CanManage() bool { return r == RoleOwner || r == RoleAdmin }

// CanTriage reports whether the role may change feedback.
func (r Role) CanTriage() bool { return r.CanManage() || r == RoleAgent }

// CanErase reports whether the role may erase feedback for good.
func (r Role) CanErase() bool { return r.CanManage() }

// Above reports whether the role may change who has the other one: owners anybody's,
// admins those below an owner.
func (r Role) Above(other Role) bool {
	return r == RoleOwner || r == RoleAdmin && other != RoleOwner
}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r.CanTriage() || r == RoleViewer }

// Membership is one organisation that a user belongs to.
type Membership struct {
	Organization Organization
	Role         Role
}

// Member is a person in an organisation, as colleagues see them.
type Member struct {
	UserID ID
	Name   string
	Email  string
	Role   Role
	// SecondFactor: signing in takes a code as well.
	SecondFactor bool
	JoinedAt     time.Time
}

// Session is a sign-in: the family of refresh tokens that grew from it.
type Session struct {
	ID             ID
	UserID         ID
	OrganizationID ID
	SignIn
	CreatedAt time.Time
	UsedAt    time.Time // when its token was last exchanged
	ExpiresAt time.Time
}

// SignIn is from where somebody signed in, for them to recognise it.
type SignIn struct {
	Agent string // as the browser calls itself, at most MaxAgent code points
	// Address is truncated (TruncateAddress).
	Address string
	// PasswordHash is that of the password by which they did; "" where by other means.
	PasswordHash string
}

// MaxAgent bounds what is kept of a browser's name for itself.
const MaxAgent = 200

// CleanAgent is what is kept of a browser's name for itself.
func CleanAgent(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, ""))
	if runes := []rune(agent); len(runes) > MaxAgent {
		agent = string(runes[:MaxAgent])
	}
	return agent
}

// Claims is who asks, as read from the credential and checked against the store.
type Claims struct {
	// UserID is the person's, or the key's id: whoever wrote something is named by it.
	UserID ID
	// SessionID is the session's, or the key's id: what is open ends by it.
	SessionID ID
	Scope     Scope
	Role      Role
	// ExpiresAt is the end of the credential, not of the session; zero for none.
	ExpiresAt time.Time
	// Key is set where a program asks, with an API key.
	Key *APIKey
}

// Expired reports whether the credential's time is over.
func (c Claims) Expired(now time.Time) bool { return !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt) }

// Has reports whether the asker may do what a scope is for: a key has to have it,
// of people the role tells.
func (c Claims) Has(scope KeyScope) bool { return c.Key == nil || slices.Contains(c.Key.Scopes, scope) }

// CanTriage reports whether the asker may change feedback.
func (c Claims) CanTriage() bool { return c.may(Role.CanTriage, ScopeFeedbackWrite) }

// CanManage reports whether the asker may change projects and their settings.
func (c Claims) CanManage() bool { return c.may(Role.CanManage, ScopeProjectsWrite) }

// CanErase reports whether the asker may erase feedback for good.
func (c Claims) CanErase() bool { return c.may(Role.CanErase, ScopeFeedbackErase) }

// CanExport reports whether the asker may take feedback out.
func (c Claims) CanExport() bool { return c.may(Role.CanTriage, ScopeJobsWrite) }

// CanImport reports whether the asker may bring feedback in that no visitor sent.
func (c Claims) CanImport() bool { return c.may(Role.CanManage, ScopeJobsWrite) }

// CanAudit reports whether the asker may read who did what.
func (c Claims) CanAudit() bool { return c.may(Role.CanManage, ScopeAuditRead) }

func (c Claims) may(role func(Role) bool, scope KeyScope) bool {
	if c.Key != nil {
		return c.Has(scope)
	}
	return role(c.Role)
}

// Passwords have 12 to 256 code points; longer ones are refused before any
// hashing, which would cost memory for each byte.
const (
	MinPassword = 12
	MaxPassword = 256
)

// NewUser checks what a person brings to become a user and gives it in its
// normal form, without id and hash.
func NewUser(email, name, password string) (User, error) {
	var p problems
	user := User{Email: normalizeEmail(email), Name: strings.TrimSpace(name)}
	checkEmail(&p, user.Email)
	if checkText(&p, "name", user.Name) {
		checkLength(&p, "name", user.Name, 0, MaxName)
	}
	checkPassword(&p, password)
	return user, p.err()
}

// NewUserWithoutPassword is NewUser for somebody whom another provider signs in. A
// name that would not do is left out.
func NewUserWithoutPassword(email, name string) (User, error) {
	var p problems
	user := User{Email: normalizeEmail(email), Name: strings.TrimSpace(name)}
	checkEmail(&p, user.Email)
	if CheckName(user.Name) != nil {
		user.Name = ""
	}
	return user, p.err()
}

// OrganizationNameFor is what the organisation of somebody is called who has not
// said: they can rename it.
func OrganizationNameFor(user User) string {
	_, domain, _ := strings.Cut(user.Email, "@")
	return domain
}

// CheckPassword holds a password to its bounds.
func CheckPassword(password string) error {
	var p problems
	checkPassword(&p, password)
	return p.err()
}

func checkPassword(p *problems, password string) {
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		p.add("password", "must have at least %d characters", MinPassword)
	case n > MaxPassword:
		p.add("password", "must have at most %d characters", MaxPassword)
	default:
		checkText(p, "password", password)
	}
}

// NormalizeEmail is the form under which an address is stored and looked up.
func NormalizeEmail(s string) string { return normalizeEmail(s) }

// NewOrganization checks an organisation's name and trims it.
func NewOrganization(name string) (Organization, error) {
	var p problems
	name = strings.TrimSpace(name)
	if checkText(&p, "organization", name) {
		checkLength(&p, "organization", name, 1, MaxName)
	}
	return Organization{Name: name}, p.err()
}

// CheckName holds a person's name, trimmed, to its bounds.
func CheckName(name string) error {
	var p problems
	if checkText(&p, "name", name) {
		checkLength(&p, "name", name, 0, MaxName)
	}
	return p.err()
}
