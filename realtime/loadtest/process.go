package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is the server under test, seen from outside.
type process struct {
	ready
	cmd    *exec.Cmd
	stdout io.Reader
	data   string
	ours   bool // the folder goes with the process

	started time.Time
}

// launch is how a server under test is started.
type launch struct {
	data   string    // its folder, which stays; "" for one that goes with the process
	listen string    // its address; "" for any port
	flags  []string  // further ones of serve
	under  []string  // the command that it is run by; nil for none
	pipe   *os.File  // its descriptor 3; may be nil
	log    io.Writer // of what it logs, beside the test's; may be nil
}

func (t *test) start(profile string) (*process, error) {
	return t.launch(launch{flags: []string{"--profile=" + profile}})
}

// launch starts a server and returns once it can be reached.
func (t *test) launch(l launch) (*process, error) {
	p, err := t.spawn(l)
	if err != nil {
		return nil, err
	}
	if err := p.awaitReady(); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if p.Token, err = login(t.ctx, p.Addr); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// spawn starts a server without waiting for it.
func (t *test) spawn(l launch) (p *process, err error) {
	p = &process{data: l.data, ours: l.data == ""}
	if p.ours {
		if p.data, err = os.MkdirTemp("", "earshot-loadtest-"); err != nil {
			return nil, err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", p.data}, l.flags...)
	if l.listen != "" {
		args = append(args, "--listen="+l.listen)
	}
	command := append(slices.Clone(l.under), self)
	command = append(command, args...)
	p.cmd = exec.CommandContext(t.ctx, command[0], command[1:]...) //nolint:gosec // this program itself
	p.cmd.Stderr = t.log
	if l.log != nil {
		p.cmd.Stderr = io.MultiWriter(t.log, l.log)
	}
	if l.pipe != nil {
		p.cmd.ExtraFiles = []*os.File{l.pipe}
	}
	if p.stdout, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	p.started = time.Now()
	return p, p.cmd.Start()
}

// lowPort gives a free address whose port lies below those that Linux hands to
// clients (net.ipv4.ip_local_port_range, from 32768): while a server is down, no
// client's connection can take its port, or be made with itself.
func lowPort() (string, error) {
	const lowest, highest, tries = 20_000, 32_000, 100
	var err error
	for range tries {
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.N(highest-lowest))); err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", err
}

const (
	// startPatience is for a server that has two million rows to look at, under the race detector.
	startPatience = 2 * time.Minute
	// stopPatience is longer than a server drains.
	stopPatience = time.Minute
)

// killAfter ends a server that hangs, so that who waits for it gets an error, unless
// spare is called before.
func (p *process) killAfter(patience time.Duration) (spare func()) {
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	return func() { late.Stop() }
}

// awaitReady waits for the line that says where the server is.
func (p *process) awaitReady() error {
	defer p.killAfter(startPatience)()
	line, err := bufio.NewReader(p.stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.ready)
	}
	if err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	return nil
}

// stop asks the server to leave and waits until it has; it is an error where
// the server did not end well.
func (p *process) stop() error {
	defer p.killAfter(stopPatience)()
	err := errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.cmd.Wait())
	if p.ours {
		err = errors.Join(err, os.RemoveAll(p.data))
	}
	return err
}

// kill ends the server with SIGKILL, so that nothing of it can tidy up.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	var killed *exec.ExitError
	if err := p.cmd.Wait(); !errors.As(err, &killed) || killed.ExitCode() != -1 {
		return fmt.Errorf("the server had ended before it was killed: %w", err)
	}
	return nil
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
