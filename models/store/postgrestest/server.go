//go:build unix

package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server on this machine's loopback address.
type Server struct {
	programs, folder string
	port             int
	settings         []string
	account          *syscall.Credential // nil: who runs the tests
	process          *process
	janitor          *janitor
}

// account is who runs the server where the tests run as root, whom it refuses.
const account = "postgres"

// New is Start for one test alone, with a server as it is installed: what it
// acknowledges is on disk.
func New(t testing.TB, settings ...string) *Server {
	t.Helper()
	s, err := Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			t.Errorf("end the server: %v", err)
		}
	})
	return s
}

// Start makes a server with settings (name=value) and waits until it answers. The
// caller ends it with Remove.
func Start(settings ...string) (*Server, error) {
	programs, err := Programs()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs, settings: settings}
	if os.Geteuid() == 0 {
		if s.account, err = credential(account); err != nil {
			return nil, err
		}
	}
	if s.folder, err = os.MkdirTemp("", "earshot-postgres-*"); err != nil {
		return nil, err
	}
	if s.janitor, err = hire(s.folder); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

func (s *Server) begin() error {
	if s.account != nil {
		if err := os.Chown(s.folder, int(s.account.Uid), int(s.account.Gid)); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	initdb := exec.CommandContext(ctx, filepath.Join(s.programs, "initdb"), "--pgdata", s.data(), //nolint:gosec // an installed program
		"--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.folder, &syscall.SysProcAttr{Credential: s.account}
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	// Somebody else may take the port between our look and the server's.
	var err error
	for range 5 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.Run(); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// URL is the address of one of its databases.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Run starts the server, on the port that it had, and waits until it answers.
func (s *Server) Run() error {
	args := []string{
		"-D", s.data(), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", s.folder,
		"-c", "max_connections=300", "-c", "shared_buffers=64MB", "-c", "logging_collector=off",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	command := exec.Command(filepath.Join(s.programs, "postgres"), args...) //nolint:gosec,noctx // an installed program, which is ended by a signal of its own
	command.Dir = s.folder
	output, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }() // the server has its own
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.account, Setpgid: true} // an interrupt is for us
	if err := command.Start(); err != nil {
		return err
	}
	p := &process{command: command, ended: make(chan struct{})}
	go p.wait()
	s.process = p
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if s.answers(ctx) {
			return nil
		}
		select {
		case <-s.process.ended:
			said, readErr := os.ReadFile(output.Name())
			return errors.Join(fmt.Errorf("the server ended at once: %w\n%s", s.process.err, said), readErr)
		case <-ctx.Done():
			return errors.Join(errors.New("the server does not answer"), s.Kill())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) answers(ctx context.Context) bool {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	return db.PingContext(ctx) == nil
}

// Stop ends the server as its operator would, without waiting for who is connected.
func (s *Server) Stop() error {
	if s.process == nil { // it was never begun
		return nil
	}
	return s.process.end(syscall.SIGINT)
}

// Kill ends the server as a crash does.
func (s *Server) Kill() error { return s.process.end(syscall.SIGQUIT) }

// Remove ends the server and removes all that it had.
func (s *Server) Remove() error {
	return errors.Join(s.Stop(), os.RemoveAll(s.folder), s.janitor.dismiss())
}

// process is a program that was started.
type process struct {
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended
	err     error         // how, from then on
}

// wait is a method so that tests of leaked goroutines can name it.
func (p *process) wait() {
	defer close(p.ended)
	p.err = p.command.Wait()
}

func (p *process) end(signal syscall.Signal) error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		return errors.Join(errors.New("the server does not end"), p.command.Process.Kill())
	}
}

func credential(name string) (*syscall.Credential, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("a PostgreSQL server does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// freePort is below those that the kernel gives to outgoing connections, so that nobody
// has it where the server is stopped and started.
func freePort() (int, error) {
	const lowest, highest, tries = 10_000, 20_000, 100
	var err error
	for range tries {
		port := lowest + rand.N(highest-lowest) //nolint:gosec // no secret
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}
