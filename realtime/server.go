// Package realtime carries the live side of Earshot: the sockets of visitors
// and dashboards, and the hub that fans a project's events out to them.
//
// What a dashboard sees is decided by the project's log, not by luck: each
// subscription knows the seq it needs next, takes a publication only if it
// continues there, and otherwise reads the log. So nothing is missed, nothing
// comes twice, and the order is the order of commits, whatever the hub drops.
package realtime

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/metrics"
	"earshot/models/store"
	"earshot/models/trace"
	"earshot/realtime/protocol"
)

const (
	// socketsPerAddress bounds what one party on the network may hold open.
	socketsPerAddress = 20
	tickInterval      = 250 * time.Millisecond
)

// Store is what the sockets need of the store.
type Store interface {
	Epoch() models.Epoch
	Authorize(ctx context.Context, session models.ID) (models.Claims, error)
	AuthorizeAll(ctx context.Context, sessions []models.ID) (map[models.ID]models.Claims, error)
	LogHead(ctx context.Context, scope models.Scope, project models.ID) (store.Head, error)
	ReadLog(ctx context.Context, scope models.Scope, project models.ID, since int64, limit int) ([]models.LogEntry, error)
	ReadVisitorLog(ctx context.Context, scope models.Scope, project, session models.ID, since int64, limit int) ([]models.LogEntry, error)
	ProjectByKey(ctx context.Context, key string) (*models.Project, error)
	ProjectKeys(ctx context.Context, projects []models.ID) (map[models.ID]string, error)
	VisitorSession(ctx context.Context, project models.ID, token models.ResumeHash) (models.ID, error)
	Feedback(ctx context.Context, scope models.Scope, id models.ID) (*models.Feedback, error)
	PostMessage(ctx context.Context, scope models.Scope, in models.NewMessage) (store.Posted, error)
	Blocks(ctx context.Context, project models.ID) (*models.Blocks, error)
	BlocksOf(ctx context.Context, projects []models.ID) (map[models.ID]*models.Blocks, error)
	ChangeNote(ctx context.Context, scope models.Scope, change store.NoteChange) (models.Message, error)
}

// Intake is where submissions go, and visitors' messages.
type Intake interface {
	Submit(ctx context.Context, request intake.Request) (intake.Result, error)
	Message(ctx context.Context, request intake.MessageRequest) (store.Posted, error)
	AddressHash(project models.ID, address netip.Addr) string
}

// Options is what a Server is made from.
type Options struct {
	Hub    *Hub
	Store  Store
	Intake Intake
	Log    *slog.Logger
	Now    func() time.Time
	// Jobs may be nil where none are asked for.
	Jobs Jobs
	// Authenticate says who holds an access token; CodeUnauthorized if nobody.
	Authenticate func(ctx context.Context, token string) (models.Claims, error)
	// Unlimited lifts the limits on connections and frames, for load tests.
	Unlimited bool
	// Metrics counts what happens; nil where nobody reads it.
	Metrics *metrics.Metrics
	// Tracer follows submissions; nil where nobody does.
	Tracer *trace.Tracer
}

// Server owns all open sockets.
type Server struct {
	hub          *Hub
	store        Store
	intake       Intake
	log          *slog.Logger
	now          func() time.Time
	jobs         Jobs
	authenticate func(ctx context.Context, token string) (models.Claims, error)
	unlimited    bool
	metrics      *metrics.Metrics
	tracer       *trace.Tracer

	transport *Transport

	mu         sync.Mutex
	visitors   map[*visitor]struct{}
	dashboards map[*dashboard]struct{}
	// provisional are the sessions of visitors that may not be stored yet.
	provisional map[tokenKey]*provisional
	addresses   map[string]int
	draining    bool
	open        sync.WaitGroup

	stop   context.CancelFunc
	ticker sync.WaitGroup
}

// New starts a Server; end it with Shutdown.
func New(options Options) *Server {
	s := &Server{
		hub: options.Hub, store: options.Store, intake: options.Intake, log: options.Log, now: options.Now,
		jobs: options.Jobs, authenticate: options.Authenticate, unlimited: options.Unlimited, tracer: options.Tracer,
		transport: NewTransport(options.Log), visitors: map[*visitor]struct{}{}, dashboards: map[*dashboard]struct{}{},
		provisional: map[tokenKey]*provisional{}, addresses: map[string]int{},
	}
	if s.metrics = options.Metrics; s.metrics != nil {
		s.transport.metrics = s.metrics
		s.measure()
	} else {
		s.metrics = s.transport.metrics
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.ticker.Go(func() { s.tick(ctx) })
	s.ticker.Go(func() { s.watch(ctx) })
	return s
}

// tick does what is due by the clock, but for what the transport does.
func (s *Server) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	prune := time.NewTicker(pruneInterval)
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-prune.C:
			s.hub.prune()
			continue
		case <-ticker.C:
		}
		now := s.now()
		s.hub.publishPresence(now)
		s.mu.Lock()
		for d := range s.dashboards {
			d.checkToken(now)
		}
		s.mu.Unlock()
	}
}

// slot is a socket's place in the count of connections.
type slot struct {
	release func()
	// unclaimed gives the place back where the upgrade was answered but its
	// handler never ran: the client was gone before the answer was out.
	unclaimed *time.Timer
}

// claim is called by the handler; it is false where the place is given back.
func (s slot) claim() bool { return s.unclaimed.Stop() }

// admit counts a socket before its upgrade.
func (s *Server) admit(address netip.Addr) (slot, error) {
	key := intake.AddressKey(address)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return slot{}, &models.Error{Code: models.CodeUnavailable, Message: "the server is going away", RetryAfter: time.Second}
	}
	if !s.unlimited && s.addresses[key] >= socketsPerAddress {
		return slot{}, &models.Error{Code: models.CodeRateLimited, Message: "too many connections from this address", RetryAfter: time.Minute}
	}
	s.addresses[key]++
	s.open.Add(1)
	release := sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.addresses[key]--; s.addresses[key] == 0 {
			delete(s.addresses, key)
		}
		s.open.Done()
	})
	return slot{release: release, unclaimed: time.AfterFunc(handshakeTimeout, release)}, nil
}

// CloseSession ends all sockets of a member's session.
func (s *Server) CloseSession(session models.ID, code protocol.CloseCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.dashboards {
		if d.claims.Load().SessionID == session {
			d.endSubscriptions()
			d.shut(code)
		}
	}
}

// CloseProject ends all visitors' sockets of a project.
func (s *Server) CloseProject(project models.ID, code protocol.CloseCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.visitors {
		if v.project.ID == project {
			v.shut(code)
		}
	}
}

// EndProject ends what is open for a project that was deleted: its visitors'
// sockets, and with a word to each the dashboards' subscriptions. Whoever
// subscribes from now on learns from the store that it is gone, so it is to be
// called after the commit.
func (s *Server) EndProject(project models.ID) {
	s.CloseProject(project, protocol.CloseKeyDisabled)
	for _, sub := range s.hub.end(project) {
		sub.socket.forget(sub)
		if err := sub.projectDeleted(s.store.Epoch()); err != nil {
			s.log.Error("tell of a deleted project", "project", project, "error", err)
		}
	}
}
