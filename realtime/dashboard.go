package realtime

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

const (
	// maxSubscriptions bounds the projects that one socket follows.
	maxSubscriptions = 100
	// authWarning is how long before the token's end a dashboard is asked for
	// the next one.
	authWarning = time.Minute
)

// dashboard is one member's socket.
type dashboard struct {
	*Socket[protocol.DashboardClientEvent, protocol.DashboardServerEvent]
	server *Server
	name   string
	// release gives the socket's place in the count of connections back.
	release  func()
	draining bool // the server was, when the socket was opened
	opened   bool // the reader's own
	claims   atomic.Pointer[models.Claims]
	// warnedOf is the token's end that AuthExpiring was sent for. The ticker's own.
	warnedOf time.Time

	// replayTurn is held by the one subscription that replays: several at once
	// would each see the same room in the queue and fill it together.
	replayTurn chan struct{}

	mu            sync.Mutex
	subscriptions map[models.ID]*subscription
	viewing       viewing
	ended         bool
}

func (s *Server) serveDashboard(c net.Conn, encoding protocol.Encoding, claims models.Claims, name string, release func()) {
	d := &dashboard{
		Socket: newSocket(s.transport, c, encoding, protocol.DashboardClient, protocol.DashboardServer),
		server: s, name: name, release: release, subscriptions: map[models.ID]*subscription{}, replayTurn: make(chan struct{}, 1),
	}
	d.claims.Store(&claims)
	if !s.unlimited {
		d.limit()
	}
	s.mu.Lock()
	s.dashboards[d] = struct{}{}
	d.kind = kindDashboard
	d.draining = s.draining
	s.mu.Unlock()
	s.metrics.Sockets.Opened(kindDashboard)
	d.start(d)
}

// stopped and closed take the socket out of what it is a part of.
func (d *dashboard) stopped() { d.endSubscriptions() }

func (d *dashboard) closed() {
	d.server.mu.Lock()
	delete(d.server.dashboards, d)
	d.server.mu.Unlock()
	d.release()
}

// open is the socket's first turn.
func (d *dashboard) open() error {
	if d.draining {
		goAway[protocol.DashboardClientEvent, protocol.DashboardServerEvent](d.Socket, protocol.GoingAway{RetryAfterMS: randomRetry()})
	}
	claims := d.claims.Load()
	d.checkSession(claims.SessionID)
	return d.answer(protocol.DashboardConnected{
		UserID: claims.UserID, SessionID: claims.SessionID, HeartbeatMS: Heartbeat.Milliseconds(),
		Limits: protocol.DashboardLimits{
			FrameBytes: protocol.MaxFrame, FramesPerSecond: framesPerSecond, Subscriptions: maxSubscriptions,
		},
	}, "")
}

// checkSession closes the socket where its session ended too early for
// CloseSession to find it here, or went to another organisation.
func (d *dashboard) checkSession(session models.ID) {
	now, err := d.server.store.Authorize(d.ctx, session)
	if models.CodeOf(err) == models.CodeUnauthorized || err == nil && now.Scope != d.claims.Load().Scope {
		d.endSubscriptions()
		d.shut(protocol.CloseRevoked)
	}
}

func (d *dashboard) loop() error {
	if !d.opened {
		d.opened = true
		if err := d.open(); err != nil {
			return err
		}
	}
	return d.each(d.dispatch, d.refused)
}

// refused tells the client why an event was refused.
func (d *dashboard) refused(err error, id string) error {
	if !errors.As(err, new(*models.Error)) {
		d.server.log.Error("dashboard event", "error", err)
	}
	event := protocol.ErrorEvent(err)
	return d.refuse(event, event.Code, id)
}

func (d *dashboard) dispatch(event protocol.DashboardClientEvent, id string) error {
	switch e := event.(type) {
	case protocol.Subscribe:
		return d.subscribe(e, id)
	case protocol.Unsubscribe:
		d.unsubscribe(e.ProjectID)
		return nil
	case protocol.Reauthenticate:
		return d.reauthenticate(e)
	case protocol.ReplySent:
		return d.post(id, e.FeedbackID, models.VisibilityPublic, e.Body)
	case protocol.NoteAdded:
		return d.post(id, e.FeedbackID, models.VisibilityInternal, e.Body)
	case protocol.NoteEdited:
		return d.editNote(e, id)
	case protocol.NoteDeleted:
		return d.deleteNote(e, id)
	case protocol.Viewing:
		return d.view(e)
	case protocol.JobRequested:
		return d.requestJob(e, id)
	case protocol.JobCancelled:
		return d.cancelJob(e)
	case protocol.Ping:
		return d.answer(protocol.Pong{}, id)
	}
	return nil
}

