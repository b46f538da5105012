package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"earshot/admin"
	"earshot/api/operator"
	"earshot/models"
	"earshot/realtime/protocol"
)

// routes is the whole route table.
func (s *Server) routes() error {
	var err error
	if s.pages, err = newPages(); err != nil {
		return err
	}
	s.documents, s.pinned = newDocuments(), newPinned()
	s.submissions, s.pollBodies = protocol.NewDecoder[Submission](), protocol.NewDecoder[Poll]()
	s.receiptMessages = protocol.NewDecoder[ReceiptMessage]()
	s.app.Use(s.enter)
	s.huma = huma.NewAPI(humaConfig(), router{s.app})

	s.visitorRoutes()
	s.staffRoutes()
	s.pageRoutes()

	s.app.Use(missing)
	describe(s.huma.OpenAPI())
	return nil
}

func (s *Server) visitorRoutes() {
	s.app.Post("/w/:key/feedback", s.submitFeedback)
	s.app.Options("/w/:key/feedback", s.preflight("POST", "Traceparent", "Tracestate"))
	s.app.Get("/w/:key/challenge", s.getChallenge)
	s.app.Options("/w/:key/challenge", s.preflight("GET"))
	s.app.Get("/w/:key/socket", s.visitorSocket)
	s.app.Post("/w/:key/poll", s.pollEvents)
	s.app.Options("/w/:key/poll", s.preflight("POST", fiber.HeaderAuthorization))
	s.app.Get("/w/:key/conversations", s.listConversations)
	s.app.Options("/w/:key/conversations", s.preflight("GET", fiber.HeaderAuthorization))
	s.app.Post("/w/:key/attachments", s.uploadAttachment)
	s.app.Options("/w/:key/attachments", s.preflight("POST", fiber.HeaderAuthorization))
	s.app.Get("/a/:id/:token", s.linkedAttachment)
	s.app.Get("/w/:key/config.json", s.widgetConfigFile)
	s.app.Options("/w/:key/config.json", s.preflight("GET"))
	s.app.Get("/w/v/:version/:file", s.sendPinned)
	s.app.Get("/w/:file", s.widgetScript)
	s.app.Get("/u/:token", s.showUnsubscribe)
	s.app.Post("/u/:token", s.unsubscribe)
	s.app.Get("/r/live.js", s.receiptScript)
	s.app.Get("/r/:receipt", s.showReceipt)
	s.app.Post("/r/:receipt/messages", s.postReceiptMessage)
	s.app.Get("/r/:receipt/export", s.exportReceipt)
	s.app.Post("/r/:receipt/erase", s.eraseReceipt)
	s.app.Post("/r/:receipt/renew", s.renewReceipt)
}

func (s *Server) staffRoutes() {
	s.signInRoutes()
	s.accountRoutes()
	s.teamRoutes()
	s.privacyRoutes()
	s.projectRoutes()
	s.feedbackRoutes()
	s.bulkRoutes()
	s.blockRoutes()
	s.insightRoutes()
	s.cannedRoutes()
	s.conversationRoutes()
	s.jobRoutes()
	s.liveRoutes()
	s.notificationRoutes()
	s.viewRoutes()
}

func (s *Server) signInRoutes() {
	const tag = "Signing in"
	register(s, operation{
		method: "GET", path: "/api/v1/setup", id: "get-setup", access: accessOpen, tag: tag,
		summary: "Whether the first owner is still to be created",
	}, s.getSetup)
	register(s, operation{
		method: "POST", path: "/api/v1/setup", id: "setup", access: accessSignIn, tag: tag, status: 201,
		summary: "Create the first owner",
	}, s.setup)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/login", id: "login", access: accessSignIn, tag: tag,
		summary: "Sign in",
	}, s.login)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/signup", id: "sign-up", access: accessSignIn, tag: tag, status: 201, before: s.signUpOpen,
		summary: "Create a user with an organisation, where the server allows it",
	}, s.signUp)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/refresh", id: "refresh", access: accessCookie, tag: tag,
		summary: "Exchange the refresh token",
	}, s.refresh)
	register(s, operation{
		method: "POST", path: "/api/v1/auth/logout", id: "logout", access: accessCookie, tag: tag, status: 204,
		summary: "End the session, its tokens and its sockets",
	}, s.logout)
}

