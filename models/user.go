package models

import (
	"strings"
	"time"
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
	ID           ID        `json:"id"`
	Email        string    `json:"email"`
	Name         string    `json:"name"`
	PasswordHash string    `json:"-"`
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

// Membership is one organisation that a user belongs to.
type Membership struct {
	Organization Organization
	Role         Role
}

// Member is a person in an organisation, as colleagues see them.
type Member struct {
	UserID   ID
	Name     string
	Email    string
	Role     Role
	JoinedAt time.Time
}

// Session is a sign-in: the family of refresh tokens that grew from it.
type Session struct {
	ID             ID
	UserID         ID
	OrganizationID ID
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// Claims is who asks, as read from the credential and checked against the store.
type Claims struct {
	UserID    ID
	SessionID ID
	Scope     Scope
	Role      Role
	// ExpiresAt is the end of the credential, not of the session.
	ExpiresAt time.Time
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
	checkEmail(&p, "email", user.Email)
	if checkText(&p, "name", user.Name) {
		checkLength(&p, "name", user.Name, 0, MaxName)
	}
	checkPassword(&p, password)
	return user, p.err()
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