// subscribe joins the topic before it reads where the log stands: whatever is
// committed in between is noted by the subscription, and the replay brings it.
func (d *dashboard) subscribe(e protocol.Subscribe, id string) error {
	if e.Since != nil && *e.Since != 0 && e.Epoch == "" {
		return models.InvalidField("epoch", "is needed with since")
	}
	if e.Since != nil && *e.Since < 0 {
		return models.InvalidField("since", "must not be negative")
	}
	claims := d.claims.Load()
	// Asked before the hub is: it keeps a topic for whatever it is asked for.
	if _, err := d.server.store.LogHead(d.ctx, claims.Scope, e.ProjectID); err != nil {
		return err
	}
	d.unsubscribe(e.ProjectID)
	sub, err := d.addSubscription(e.ProjectID, claims.Scope)
	if err != nil {
		return err
	}
	d.server.hub.subscribe(e.ProjectID, sub)
	head, err := d.server.store.LogHead(d.ctx, claims.Scope, e.ProjectID)
	if err != nil {
		d.unsubscribe(e.ProjectID)
		return err
	}
	if e.Since != nil {
		if reason := CannotResume(head, e.Epoch, *e.Since); reason != "" {
			d.unsubscribe(e.ProjectID)
			return d.answer(protocol.ResyncRequired{ProjectID: e.ProjectID, Reason: reason, Epoch: head.Epoch, Head: head.Last}, id)
		}
	}
	if err := sub.announce(head, id); err != nil {
		d.unsubscribe(e.ProjectID)
		return err
	}
	if err := d.server.hub.showPresence(sub); err != nil {
		return err
	}
	sub.start(firstWanted(e, head.First, head.Last), head.Last)
	return nil
}

func firstWanted(e protocol.Subscribe, first, last int64) int64 {
	switch {
	case e.Since == nil:
		return last + 1
	case *e.Since == 0:
		return first
	}
	return *e.Since + 1
}

func (d *dashboard) addSubscription(project models.ID, scope models.Scope) (*subscription, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil, errClosed
	}
	if len(d.subscriptions) >= maxSubscriptions {
		return nil, models.Errorf(models.CodeInvalidField, "a socket follows at most %d projects", maxSubscriptions)
	}
	sub := newSubscription(d, project, scope)
	d.subscriptions[project] = sub
	return sub, nil
}

func (d *dashboard) unsubscribe(project models.ID) {
	d.mu.Lock()
	sub := d.subscriptions[project]
	delete(d.subscriptions, project)
	d.mu.Unlock()
	if sub != nil {
		d.leave(sub)
	}
}

// forget gives the place of a subscription back that has ended by itself.
func (d *dashboard) forget(sub *subscription) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.subscriptions[sub.project] == sub {
		delete(d.subscriptions, sub.project)
	}
}

func (d *dashboard) leave(sub *subscription) {
	sub.end()
	d.server.hub.unsubscribe(sub.project, sub)
}

// endSubscriptions makes sure that nothing more is sent for any project.
func (d *dashboard) endSubscriptions() {
	d.mu.Lock()
	d.ended = true
	subs := d.subscriptions
	d.subscriptions = nil
	d.mu.Unlock()
	for _, sub := range subs {
		d.leave(sub)
	}
}

// reauthenticate takes the same member's next token.
func (d *dashboard) reauthenticate(e protocol.Reauthenticate) error {
	claims, err := d.server.authenticate(d.ctx, e.Token)
	if err != nil {
		return err
	}
	current := d.claims.Load()
	if claims.UserID != current.UserID || claims.Scope != current.Scope {
		return models.Errorf(models.CodeUnauthorized, "the token is not this member's")
	}
	d.claims.Store(&claims)
	d.checkSession(claims.SessionID)
	return nil
}

// checkToken warns of the token's end, and closes the socket at it.
func (d *dashboard) checkToken(now time.Time) {
	at := d.claims.Load().ExpiresAt
	switch {
	case at.IsZero():
	case !now.Before(at):
		d.shut(protocol.CloseTokenExpired)
	case at.Sub(now) <= authWarning && !d.warnedOf.Equal(at):
		d.warnedOf = at
		if err := d.answer(protocol.AuthExpiring{At: at}, ""); err != nil {
			d.server.log.Error("send AuthExpiring", "error", err)
		}
	}
}
