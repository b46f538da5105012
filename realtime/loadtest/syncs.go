package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// syncs looks at the system calls: whether each row's write was followed by a
// sync of the log, and that by the acknowledgement. It shows what kill cannot:
// that a power cut takes nothing acknowledged away.
type syncs struct {
	Seconds int   `default:"5" help:"How long, for each number of writers."`
	Writers []int `default:"1,16,50" help:"Numbers of parallel writers, half over sockets, half over POST."`
}

// Run is called by kong.
func (s syncs) Run(t *test) error {
	t.printf("Every acknowledgement waits for a sync of the write-ahead log\n")
	for _, writers := range s.Writers {
		found, err := s.observe(t, writers)
		if err != nil {
			return err
		}
		t.printf("  %2d writers: %s\n", writers, found)
		if err := found.holds(); err != nil {
			return err
		}
	}
	found, err := s.observe(t, s.Writers[0], "--bare", "--unsynced")
	if err != nil {
		return err
	}
	return t.mustFail("a server that commits without a sync", found.holds())
}

// observe lets writers submit to a server under strace.
func (s syncs) observe(t *test, writers int, flags ...string) (found order, err error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return found, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	read, write, err := os.Pipe()
	if err != nil {
		return found, err
	}
	parsed := make(chan *trace, 1)
	go func() { parsed <- readTrace(read) }() // until the server and its tracer have ended
	p, err := t.launch(launch{data: folder, flags: flags, under: traced, pipe: write})
	if err = errors.Join(err, write.Close()); err != nil {
		return found, errors.Join(err, read.Close())
	}
	ledger, err := s.submit(t, p, writers)
	err = errors.Join(err, p.stop())
	select {
	case tr := <-parsed:
		return tr.order(ledger), errors.Join(err, tr.err, read.Close())
	case <-time.After(traceEnds):
		return found, errors.Join(err, errors.New("the trace does not end"), read.Close())
	}
}

// traceEnds is how long a trace may go on after its process.
const traceEnds = 30 * time.Second

// traced is the command that writes a server's system calls to its descriptor 3.
// The server stays our child (-D), stops only at these calls (--seccomp-bpf), and
// each call shows its file's path (-y) and a page of the database as a whole (-s).
var traced = []string{
	"strace", "-D", "-f", "-y", "--seccomp-bpf", "-s", "4096", "-e", "signal=none",
	"-e", "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync", "-o", "/dev/fd/3",
}

func (s syncs) submit(t *test, p *process, n int) (*ledger, error) {
	w := &writers{ledger: newLedger(), p: p}
	w.start(t.ctx, n)
	err := t.wait(time.Duration(s.Seconds) * time.Second)
	w.end()
	return w.ledger, err
}

// order is what a trace shows of the acknowledgements.
type order struct {
	acknowledged, syncs int

	unseen   int // acknowledgements that the trace does not have
	unsynced int // acknowledged before the row was written and synced
}

// String is the order in one line.
func (o order) String() string {
	return fmt.Sprintf("%d acknowledged, %d syncs, %.2f for each; %d not synced before, %d not traced",
		o.acknowledged, o.syncs, float64(o.syncs)/float64(max(o.acknowledged, 1)), o.unsynced, o.unseen)
}

func (o order) holds() error {
	if o.acknowledged == 0 || o.unseen > 0 || o.unsynced > 0 {
		return fmt.Errorf("%s", o)
	}
	return nil
}
