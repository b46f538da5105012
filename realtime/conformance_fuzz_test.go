package realtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
	"earshot/models/metrics"
	"earshot/models/store"
)

// fuzzStore knows one project and no session; a visitor asks it nothing else.
type fuzzStore struct {
	Store
	project *models.Project
}

func (fuzzStore) BlocksOf(context.Context, []models.ID) (map[models.ID]*models.Blocks, error) {
	return nil, nil
}

func (fuzzStore) Blocks(context.Context, models.ID) (*models.Blocks, error) { return nil, nil }

func (fuzzStore) Epoch() models.Epoch { return "epoch" }

func (s fuzzStore) ProjectByKey(context.Context, string) (*models.Project, error) {
	return s.project, nil
}

func (s fuzzStore) ProjectKeys(context.Context, []models.ID) (map[models.ID]string, error) {
	return map[models.ID]string{s.project.ID: s.project.Key}, nil
}

func (fuzzStore) VisitorSession(context.Context, models.ID, models.ResumeHash) (models.ID, error) {
	return "", models.Errorf(models.CodeNotFound, "there is none")
}

type fuzzIntake struct{}

func (fuzzIntake) AddressHash(models.ID, netip.Addr) string { return "" }

func (fuzzIntake) Message(context.Context, intake.MessageRequest) (store.Posted, error) {
	return store.Posted{}, models.Errorf(models.CodeNotFound, "there is no such object")
}

func (fuzzIntake) Submit(context.Context, intake.Request) (intake.Result, error) {
	return intake.Result{}, models.Errorf(models.CodeUnavailable, "nothing is kept here")
}

// faultLog keeps what the server says of faults of its own, as of panics that it
// has caught.
type faultLog struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	logger *slog.Logger
}

func newFaultLog() *faultLog {
	l := &faultLog{}
	l.logger = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return l
}

func (l *faultLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(line)
}

func (l *faultLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.buf.Reset()
	return l.buf.String()
}

// startFuzzed is a server without a disk, for many short sockets.
func startFuzzed(f *testing.F) (addr string, faults *faultLog) {
	faults = newFaultLog()
	project := &models.Project{ID: models.NewID(), Key: "pk_fuzz", Settings: models.DefaultSettings()}
	hub := NewHub(faults.logger, func() models.Epoch { return "epoch" }, metrics.Unread().Hub, nil)
	server := New(Options{
		Hub: hub, Store: fuzzStore{project: project}, Intake: fuzzIntake{}, Log: faults.logger, Now: time.Now, Unlimited: true,
	})
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, ReadTimeout: wait})
	Prepare(app)
	app.Get("/visitor", func(c *fiber.Ctx) error {
		return server.UpgradeVisitor(c, project, netip.MustParseAddr("192.0.2.1"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		if err := errors.Join(server.Shutdown(ctx), app.ShutdownWithContext(ctx), <-served); err != nil {
			f.Errorf("shutdown: %v", err)
		}
		hub.Close()
	})
	return listener.Addr().String(), faults
}

// FuzzFrames sends bytes after the handshake, in two writes, and then ends its
// side. The server has to answer by whole frames that it may send, and to end in
// order, within a time. What a run covers depends on how its bytes arrive, so that
// it makes little sense to minimize inputs for long: -fuzzminimizetime=10x.
func FuzzFrames(f *testing.F) {
	addr, faults := startFuzzed(f)
	for _, section := range conformanceSections() {
		for i, tc := range section.cases {
			if data := oneWrite(tc.sent...)[0]; len(data) < 300 && i%3 == 0 {
				f.Add(data, uint16(len(data)/2))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		w := dialWire(t, addr, "/visitor", "")
		w.want("Connected")
		at := min(int(cut), len(data))
		w.send(data[:at], data[at:])
		w.halfClose()
		wantLegalEnd(w)
		if said := faults.take(); said != "" {
			t.Errorf("the server says: %s", said)
		}
	})
}

// wantLegalEnd reads to the end of the stream: events and pongs, then a close
// frame or none, then nothing.
func wantLegalEnd(w *wire) {
	w.t.Helper()
	for {
		got := w.next()
		code := 0
		switch {
		case got == "end":
			return
		case strings.HasPrefix(got, "pong "), strings.HasPrefix(got, "ping "), strings.ToLower(got[:1]) != got[:1]:
			continue // an event begins with a capital
		case got == "close":
		case strings.HasPrefix(got, "close "):
			if _, err := fmt.Sscanf(got, "close %d", &code); err != nil || !mayBeSent(code) {
				w.t.Fatalf("got %s, want a code that may be sent", got)
			}
		default:
			w.t.Fatalf("got %s, want frames and the end", got)
		}
		w.want("end")
		return
	}
}

// mayBeSent says of a close code whether it may be in a frame: those of the
// protocol's registry for peers, and those for libraries and applications.
func mayBeSent(code int) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code < 1000 || code > 1014:
		return false
	}
	return code != 1004 && code != 1005 && code != 1006
}
