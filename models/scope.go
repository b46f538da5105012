package models

// Scope is the wall between tenants: every query on an organisation's data
// takes one. It can only be made from an organisation's id, and the store
// refuses the zero value, so that a forgotten scope is an error and never
// everybody's data.
type Scope struct{ organization ID }

// ScopeOf is the scope of everything that the organisation owns.
func ScopeOf(organization ID) Scope { return Scope{organization: organization} }

// Organization is the id the scope was made from, "" for the zero value.
func (s Scope) Organization() ID { return s.organization }
