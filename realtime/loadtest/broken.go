package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"earshot/models"
)

// broken has each sync of the write-ahead log fail for a while, as a dying disk
// does.
type broken struct {
	Writers int           `default:"16" help:"Parallel writers, half over sockets, half over POST."`
	Lasts   time.Duration `default:"5s" help:"How long syncs fail."`
	Heals   time.Duration `default:"5s" help:"The time from there on to the next acknowledgement, at most."`
}

// Run is called by kong.
func (b broken) Run(t *test) error {
	t.printf("Each sync of the write-ahead log fails with EIO for %v, under %d writers\n", b.Lasts, b.Writers)
	found, err := b.happens(t)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := found.holds(models.CodeUnavailable); err != nil {
		return err
	}
	if found, err = b.happens(t, "--bare", "--early"); err != nil {
		return err
	}
	return t.mustFail("a server that acknowledges before it commits", found.audit.holds())
}

func (b broken) happens(t *test, flags ...string) (*suffered, error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	s := &saboteur{t: t}
	o := outage{writers: b.Writers, lasts: b.Lasts, heals: b.Heals, begin: s.begin, end: s.end}
	return o.run(t, launch{data: folder, flags: flags})
}

// saboteur is a strace that changes what one file's syncs return.
type saboteur struct {
	t     *test
	cmd   *exec.Cmd
	trace sync.WaitGroup
}

// begin returns once a sync has failed.
func (s *saboteur) begin(p *process) error {
	s.cmd = exec.CommandContext(s.t.ctx, "strace", "-f", "-p", strconv.Itoa(p.cmd.Process.Pid), "-e", "signal=none", //nolint:gosec // our own child
		"-P", filepath.Join(p.data, database+"-wal"), "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO")
	trace, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.cmd = nil
		return fmt.Errorf("start strace: %w", err)
	}
	failed := make(chan struct{})
	s.trace.Go(func() { awaitInjected(trace, failed) })
	select {
	case <-failed:
		return nil
	case <-time.After(dialTimeout):
		return errors.New("no sync has failed")
	}
}

// awaitInjected reads to the end, and closes failed at the first injected fault.
func awaitInjected(trace io.Reader, failed chan struct{}) {
	for lines := bufio.NewScanner(trace); lines.Scan(); {
		if failed != nil && strings.Contains(lines.Text(), "(INJECTED)") {
			close(failed)
			failed = nil
		}
	}
}

// end returns once the process is alone again.
func (s *saboteur) end() error {
	if s.cmd == nil {
		return nil
	}
	err := s.cmd.Process.Signal(os.Interrupt)
	s.trace.Wait()
	if ended := s.cmd.Wait(); !errors.As(ended, new(*exec.ExitError)) { // of the signal that it was sent
		err = errors.Join(err, ended)
	}
	return err
}
