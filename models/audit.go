package models

import (
	"context"
	"net/netip"
	"time"
)

// AuditAction is what was done, as the audit log names it. Names are never changed.
type AuditAction string

// The actions that are recorded.
const (
	AuditSignedIn        AuditAction = "session.started"
	AuditSignedOut       AuditAction = "session.ended"
	AuditTokenReused     AuditAction = "session.token_reused"
	AuditPasswordChanged AuditAction = "user.password_changed"
	AuditFactorAdded     AuditAction = "user.second_factor_added"
	AuditFactorRemoved   AuditAction = "user.second_factor_removed"
	AuditIdentityLinked  AuditAction = "user.identity_linked"
	AuditMemberJoined    AuditAction = "member.joined"
	AuditRoleChanged     AuditAction = "member.role_changed"
	AuditMemberRemoved   AuditAction = "member.removed"
	AuditInvited         AuditAction = "invite.created"
	AuditInviteRevoked   AuditAction = "invite.revoked"
	AuditKeyCreated      AuditAction = "api_key.created"
	AuditKeyRevoked      AuditAction = "api_key.revoked"
	AuditProjectCreated  AuditAction = "project.created"
	AuditProjectChanged  AuditAction = "project.changed"
	AuditProjectDeleted  AuditAction = "project.deleted"
	AuditFeedbackErased  AuditAction = "feedback.erased"
	AuditSeveralErased   AuditAction = "feedback.several_erased"
	AuditBlocked         AuditAction = "block.created"
	AuditUnblocked       AuditAction = "block.removed"
	AuditReceiptRevoked  AuditAction = "receipt.revoked"
	AuditExported        AuditAction = "export.requested"
	AuditImported        AuditAction = "import.requested"
)

// AuditActions lists all actions; the caller owns the slice.
func AuditActions() []AuditAction {
	return []AuditAction{
		AuditSignedIn, AuditSignedOut, AuditTokenReused, AuditPasswordChanged, AuditFactorAdded,
		AuditFactorRemoved, AuditIdentityLinked, AuditMemberJoined, AuditRoleChanged, AuditMemberRemoved,
		AuditInvited, AuditInviteRevoked, AuditKeyCreated, AuditKeyRevoked, AuditProjectCreated,
		AuditProjectChanged, AuditProjectDeleted, AuditFeedbackErased, AuditReceiptRevoked, AuditExported,
		AuditImported,
	}
}

// ActorKind is what sort of party did something.
type ActorKind string

// The kinds of actors.
const (
	ActorUser     ActorKind = "user"
	ActorKey      ActorKind = "api_key"
	ActorVisitor  ActorKind = "visitor"
	ActorOperator ActorKind = "operator"
	ActorSystem   ActorKind = "system"
)

// By is who does something, and from where.
type By struct {
	Kind    ActorKind
	ID      ID
	Address string // truncated (TruncateAddress)
}

type byKey struct{}

// WithBy gives the context of a request who makes it. It is carried there and not
// by each call, because it changes nothing of what a call does: the record of it
// alone asks.
func WithBy(ctx context.Context, by By) context.Context { return context.WithValue(ctx, byKey{}, by) }

// ByOf is who makes a request; the system where nobody does.
func ByOf(ctx context.Context) By {
	if by, ok := ctx.Value(byKey{}).(By); ok {
		return by
	}
	return By{Kind: ActorSystem}
}

// AuditEntry is one line of an organisation's audit log: ids and no personal data.
type AuditEntry struct {
	N  int64
	At time.Time
	By
	Action     AuditAction
	ObjectKind string
	ObjectID   ID
	ProjectID  ID
	// Detail holds names of fields, roles and scopes; never what somebody wrote.
	Detail map[string]string
}

// TruncateAddress is what is kept of an address to tell where somebody was: its /24,
// or /48 of an IPv6 address. "" for none.
func TruncateAddress(address netip.Addr) string {
	const bits4, bits6 = 24, 48
	address = address.Unmap()
	bits := bits4
	if address.Is6() {
		bits = bits6
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return ""
	}
	return prefix.String()
}
