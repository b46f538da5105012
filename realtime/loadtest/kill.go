package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// kill ends the server with SIGKILL again and again, at random moments of its
// life, its start included, and starts it again on the same folder. It shows
// that nothing acknowledged depends on the process's memory. It does not show
// what a power cut would: written pages survive the process without a sync.
type kill struct {
	Rounds  int           `default:"200" help:"How often."`
	Writers int           `default:"50" help:"Parallel writers, half over sockets, half over POST."`
	After   time.Duration `default:"50ms" help:"The shortest life of a server."`
	Before  time.Duration `default:"2s" help:"The longest."`
	Back    time.Duration `default:"2s" help:"The time from the start to the first acknowledgement, at most, in 99 of 100 rounds."`
}

// Run is called by kong.
func (k kill) Run(t *test) error {
	t.printf("Killed %d times after %v to %v, under %d writers\n", k.Rounds, k.After, k.Before, k.Writers)
	found, starts, err := k.rounds(t, k.Rounds, nil)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	p50, p99 := percentiles(starts)
	t.printf("  first acknowledgement after a restart (%d of %d lived to see one): p50 %.0f ms, p99 %.0f ms\n",
		len(starts), k.Rounds, ms(p50), ms(p99))
	if err := found.holds(); err != nil {
		return err
	}
	if p99 > k.Back || len(starts) == 0 {
		return fmt.Errorf("the first acknowledgement took %v, %v are allowed", p99, k.Back)
	}
	found, _, err = k.rounds(t, min(k.Rounds, 10), []string{"--bare", "--early"})
	if err != nil {
		return err
	}
	return t.mustFail("a server that acknowledges before it commits", found.holds())
}

func (k kill) rounds(t *test, rounds int, flags []string) (found audit, starts []time.Duration, err error) {
	folder, err := os.MkdirTemp("", "earshot-loadtest-")
	if err != nil {
		return found, nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	again := launch{data: folder, flags: flags}
	if again.listen, err = lowPort(); err != nil {
		return found, nil, err
	}
	first, err := t.launch(again)
	if err != nil {
		return found, nil, err
	}
	const leave = 0.05 // some never send it again: it may be stored or not
	w := &writers{ledger: newLedger(), p: first, leave: leave}
	w.start(t.ctx, k.Writers)
	starts, err = k.killing(t, rounds, first, again, w.ledger)
	if err != nil {
		w.end()
		return found, nil, err
	}
	last, err := t.launch(again) // so that what is on its way can arrive
	if err == nil {
		// Nothing ends this one, so that there is a start to measure also where the others were too short.
		if took, ok := w.ledger.first(last.started, time.After(patience)); ok {
			starts = append(starts, took)
		}
	}
	w.end()
	if err != nil {
		return found, nil, err
	}
	if err := last.stop(); err != nil {
		return found, nil, err
	}
	found, err = w.ledger.compare(t.ctx, folder)
	return found, starts, err
}

// killing kills and starts again; it gives the times from a start to its first
// acknowledgement, where there was one. The first server was not started again:
// it had an owner and a project to make.
func (k kill) killing(t *test, rounds int, p *process, again launch, l *ledger) (starts []time.Duration, err error) {
	for round := range rounds {
		life := time.After(k.After + rand.N(k.Before-k.After))
		if took, ok := l.first(p.started, life); ok {
			if round > 0 {
				starts = append(starts, took)
			}
			<-life
		}
		if err := p.kill(); err != nil {
			return nil, err
		}
		if p, err = t.spawn(again); err != nil {
			return nil, err
		}
	}
	return starts, p.kill() // whatever it was about to do
}
