// Command loadtest measures a server of its own on this machine: how fast
// submissions are acknowledged, how fast they are delivered, and what an idle
// socket costs. It also breaks things, and checks what must hold all the same.
// The server is a process apart, so that its memory and CPU are its own, and so
// that it can be killed; both share the machine's cores.
//
//	go run ./realtime/loadtest              all measurements
//	go run ./realtime/loadtest submit       one of them: submit, deliver, idle, start
//	go run ./realtime/loadtest nodes        one, two and three servers on one PostgreSQL
//	go run ./realtime/loadtest scale        lists of 10,000 and of 1,000,000 items
//	go run ./realtime/loadtest faults       all faults
//	go run ./realtime/loadtest faults kill  one of them: kill, sync, full, broken,
//	                                        drain, restart, stall, slow, churn, repeat, clock;
//	                                        with several nodes: nodes, nats, postgres, cut, late
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/alecthomas/kong"
)

type commands struct {
	All     all      `cmd:"" default:"withargs" help:"All measurements."`
	Submit  submit   `cmd:"" help:"Submissions a second, over sockets and POST."`
	Deliver deliver  `cmd:"" help:"Deliveries a second to dashboards."`
	Idle    idle     `cmd:"" help:"Bytes an idle socket."`
	Scale   scale    `cmd:"" help:"What lists cost with many items: fails on a full scan, and on a cost that grows."`
	Nodes   growing  `cmd:"" help:"The same work on one, two and three servers; PostgreSQL beside SQLite."`
	Start   starting `cmd:"" help:"Time and memory of a start."`
	Faults  faults   `cmd:"" help:"What must hold when something breaks, each with a control that must fail."`
	Serve   serve    `cmd:"" hidden:"" help:"The server under test."`
}

// options are those of the measurements.
type options struct {
	Seconds    int    `default:"5" help:"How long each figure is measured."`
	Warmup     int    `default:"1" help:"Seconds before that."`
	Writers    []int  `default:"1,16,64" help:"Numbers of parallel writers."`
	Dashboards []int  `default:"100,1000" help:"Numbers of dashboards."`
	Sockets    int    `default:"2000" help:"Idle sockets."`
	Profile    string `placeholder:"FILE" help:"Writes the server's CPU profile here, for go tool pprof; the last server's where there are several."`
	Pace       int    `default:"0" help:"Submissions a second while delivering; 0: as fast as they are taken."`
}

func (o options) duration() time.Duration { return time.Duration(o.Seconds) * time.Second }
func (o options) warmup() time.Duration   { return time.Duration(o.Warmup) * time.Second }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	var c commands
	parser, err := kong.New(&c, kong.Name("loadtest"), kong.UsageOnError())
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	if _, ok := log.(*os.File); !ok {
		log = &shared{w: log} // several servers may log at once
	}
	return command.Run(&test{ctx: ctx, out: out, log: log})
}

// shared is a writer for several at once.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// all is every measurement.
type all struct{ options }

// Run is called by kong.
func (a all) Run(t *test) error {
	for _, measure := range []func(*test) error{submit(a).Run, deliver(a).Run, idle(a).Run, starting{Starts: defaultStarts}.Run} {
		if err := measure(t); err != nil {
			return err
		}
	}
	return nil
}

// test is one run of the program.
type test struct {
	ctx context.Context
	out io.Writer
	log io.Writer // what the servers under test log
}

func (t *test) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format, args...)
}

// wait is for loads that run for a time.
func (t *test) wait(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-t.ctx.Done():
		return t.ctx.Err()
	}
}
