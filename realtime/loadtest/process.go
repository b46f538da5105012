package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"earshot/api"
	"earshot/api/config"
	"earshot/api/operator"
	"earshot/models"
	"earshot/models/store"
)

// ready is what the server under test prints once it can be reached.
type ready struct {
	Addr    string    `json:"addr"`
	Key     string    `json:"key"`
	Project models.ID `json:"project"`
	Token   string    `json:"token"`
}

// serve is the server's side: the product as it is, but for its limits.
func serve(ctx context.Context, data, profile string, out io.Writer) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	go releaseMemory(ctx)
	debug.SetGCPercent(config.GCPercent) // as main does
	if profile != "" {
		file, err := os.Create(profile) //nolint:gosec // named by whoever measures
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server, err := api.New(ctx, api.Config{
		DataDir: data, BaseURL: "http://127.0.0.1", Secret: []byte(strings.Repeat("s", 32)), Unlimited: true, Log: log, Drain: 10 * time.Second,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := ready{Addr: listener.Addr().String()}
	if err := seed(ctx, server.Store(), &r); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(end), <-served)
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

// process is the server under test, seen from outside.
type process struct {
	ready
	cmd  *exec.Cmd
	data string
}

func (t *test) start() (*process, error) { return t.startServer("--profile=" + t.options.Profile) }

func (t *test) startServer(flag string) (*process, error) {
	ctx := t.ctx
	data, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{data: data, cmd: exec.CommandContext(ctx, self, "serve", data, flag)} //nolint:gosec // this program itself
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.ready)
	}
	if err == nil {
		p.Token, err = login(ctx, p.Addr)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start server: %w", err), p.stop())
	}
	return p, nil
}

func (p *process) stop() error {
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	return errors.Join(err, p.cmd.Wait(), os.RemoveAll(p.data))
}

// usage is what the server has used: CPU since its start, memory now.
type usage struct {
	cpu time.Duration
	rss int64 // bytes
}

// settled is usage after free memory was given back.
func (p *process) settled() (usage, error) {
	time.Sleep(settle)
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return usage{}, err
	}
	time.Sleep(settle)
	return p.usage()
}

// settle is how long memory gets to come to rest.
const settle = 5 * time.Second

// ticksPerSecond is USER_HZ, which Linux fixes at 100 for /proc (proc(5)).
const ticksPerSecond = 100

func (p *process) usage() (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return usage{}, err
	}
	// Field 2 is in parentheses and may hold anything; utime is field 14.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	pages, errPages := strconv.ParseInt(fields[21], 10, 64)
	return usage{
		cpu: time.Duration(user+system) * time.Second / ticksPerSecond,
		rss: pages * int64(os.Getpagesize()),
	}, errors.Join(errUser, errSystem, errPages)
}
