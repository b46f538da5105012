//go:build unix

package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Pause stops the server where it stands, with the processes of its connections: what
// it is sent is taken by the system and answered by nobody. Resume lets it go on.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

// Perish ends the server and the processes of its connections with SIGKILL, also while
// it is paused: nothing of it can tidy up.
func (s *Server) Perish() error {
	if err := s.Pause(); err != nil { // it makes no more of them
		return err
	}
	parent := s.process.command.Process.Pid
	children, err := childrenOf(parent) // they are no longer its own once it is gone
	if err = errors.Join(err, send(syscall.SIGKILL, append(children, parent))); err != nil {
		return err
	}
	<-s.process.ended
	// The next server refuses to start while one of them has the shared memory.
	for deadline := time.Now().Add(patience); slices.ContainsFunc(children, alive); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("the server's processes do not end")
		}
	}
	return nil
}

// alive is false also of a process that has ended and that nobody has waited for.
func alive(pid int) bool {
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && len(command) > 0
}

// signal sends to the server first, so that it makes no more processes meanwhile.
func (s *Server) signal(signal syscall.Signal) error {
	parent := s.process.command.Process.Pid
	if err := syscall.Kill(parent, signal); err != nil {
		return err
	}
	children, err := childrenOf(parent)
	return errors.Join(err, send(signal, children))
}

// send is content where a process has ended already.
func send(signal syscall.Signal, pids []int) (err error) {
	for _, pid := range pids {
		if killErr := syscall.Kill(pid, signal); !errors.Is(killErr, syscall.ESRCH) {
			err = errors.Join(err, killErr)
		}
	}
	return err
}

// childrenOf reads /proc (proc(5)), which Linux has.
func childrenOf(parent int) (children []int, err error) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(found) == 0 {
		return nil, errors.Join(errors.New("there is no /proc to find processes in"), err)
	}
	for _, path := range found {
		stat, err := os.ReadFile(path) //nolint:gosec // of the system
		if err != nil {
			continue // it has ended
		}
		// The name is in parentheses and may hold anything; the state and the parent follow.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		children = append(children, pid)
	}
	return children, nil
}
