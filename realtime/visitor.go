package realtime

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/trace"
	"earshot/realtime/protocol"
)

// submitTimeout bounds how long a visitor's socket waits for an answer of the store.
const submitTimeout = 15 * time.Second

// visitor is one visitor's socket.
type visitor struct {
	*Socket[protocol.VisitorClientEvent, protocol.VisitorServerEvent]
	server  *Server
	project *models.Project
	address netip.Addr

	// release gives the socket's place in the count of connections back.
	release  func()
	draining bool // the server was, when the socket was opened

	// The reader's own.
	opened bool
	token  string
	spoke  bool // an event came already: too late for Hello
	// stored: the session is the token's in the store.
	stored bool
	// tokenKey is where the server's provisional sessions have it; theirs.
	tokenKey tokenKey

	followMu sync.Mutex
	followed *following // nil: no session that anything could happen in
	left     bool       // the socket has ended

	// The hub's, under its mutex: the page, as far as it is known, and whether the
	// socket has left.
	page string
	gone bool
	// shown: the visitor is counted, and their page; those that staff blocked are not.
	shown bool

	// drafts: what came too fast waits here, the newest alone.
	draftMu     sync.Mutex
	session     models.ID
	tokenHash   models.ResumeHash
	draftLimit  *rate.Limiter
	waiting     *waitingDraft
	draftTimer  *time.Timer
	draftShown  bool
	draftsEnded bool
}

type waitingDraft struct {
	event protocol.DraftChanged
	re    string
}

func (s *Server) serveVisitor(c net.Conn, encoding protocol.Encoding, project *models.Project, address netip.Addr, release func()) {
	v := &visitor{
		Socket: newSocket(s.transport, c, encoding, protocol.VisitorClient, protocol.VisitorServer),
		server: s, project: project, address: address, release: release,
		token: models.NewResumeToken(), session: models.NewID(), draftLimit: rate.NewLimiter(draftsPerSecond, draftsPerSecond),
	}
	if !s.unlimited {
		v.limit()
	}
	s.mu.Lock()
	s.visitors[v] = struct{}{}
	v.kind = kindVisitor
	v.draining = s.draining
	s.mu.Unlock()
	s.metrics.Sockets.Opened(kindVisitor)
	v.setTokenHash()
	s.enterProvisional(v, v.token)
	v.start(v)
}

// stopped and closed take the socket out of what it is a part of.
func (v *visitor) stopped() {
	// What was handed to a socket after its client was last heard may be unread: a
	// network that is gone says no goodbye. The time is rounded down past the last
	// millisecond, as the times of messages are cut to whole ones.
	if v.stored {
		v.server.hub.Noticed(v.sessionID(), v.server.now().Add(-v.silence()).Truncate(time.Millisecond).Add(-time.Millisecond))
	}
	v.leaveForGood()
	v.endDrafts()
}

func (v *visitor) closed() {
	v.server.hub.visitorLeft(v, v.project.ID)
	v.server.mu.Lock()
	delete(v.server.visitors, v)
	v.server.leaveProvisionalLocked(v)
	v.server.mu.Unlock()
	v.release()
}

// open is the socket's first turn.
func (v *visitor) open() error {
	if v.draining {
		goAway[protocol.VisitorClientEvent, protocol.VisitorServerEvent](v.Socket, protocol.GoingAway{RetryAfterMS: randomRetry()})
	}
	// The key may have been disabled between the check and the socket's entry in
	// the register, too early for CloseProject to find it.
	if !keyInUse(v.ctx, v.server.store, v.project.Key) {
		v.shut(protocol.CloseKeyDisabled)
	}
	return v.answer(protocol.VisitorConnected{
		SessionID: v.session, ResumeToken: v.token, Epoch: v.server.store.Epoch(), HeartbeatMS: Heartbeat.Milliseconds(),
		Limits: protocol.VisitorLimits{
			FrameBytes: protocol.MaxFrame, MessageLength: models.MaxMessage, DraftLength: models.MaxDraft,
			FramesPerSecond: framesPerSecond, DraftsPerSecond: draftsPerSecond, SubmissionsPerMinute: intake.PerSession,
		},
	}, "")
}

func (v *visitor) loop() error {
	if !v.opened {
		v.opened = true
		if err := v.open(); err != nil {
			return err
		}
	}
	return v.each(v.dispatch, v.refused)
}

// refused tells the client why an event was refused.
func (v *visitor) refused(err error, id string) error {
	if !errors.As(err, new(*models.Error)) {
		v.server.log.Error("visitor event", "project", v.project.ID, "error", err)
	}
	event := protocol.ErrorEvent(err)
	return v.refuse(event, event.Code, id)
}