func (s *Server) projectRoutes() {
	const tag = "Projects"
	register(s, operation{
		method: "GET", path: "/api/v1/projects", id: "list-projects", scope: models.ScopeProjectsRead, tag: tag,
		summary: "The organisation's projects, newest first",
	}, s.listProjects)
	register(s, operation{
		method: "POST", path: "/api/v1/projects", id: "create-project", scope: models.ScopeProjectsWrite, tag: tag, status: 201,
		summary: "Create a project",
	}, s.createProject)
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}", id: "get-project", scope: models.ScopeProjectsRead, tag: tag,
		summary: "One project",
	}, s.getProject)
	register(s, operation{
		method: "PATCH", path: "/api/v1/projects/{id}", id: "update-project", scope: models.ScopeProjectsWrite, tag: tag,
		summary: "Change a project",
	}, s.updateProject)
	register(s, operation{
		method: "DELETE", path: "/api/v1/projects/{id}", id: "delete-project", scope: models.ScopeProjectsWrite, tag: tag, status: 204,
		summary: "Delete a project with all its feedback",
	}, s.deleteProject)
}

func (s *Server) feedbackRoutes() {
	const tag = "Feedback"
	s.app.Get("/api/v1/attachments/:id", s.downloadAttachment)
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/feedback", id: "list-feedback", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "A project's feedback",
	}, s.listFeedback)
	register(s, operation{
		method: "GET", path: "/api/v1/feedback/{id}", id: "get-feedback", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "One item",
	}, s.getFeedback)
	register(s, operation{
		method: "PATCH", path: "/api/v1/feedback/{id}", id: "update-feedback", scope: models.ScopeFeedbackWrite, tag: tag,
		summary: "Change an item; a stale rev is a conflict",
	}, s.updateFeedback)
	register(s, operation{
		method: "PUT", path: "/api/v1/feedback/{id}/read", id: "mark-read", tag: tag, status: 204,
		summary: "Note that you have read an item up to now",
	}, s.markRead)
	register(s, operation{
		method: "DELETE", path: "/api/v1/feedback/{id}/read", id: "mark-unread", tag: tag, status: 204,
		summary: "Take that back: it is unread to you",
	}, s.markUnread)
	register(s, operation{
		method: "DELETE", path: "/api/v1/feedback/{id}/receipt", id: "revoke-receipt", scope: models.ScopeFeedbackWrite, tag: tag, status: 204,
		summary: "End the visitor's private link, every copy of it; their widget has the new one",
	}, s.revokeReceipt)
	register(s, operation{
		method: "DELETE", path: "/api/v1/feedback/{id}", id: "erase-feedback", scope: models.ScopeFeedbackErase, tag: tag, status: 204,
		summary: "Erase an item for good",
	}, s.eraseFeedback)
}

func (s *Server) bulkRoutes() {
	const tag = "Feedback"
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/tags", id: "list-tags", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "The tags that a project's items have",
	}, s.listTags)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/feedback/bulk", id: "change-several", scope: models.ScopeFeedbackWrite, tag: tag,
		summary: "Change several items, each for itself; the answer is the way back",
	}, s.changeSeveral)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/feedback/read", id: "mark-several", tag: tag, status: 204,
		summary: "Note that you have read several items up to now, or not",
	}, s.markAllRead)
}

func (s *Server) cannedRoutes() {
	const tag = "Conversations"
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/canned-replies", id: "list-canned-replies", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "A project's canned replies, oldest first",
	}, s.listCannedReplies)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/canned-replies", id: "create-canned-reply", scope: models.ScopeFeedbackWrite, tag: tag, status: 201,
		summary: "Keep an answer to give again",
	}, s.createCannedReply)
	register(s, operation{
		method: "PATCH", path: "/api/v1/canned-replies/{id}", id: "update-canned-reply", scope: models.ScopeFeedbackWrite, tag: tag,
		summary: "Change a canned reply; a stale rev is a conflict",
	}, s.updateCannedReply)
	register(s, operation{
		method: "DELETE", path: "/api/v1/canned-replies/{id}", id: "delete-canned-reply", scope: models.ScopeFeedbackWrite, tag: tag, status: 204,
		summary: "Delete a canned reply",
	}, s.deleteCannedReply)
}

func (s *Server) insightRoutes() {
	register(s, operation{
		method: "GET", path: "/api/v1/projects/{id}/insights", id: "get-insights", scope: models.ScopeFeedbackRead, tag: "Insights",
		summary: "Volume, ratings, pages, tags and times over some days",
	}, s.getInsights)
}

