package api

import "earshot/models"

// accountRoutes are what people do with their own accounts.
func (s *Server) accountRoutes() {
	const tag = "Your account"
	register(s, operation{
		method: "GET", path: "/api/v1/auth/methods", id: "get-sign-in-methods", access: accessOpen, tag: tag,
		summary: "The ways to sign in here",
	}, s.getMethods)
	s.app.Get(oidcPath, s.startOIDC)
	s.app.Get(oidcPath+"/callback", s.finishOIDC)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/password/forgot", id: "forgot-password", access: accessSignIn, tag: tag, status: 202,
		summary: "Have a link mailed to choose a new password",
	}, s.forgotPassword)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/password/reset", id: "reset-password", access: accessSignIn, tag: tag, status: 204,
		summary: "Choose a new password; ends all sessions",
	}, s.resetPassword)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/email/verify", id: "verify-email", access: accessSignIn, tag: tag, status: 204,
		summary: "Confirm an address by the link that was mailed to it",
	}, s.verifyEmail)
	register(s, operation{
		method: "GET", path: "/api/v1/me", id: "get-me", tag: tag,
		summary: "Who is signed in, and where",
	}, s.getMe)
	register(s, operation{
		method: "PATCH", path: "/api/v1/me", id: "update-me", tag: tag,
		summary: "Change your own account",
	}, s.updateMe)
	register(s, operation{
		method: "POST", path: "/api/v1/me/email/verification", id: "send-verification", tag: tag, status: 202,
		summary: "Have the link to confirm your address mailed again",
	}, s.sendVerification)
	register(s, operation{
		method: "POST", path: "/api/v1/me/password", id: "change-password", tag: tag, status: 204,
		summary: "Change your password; ends your other sessions",
	}, s.changePassword)
	register(s, operation{
		method: "GET", path: "/api/v1/me/sessions", id: "list-sessions", tag: tag,
		summary: "Where you are signed in",
	}, s.listSessions)
	register(s, operation{
		method: "DELETE", path: "/api/v1/me/sessions/{id}", id: "revoke-session", tag: tag, status: 204,
		summary: "End one of your sessions, its tokens and its sockets",
	}, s.revokeSession)
	s.factorRoutes()
}

func (s *Server) factorRoutes() {
	const tag = "Your account"
	register(s, operation{
		method: "POST", path: "/api/v1/me/totp", id: "begin-second-factor", tag: tag, status: 201,
		summary: "Make a second factor, to be confirmed",
	}, s.beginFactor)
	register(s, operation{
		method: "POST", path: "/api/v1/me/totp/confirm", id: "confirm-second-factor", tag: tag,
		summary: "Confirm it by a code; gives the recovery codes",
	}, s.confirmFactor)
	register(s, operation{
		method: "POST", path: "/api/v1/me/totp/remove", id: "remove-second-factor", tag: tag, status: 204,
		summary: "Sign in without a second factor from now on",
	}, s.removeFactor)
	register(s, operation{
		method: "POST", path: "/api/v1/me/totp/recovery-codes", id: "renew-recovery-codes", tag: tag,
		summary: "Make new recovery codes; the old ones end",
	}, s.renewRecovery)
}

// teamRoutes are who belongs to an organisation, and what programs may do in it.
func (s *Server) teamRoutes() {
	const tag = "Members"
	register(s, operation{
		method: "GET", path: "/api/v1/members", id: "list-members", scope: models.ScopeMembersRead, tag: tag,
		summary: "The organisation's members",
	}, s.listMembers)
	register(s, operation{
		method: "PATCH", path: "/api/v1/members/{id}", id: "update-member", tag: tag,
		summary: "Change a member's role",
	}, s.updateMember)
	register(s, operation{
		method: "DELETE", path: "/api/v1/members/{id}", id: "remove-member", tag: tag, status: 204,
		summary: "End a membership and the invitations that the member made; what they wrote stays",
	}, s.removeMember)
	register(s, operation{
		method: "GET", path: "/api/v1/invites", id: "list-invites", tag: tag,
		summary: "Open invitations, newest first",
	}, s.listInvites)
	register(s, operation{
		method: "POST", path: "/api/v1/invites", id: "create-invite", tag: tag, status: 201,
		summary: "Invite somebody by a link that is good once",
	}, s.createInvite)
	register(s, operation{
		method: "DELETE", path: "/api/v1/invites/{id}", id: "revoke-invite", tag: tag, status: 204,
		summary: "Take an invitation back",
	}, s.revokeInvite)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/invites/show", id: "show-invite", access: accessSignIn, tag: tag,
		summary: "What an invitation's link is for",
	}, s.showInvite)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/invites/join", id: "join-by-invite", access: accessSignIn, tag: tag, status: 201,
		summary: "Make an account with an invitation's link",
	}, s.join)
	register(s, operation{
		method: "POST", path: "/api/v1/invites/accept", id: "accept-invite", tag: tag,
		summary: "Join with the account that you have",
	}, s.acceptInvite)
	s.programRoutes()
}

func (s *Server) programRoutes() {
	const keys, audit = "API keys", "Audit log"
	register(s, operation{
		method: "GET", path: "/api/v1/api-keys", id: "list-api-keys", tag: keys,
		summary: "The organisation's API keys, newest first",
	}, s.listAPIKeys)
	register(s, operation{
		method: "POST", path: "/api/v1/api-keys", id: "create-api-key", tag: keys, status: 201,
		summary: "Make an API key",
	}, s.createAPIKey)
	register(s, operation{
		method: "DELETE", path: "/api/v1/api-keys/{id}", id: "revoke-api-key", tag: keys, status: 204,
		summary: "End an API key, and what is open by it",
	}, s.revokeAPIKey)
	register(s, operation{
		method: "GET", path: "/api/v1/audit", id: "list-audit", scope: models.ScopeAuditRead, tag: audit,
		summary: "Who did what, newest first",
	}, s.listAudit)
	s.app.Get("/api/v1/audit/export", s.exportAudit)
}

// privacyRoutes are how long feedback is kept, and how all of somebody's goes.
func (s *Server) privacyRoutes() {
	const tag = "Privacy"
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/erasures", id: "create-erasure", scope: models.ScopeFeedbackErase, tag: tag,
		summary: "Erase all of one visitor's feedback, or count it",
	}, s.createErasure)
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/identity-secret", id: "get-identity-secret", tag: "Projects",
		summary: "What the site's back end signs its visitors' identities with",
	}, s.getIdentitySecret)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/identity-secret/rotate", id: "rotate-identity-secret", tag: "Projects",
		summary: "Make a new one; what the old one has signed counts no more",
	}, s.rotateIdentitySecret)
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/retention", id: "get-retention", scope: models.ScopeProjectsWrite, tag: tag,
		summary: "What a retention of so many days would erase right away",
	}, s.getRetention)
}