func (v *visitor) dispatch(event protocol.VisitorClientEvent, id string) error {
	first := !v.spoke
	v.spoke = true
	switch e := event.(type) {
	case protocol.Hello:
		return v.hello(e, id, first)
	case protocol.DraftChanged:
		return v.draft(e, id)
	case protocol.FeedbackSubmitted:
		return v.submit(e, id)
	case protocol.MessageSent:
		return v.message(e, id)
	case protocol.Ping:
		return v.answer(protocol.Pong{}, id)
	}
	return nil
}

func (v *visitor) submit(e protocol.FeedbackSubmitted, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), submitTimeout)
	defer cancel()
	span := v.server.tracer.Begin(trace.Parent{}, "FeedbackSubmitted", trace.Server, time.Now())
	ctx = trace.With(ctx, span)
	defer func() { span.End(time.Now()) }()
	if !v.stored {
		v.server.SessionOf(v.project.ID, v.token)
	}
	result, err := v.server.intake.Submit(ctx, intake.Request{
		Project: v.project, Address: v.address, Submission: e.Submission(models.ID(id)), Evidence: e.Evidence(),
		ResumeToken: v.token, SessionID: v.sessionID(), SessionStored: v.stored,
	})
	if err != nil {
		return err
	}
	v.clearDraft()
	v.server.hub.seenOn(v, v.project.ID, e.PageURL)
	if result.ReceiptURL != "" { // otherwise it is somebody else's, whose id was repeated
		v.stored = true
		if result.SessionID != v.sessionID() { // another socket has stored one under the token
			v.setSession(result.SessionID)
			if err := v.joinLive(result.SessionID); err != nil { // what was submitted is on disk all the same
				v.server.log.Error("join session", "project", v.project.ID, "error", err)
			}
		}
	}
	return v.answer(protocol.VisitorFeedbackReceived{ID: result.ID, ReceiptURL: result.ReceiptURL}, id)
}

// draft reads a draft at once or, where drafts come too fast, as soon as the
// limit allows; of several that wait only the newest is read.
func (v *visitor) draft(e protocol.DraftChanged, id string) error {
	if utf8.RuneCountInString(e.Text) > models.MaxDraft {
		return models.InvalidField("text", "must have at most 5000 characters")
	}
	if e.PageURL != "" {
		if err := models.CheckPageURL(e.PageURL); err != nil {
			return err
		}
	}
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	if v.waiting != nil {
		v.waiting = &waitingDraft{e, id}
		return nil
	}
	if delay := v.draftLimit.Reserve().Delay(); delay > 0 && !v.server.unlimited {
		v.waiting = &waitingDraft{e, id}
		v.draftTimer = time.AfterFunc(delay, v.readWaitingDraft)
		return nil
	}
	return v.readDraft(e, id)
}

func (v *visitor) readWaitingDraft() {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	waiting := v.waiting
	v.waiting = nil
	if waiting == nil || v.draftsEnded {
		return
	}
	if err := v.readDraft(waiting.event, waiting.re); err != nil {
		v.server.log.Error("read draft", "error", err)
	}
}

// readDraft is called with draftMu held.
func (v *visitor) readDraft(e protocol.DraftChanged, id string) error {
	reading := models.ReadDraft(e.Text)
	shown := protocol.DashboardDraftChanged{ProjectID: v.project.ID, SessionID: v.session, PageURL: pageOf(e.PageURL)}
	if e.Shared {
		shown.Text, shown.PageURL = &e.Text, e.PageURL
	}
	if v.reviewLocked() {
		v.draftShown = true
		v.server.hub.seenOn(v, v.project.ID, e.PageURL)
		v.server.hub.publishEphemeral(v.project.ID, "draft "+string(v.session), shown)
	}
	return v.answer(protocol.DraftAccepted{Kind: reading.Kind, Hints: reading.Hints}, id)
}

// clearDraft takes the draft off the dashboards: it was sent or given up.
func (v *visitor) clearDraft() {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	v.clearDraftLocked()
}

func (v *visitor) clearDraftLocked() {
	v.waiting = nil
	if v.draftShown {
		v.draftShown = false
		v.server.hub.publishEphemeral(v.project.ID, "draft "+string(v.session),
			protocol.DashboardDraftChanged{ProjectID: v.project.ID, SessionID: v.session})
	}
}

func (v *visitor) endDrafts() {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	v.draftsEnded = true
	if v.draftTimer != nil {
		v.draftTimer.Stop()
	}
	v.clearDraftLocked()
}

func (v *visitor) sessionID() models.ID {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	return v.session
}

func (v *visitor) setSession(id models.ID) {
	v.draftMu.Lock()
	defer v.draftMu.Unlock()
	v.session = id
}
