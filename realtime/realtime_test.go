package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	fastws "github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/metrics"
	"earshot/models/store"
	"earshot/models/store/storetest"
	"earshot/realtime/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleakOptions()...) }

// goleakOptions names goroutines of libraries that run until the process ends.
func goleakOptions() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("earshot/models/store/postgrestest.(*process).wait"),
	}
}

const wait = 5 * time.Second

// harness is a server with real sockets and a real store.
type harness struct {
	t       *testing.T
	addr    string
	store   *store.Store
	hub     *Hub
	server  *Server
	scope   models.Scope
	project *models.Project
	claims  models.Claims
	// losing: what is committed is not published, as if the hub had dropped it.
	losing atomic.Bool
	// faulty: the store panics when it is asked for a log's head.
	faulty atomic.Bool
	// tooOld, unless 0, is where the replay window begins.
	tooOld atomic.Int64
}

// faultyStore is a store with a fault that can be switched on.
type faultyStore struct {
	Store
	fault  *atomic.Bool
	tooOld *atomic.Int64
}

func (s faultyStore) LogHead(ctx context.Context, scope models.Scope, project models.ID) (store.Head, error) {
	if s.fault.Load() {
		panic("a fault in the store")
	}
	head, err := s.Store.LogHead(ctx, scope, project)
	head.First = max(head.First, s.tooOld.Load())
	return head, err
}

func (s faultyStore) ReadLog(ctx context.Context, scope models.Scope, project models.ID, since int64, limit int) ([]models.LogEntry, error) {
	if s.fault.Load() {
		return nil, errors.New("a fault in the store")
	}
	return s.Store.ReadLog(ctx, scope, project, since, limit)
}

func start(t *testing.T, unlimited bool) *harness {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	path := storetest.Database(t)
	var err error
	h := &harness{t: t}
	h.hub = NewHub(log, func() models.Epoch { return h.store.Epoch() }, metrics.Unread().Hub, nil)
	publish := func(entries []models.LogEntry) {
		if !h.losing.Load() {
			h.hub.Publish(entries)
		}
	}
	if h.store, err = store.Open(t.Context(), store.Options{Path: path, Log: log, Publish: publish}); err != nil {
		t.Fatal(err)
	}
	in, err := intake.New(intake.Options{Store: h.store, BaseURL: "http://localhost", Secret: []byte("secret"), Unlimited: unlimited})
	if err != nil {
		t.Fatal(err)
	}
	h.server = New(Options{
		Hub: h.hub, Store: faultyStore{h.store, &h.faulty, &h.tooOld}, Intake: in, Log: log, Now: time.Now, Unlimited: unlimited,
		Authenticate: func(context.Context, string) (models.Claims, error) { return h.claims, nil },
	})
	h.seed()
	h.listen()
	return h
}

func (h *harness) seed() {
	ctx := h.t.Context()
	user, org, err := h.store.CreateFirstOwner(ctx, models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.scope = models.ScopeOf(org.ID)
	h.project = &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	if err := errors.Join(h.project.Normalize(), h.store.CreateProject(ctx, h.scope, h.project)); err != nil {
		h.t.Fatal(err)
	}
	session, err := h.store.CreateSession(ctx, user.ID, org.ID, models.SignIn{}, models.HashToken(models.NewToken()), time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	h.claims = models.Claims{
		UserID: user.ID, SessionID: session.ID, Scope: h.scope, Role: models.RoleOwner, ExpiresAt: time.Now().Add(time.Hour),
	}
}

func (h *harness) listen() {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, ReadTimeout: 10 * time.Second})
	Prepare(app)
	app.Get("/visitor", func(c *fiber.Ctx) error {
		return h.server.UpgradeVisitor(c, h.project, netip.MustParseAddr("192.0.2.1"))
	})
	app.Get("/dashboard", func(c *fiber.Ctx) error {
		return h.server.UpgradeDashboard(c, h.claims, "Ann", netip.MustParseAddr("192.0.2.2"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.addr = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		if err := errors.Join(h.server.Shutdown(ctx), app.ShutdownWithContext(ctx), <-served, h.store.Close()); err != nil {
			h.t.Errorf("shutdown: %v", err)
		}
		h.hub.Close()
	})
}

func (h *harness) submit(n int) {
	h.t.Helper()
	h.submitTexts(n, "message")
}

func (h *harness) submitTexts(n int, text string) {
	h.t.Helper()
	for range n {
		in := store.NewFeedback{
			Project: h.project, ResumeHash: models.HashResumeToken(models.NewResumeToken()), SessionID: models.NewID(),
			Submission: models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: text},
		}
		if _, err := h.store.Submit(context.Background(), in); err != nil {
			h.t.Error(err)
			return
		}
	}
}

// client is a test's side of a socket.
type client struct {
	t  *testing.T
	ws *fastws.Conn
}

func (h *harness) dial(path string) *client {
	h.t.Helper()
	ws, response, err := fastws.DefaultDialer.Dial("ws://"+h.addr+path, nil)
	if err != nil {
		h.t.Fatalf("dial %s: %v", path, err)
	}
	_ = response.Body.Close()
	h.t.Cleanup(func() { _ = ws.Close() })
	return &client{h.t, ws}
}

// event is any envelope.
type event struct {
	Type  string          `json:"type"`
	Re    string          `json:"re"`
	Epoch models.Epoch    `json:"epoch"`
	Seq   int64           `json:"seq"`
	Data  json.RawMessage `json:"data"`
}

func (e event) code() models.Code {
	var data protocol.Error
	_ = json.Unmarshal(e.Data, &data)
	return data.Code
}

func (c *client) send(kind, id string, data any) {
	c.t.Helper()
	raw, err := json.Marshal(map[string]any{"type": kind, "id": id, "data": data})
	if err == nil {
		err = c.ws.WriteMessage(fastws.TextMessage, raw)
	}
	if err != nil {
		c.t.Fatalf("send %s: %v", kind, err)
	}
}

func (c *client) next() event {
	c.t.Helper()
	e, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return e
}

func (c *client) read() (event, error) {
	var e event
	_ = c.ws.SetReadDeadline(time.Now().Add(wait))
	_, raw, err := c.ws.ReadMessage()
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	return e, err
}

// want reads until an event of a type comes.
func (c *client) want(kind string) event {
	c.t.Helper()
	for {
		if e := c.next(); e.Type == kind {
			return e
		}
	}
}

// wantClose reads until the socket is closed, and gives the code.
func (c *client) wantClose(code protocol.CloseCode) {
	c.t.Helper()
	for {
		_, err := c.read()
		var closed *fastws.CloseError
		switch {
		case err == nil:
		case errors.As(err, &closed) && protocol.CloseCode(closed.Code) == code:
			return
		default:
			c.t.Fatalf("socket ended with %v, want close code %d", err, code)
		}
	}
}

func (h *harness) subscribe(c *client, data map[string]any) event {
	h.t.Helper()
	data["project_id"] = h.project.ID
	id := string(models.NewID())
	c.send("Subscribe", id, data)
	for {
		if e := c.next(); e.Re == id {
			return e
		}
	}
}

// wantSeqs reads durable events from..to and fails on a gap, a repeat or a
// wrong order.
func (c *client) wantSeqs(from, to int64) {
	c.t.Helper()
	for want := from; want <= to; {
		e := c.next()
		if e.Seq == 0 {
			continue
		}
		if e.Seq != want {
			c.t.Fatalf("got seq %d, want %d", e.Seq, want)
		}
		want++
	}
}
