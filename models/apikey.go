package models

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeyScope is one thing that an API key may do.
type KeyScope string

// The scopes of API keys.
const (
	ScopeFeedbackRead  KeyScope = "feedback:read"
	ScopeFeedbackWrite KeyScope = "feedback:write"
	ScopeFeedbackErase KeyScope = "feedback:erase"
	ScopeProjectsRead  KeyScope = "projects:read"
	ScopeProjectsWrite KeyScope = "projects:write"
	ScopeJobsWrite     KeyScope = "jobs:write"
	ScopeMembersRead   KeyScope = "members:read"
	ScopeAuditRead     KeyScope = "audit:read"
	ScopeMetricsRead   KeyScope = "metrics:read"
)

// KeyScopes lists all scopes; the caller owns the slice.
func KeyScopes() []KeyScope {
	return []KeyScope{
		ScopeFeedbackRead, ScopeFeedbackWrite, ScopeFeedbackErase, ScopeProjectsRead, ScopeProjectsWrite,
		ScopeJobsWrite, ScopeMembersRead, ScopeAuditRead, ScopeMetricsRead,
	}
}

// OfProject reports whether the scope makes sense for a key that is limited to one
// project: what it admits to belongs to projects.
func (s KeyScope) OfProject() bool {
	return s != ScopeMembersRead && s != ScopeAuditRead && s != ScopeMetricsRead
}

// APIKey lets a program act for an organisation.
type APIKey struct {
	ID ID
	// ProjectID limits the key to one project; "" for all.
	ProjectID ID
	Name      string
	// Hint is the end of the key's secret, to tell keys apart.
	Hint      string
	Scopes    []KeyScope
	CreatedBy ID
	CreatedAt time.Time
	// UsedAt is about when it was last used; zero if never.
	UsedAt time.Time
}

// Normalize checks a key's name and scopes and brings them to their stored form.
func (k *APIKey) Normalize() error {
	var p problems
	k.Name = strings.TrimSpace(k.Name)
	if checkText(&p, "name", k.Name) {
		checkLength(&p, "name", k.Name, 1, MaxName)
	}
	if len(k.Scopes) == 0 {
		p.add("scopes", "must name at least one of %v", KeyScopes())
	}
	for i, scope := range k.Scopes {
		path := "scopes." + strconv.Itoa(i)
		switch {
		case !slices.Contains(KeyScopes(), scope) || slices.Contains(k.Scopes[:i], scope):
			p.add(path, "must be one of %v, each once", KeyScopes())
		case k.ProjectID != "" && !scope.OfProject():
			p.add(path, "is not for a key of one project")
		}
	}
	if k.ProjectID != "" && !k.ProjectID.Valid() {
		p.add("project_id", "must be the id of a project")
	}
	return p.err()
}

const (
	apiKeyPrefix = "sk_"
	// apiKeyLength gives 43 × log2(62) ≈ 256 bits.
	apiKeyLength = 43
	keyHint      = 4
)

// NewAPIKeySecret makes the secret of an API key: "sk_" and 43 base62 characters.
func NewAPIKeySecret() string { return apiKeyPrefix + randomBase62(apiKeyLength) }

// APIKeyHint is what of a secret is kept to tell keys apart.
func APIKeyHint(secret string) string { return secret[len(secret)-keyHint:] }

// IsAPIKey reports whether a credential means to be an API key.
func IsAPIKey(credential string) bool { return strings.HasPrefix(credential, apiKeyPrefix) }

// ValidAPIKey reports whether s has an API key's form.
func ValidAPIKey(s string) bool {
	rest, ok := strings.CutPrefix(s, apiKeyPrefix)
	return ok && isBase62(rest, apiKeyLength)
}
