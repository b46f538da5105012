package models

import "time"

// Invite lets whoever has its link become a member, once.
type Invite struct {
	ID ID
	// Email is whom it is for; "" for whoever has the link.
	Email     string
	Role      Role
	CreatedBy ID
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Normalize checks an invitation and brings it to its stored form.
func (i *Invite) Normalize() error {
	var p problems
	if i.Email = normalizeEmail(i.Email); i.Email != "" {
		checkEmail(&p, i.Email)
	}
	if !i.Role.Valid() {
		p.add("role", "must be owner, admin, agent or viewer")
	}
	return p.err()
}
