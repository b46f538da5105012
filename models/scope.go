package models

// Scope is the wall between tenants: every query on an organisation's data
// takes one. It can only be made from an organisation's id, and the store
// refuses the zero value, so that a forgotten scope is an error and never
// everybody's data.
type Scope struct{ organization, project ID }

// ScopeOf is the scope of everything that the organisation owns.
func ScopeOf(organization ID) Scope { return Scope{organization: organization} }

// Within is the part of the scope that belongs to one project; "" leaves it as it
// is.
func (s Scope) Within(project ID) Scope {
	if project != "" {
		s.project = project
	}
	return s
}

// Organization is the id the scope was made from, "" for the zero value.
func (s Scope) Organization() ID { return s.organization }

// Project is the one project that the scope is limited to; "" where it is not.
func (s Scope) Project() ID { return s.project }

// Admits reports whether a project of the organisation is within the scope.
func (s Scope) Admits(project ID) bool { return s.project == "" || s.project == project }