func (s *Server) conversationRoutes() {
	const tag = "Conversations"
	const path = "/api/v1/feedback/{id}/messages"
	register(s, operation{
		method: "GET", path: path, id: "list-messages", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "An item's conversation, oldest first, notes included",
	}, s.listMessages)
	register(s, operation{
		method: "POST", path: path, id: "post-message", scope: models.ScopeFeedbackWrite, tag: tag, status: 201,
		summary: "Reply to the visitor, or add a note; repeatable with the same id",
	}, s.postMessage)
	posted := s.huma.OpenAPI().Paths[path].Post.Responses
	posted["200"] = &huma.Response{Description: "Was stored before", Content: posted["201"].Content}
	register(s, operation{
		method: "PATCH", path: path + "/{message}", id: "edit-note", scope: models.ScopeFeedbackWrite, tag: tag,
		summary: "Change a note of one's own; a stale rev is a conflict",
	}, s.editNote)
	register(s, operation{
		method: "DELETE", path: path + "/{message}", id: "delete-note", scope: models.ScopeFeedbackWrite, tag: tag, status: 204,
		summary: "Delete a note; a stale rev is a conflict",
	}, s.deleteNote)
}

func (s *Server) jobRoutes() {
	const tag = "Jobs"
	register(s, operation{
		method: "GET", path: "/api/v1/jobs", id: "list-jobs", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "The organisation's work in the background, newest first",
	}, s.listJobs)
	register(s, operation{
		method: "GET", path: "/api/v1/jobs/{id}", id: "get-job", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "One job",
	}, s.getJob)
	register(s, operation{
		method: "POST", path: "/api/v1/jobs/{id}/cancel", id: "cancel-job", scope: models.ScopeJobsWrite, tag: tag,
		summary: "Ask a job to end",
	}, s.cancelJob)
	register(s, operation{
		method: "POST", path: "/api/v1/projects/{id}/exports", id: "create-export", scope: models.ScopeJobsWrite, tag: tag, status: 202,
		summary: "Export a project's feedback as CSV or JSON lines",
	}, s.createExport)
	s.app.Post("/api/v1/projects/:id/imports", s.createImport)
	s.app.Get("/api/v1/jobs/:id/download", s.download)
	s.app.Get("/api/v1/jobs/:id/download/:token", s.download)
}

func (s *Server) liveRoutes() {
	const tag = "Live"
	s.app.Add(fiber.MethodGet, "/api/v1/projects/:id/events", s.streamEvents)
	register(s, operation{
		method: "GET", path: eventsPath, id: "read-events", scope: models.ScopeFeedbackRead, tag: tag,
		summary: "The project's numbered log, by long poll or as server-sent events",
	}, s.readEvents)
	register(s, operation{
		method: "POST", path: "/api/v1/socket/tickets", id: "create-ticket", scope: models.ScopeFeedbackRead, tag: tag, status: 201,
		summary: "A ticket for one socket, good for 30 seconds",
	}, s.createTicket)
	s.app.Get(ticketPath, s.dashboardSocket)
}

func (s *Server) pageRoutes() {
	const operations = "Operations"
	register(s, operation{
		method: "GET", path: "/healthz", id: "get-health", access: accessOpen, tag: operations,
		summary: "Whether the process lives",
	}, s.getHealth)
	register(s, operation{
		method: "GET", path: "/readyz", id: "get-ready", access: accessOpen, tag: operations,
		summary: "Whether requests should be sent here",
	}, s.getReady)

	s.app.Get("/metrics", s.getMetrics)
	s.app.Get(operator.ArrivalPath, s.showArrival)
	s.app.Get("/openapi.json", document(s.documents.openAPI))
	s.app.Get("/asyncapi.json", document(s.documents.asyncAPI))
	s.app.Get("/docs", showDocs)
	s.app.Get("/docs/rapidoc-9.3.8.min.js", s.docsScript)

	if s.config.DemoKey != "" {
		s.app.Get("/demo", s.showShop)
	}
	s.app.Get("/assets/:name", asset)
	for _, path := range admin.Pages() {
		s.app.Get(path, page)
		if path != "/" {
			s.app.Get(path+"/", withoutSlash)
		}
	}
}

const eventsPath = "/api/v1/projects/{id}/events"

// humaConfig is huma without its own pages and its own errors.
func humaConfig() huma.Config {
	config := huma.DefaultConfig("Earshot", "1")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Transformers = []huma.Transformer{collect}
	return config
}
