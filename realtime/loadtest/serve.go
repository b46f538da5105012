package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"earshot/api"
	"earshot/api/config"
	"earshot/api/operator"
	"earshot/models"
	"earshot/models/store"
)

// serve is the server's side: the product as it is, but for its limits.
type serve struct {
	Data    string        `arg:"" help:"Its folder."`
	Listen  string        `default:"127.0.0.1:0" help:"Its address."`
	Profile string        `help:"The CPU profile's file."`
	Drain   time.Duration `default:"10s" help:"The time to leave in."`
	Jumps   bool          `help:"A clock that jumps an hour either way, twice a second."`
	Limits  bool          `help:"With the limits on connections and rates; 127.0.0.1 is then a proxy that is trusted."`
	Bare    bool          `help:"The control instead of the product."`
	// What makes it a node.
	Database string `help:"A PostgreSQL database's address, instead of a file in the folder."`
	NATS     string `name:"nats" help:"Where nodes hear of each other; none: nowhere."`
	Metrics  string `help:"A private address for figures."`
	bareFaults
}

// ready is what the server under test prints once it can be reached.
type ready struct {
	Addr    string    `json:"addr"`
	Key     string    `json:"key"`
	Project models.ID `json:"project"`
	Token   string    `json:"-"`
}

// Run serves until SIGTERM.
func (s serve) Run(t *test) error {
	ctx, stop := signal.NotifyContext(t.ctx, syscall.SIGTERM)
	defer stop()
	go config.PaceCollector(ctx) // as main does
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return err
	}
	if s.Bare {
		return s.serveBare(ctx, listener, t.out)
	}
	go releaseMemory(ctx)
	if s.Profile != "" {
		file, err := os.Create(s.Profile)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return s.serve(ctx, listener, t.out)
}

func (s serve) serve(ctx context.Context, listener net.Listener, out io.Writer) error {
	var now func() time.Time
	if s.Jumps {
		now = jumpingClock(time.Now())
	}
	var proxies []netip.Prefix
	if s.Limits {
		proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}
	server, err := api.New(ctx, api.Config{
		TrustedProxies: proxies,
		DataDir:        s.Data, Database: s.Database, NATS: s.NATS, BaseURL: "http://127.0.0.1", Secret: []byte(strings.Repeat("s", 32)), Unlimited: !s.Limits,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), Drain: s.Drain, Now: now,
	})
	if err != nil {
		return err
	}
	r, err := s.seeded(ctx, server.Store())
	if err != nil {
		return err
	}
	private, err := api.ListenPrivately(s.Metrics, "")
	if err != nil {
		return err
	}
	defer private.Close()
	private.Serve(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	r.Addr = listener.Addr().String()
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), s.Drain+10*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(end), <-served)
}

// seedFile is what a folder knows of its project.
const seedFile = "loadtest.json"

// seeded gives the folder's project, and makes it at the first start.
func (s serve) seeded(ctx context.Context, st *store.Store) (r ready, err error) {
	path := filepath.Join(s.Data, seedFile)
	if known, err := os.ReadFile(path); err == nil { //nolint:gosec // in a folder of our own
		return r, json.Unmarshal(known, &r)
	}
	if err := seed(ctx, st, &r); err != nil {
		return r, err
	}
	known, err := json.Marshal(r)
	return r, errors.Join(err, os.WriteFile(path, known, 0o600))
}

// releaseMemory gives free memory back to the system at each SIGUSR1, so that
// what is measured then is what is in use.
func releaseMemory(ctx context.Context) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-asked:
			debug.FreeOSMemory() // pools keep what they hold
			debug.FreeOSMemory() // until they were passed over twice
		case <-ctx.Done():
			return
		}
	}
}

func seed(ctx context.Context, s *store.Store, r *ready) error {
	hash, err := operator.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, org, err := s.CreateFirstOwner(ctx, models.User{Email: email, PasswordHash: hash}, models.Organization{Name: "Load"})
	if err != nil {
		return err
	}
	project := &models.Project{Name: "Load", Settings: models.DefaultSettings()}
	if err := errors.Join(project.Normalize(), s.CreateProject(ctx, models.ScopeOf(org.ID), project)); err != nil {
		return err
	}
	r.Key, r.Project = project.Key, project.ID
	return nil
}

const (
	email    = "load@example.com"
	password = "a password for load tests"
)
