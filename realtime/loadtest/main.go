// Command loadtest measures a server of its own on this machine: how fast
// submissions are acknowledged, how fast they are delivered, and what an idle
// socket costs. The server is a process apart, so that its memory and CPU are
// its own; both share the machine's cores.
//
//	go run ./realtime/loadtest            all measurements
//	go run ./realtime/loadtest submit     one of them: submit, deliver, idle
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Seconds    int    `default:"5" help:"How long each figure is measured."`
	Warmup     int    `default:"1" help:"Seconds before that."`
	Writers    []int  `default:"1,16,64" help:"Numbers of parallel writers."`
	Dashboards []int  `default:"100,1000" help:"Numbers of dashboards."`
	Sockets    int    `default:"2000" help:"Idle sockets."`
	Profile    string `placeholder:"FILE" help:"Writes the server's CPU profile here, for go tool pprof; the last server's where there are several."`
	Pace       int    `default:"0" help:"Submissions a second while delivering; 0: as fast as they are taken."`

	All     struct{} `cmd:"" default:"1" help:"All measurements."`
	Submit  struct{} `cmd:"" help:"Submissions a second, over sockets and POST."`
	Deliver struct{} `cmd:"" help:"Deliveries a second to dashboards."`
	Idle    struct{} `cmd:"" help:"Bytes an idle socket."`
	Serve   struct {
		Data string `arg:""`
		Bare bool   `help:"The control instead of the product."`
	} `cmd:"" hidden:"" help:"The server under test."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var o options
	parser, err := kong.New(&o, kong.Name("loadtest"), kong.UsageOnError())
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	t := &test{ctx: ctx, out: out, options: o}
	switch command.Command() {
	case "serve <data>":
		if o.Serve.Bare {
			ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
			defer stop()
			return serveBare(ctx, o.Serve.Data, out)
		}
		return serve(ctx, o.Serve.Data, o.Profile, out)
	case "submit":
		return t.submissions()
	case "deliver":
		return t.deliveries()
	case "idle":
		return t.idle()
	}
	if err := t.submissions(); err != nil {
		return err
	}
	if err := t.deliveries(); err != nil {
		return err
	}
	return t.idle()
}

// test is one run of the program.
type test struct {
	ctx     context.Context
	out     io.Writer
	options options
}

func (t *test) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, format, args...)
}

func (t *test) duration() time.Duration { return time.Duration(t.options.Seconds) * time.Second }
func (t *test) warmup() time.Duration   { return time.Duration(t.options.Warmup) * time.Second }
