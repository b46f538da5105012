package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
)

// outage is a time in which the disk takes nothing. Submissions are refused in
// it by a code that says so, and nothing is acknowledged; what is stored is read
// as ever, and when the disk is well again so is the server, by itself.
type outage struct {
	writers int
	lasts   time.Duration
	heals   time.Duration // from the end of the fault to the next acknowledgement, at most
	// begin returns once the fault is in force, end once it is over.
	begin func(*process) error
	end   func() error
}

// suffered is what a server did in an outage.
type suffered struct {
	audit
	mu       sync.Mutex
	refusals map[string]int // by code; "" is for what was no answer

	inIt        int // acknowledged in it
	lasted      time.Duration
	logged      atomic.Int64 // lines
	reads       int
	unread      error // the first read that failed
	unexpected  error // the first failure that was no refusal
	recovered   time.Duration
	unrecovered bool
}

// run suffers an outage on the server of the folder.
func (o outage) run(t *test, again launch) (found *suffered, err error) {
	found = &suffered{refusals: map[string]int{}}
	again.log = found
	p, err := t.launch(again)
	if err != nil {
		return nil, err
	}
	w := &writers{ledger: newLedger(), p: p, refused: found.refuse}
	w.start(t.ctx, o.writers)
	err = o.happen(t, p, w.ledger, found)
	w.end()
	if err = errors.Join(err, p.stop()); err != nil {
		return nil, err
	}
	found.audit, err = w.ledger.compare(t.ctx, again.data)
	return found, err
}

// onItsWay is for the answers to what was committed before the fault.
const onItsWay = 200 * time.Millisecond

func (o outage) happen(t *test, p *process, l *ledger, found *suffered) error {
	if _, ok := l.acknowledgedAfter(p.started, dialTimeout); !ok {
		return errors.New("nothing was acknowledged before the fault")
	}
	if err := o.begin(p); err != nil {
		return errors.Join(err, o.end())
	}
	if err := t.wait(onItsWay); err != nil {
		return errors.Join(err, o.end())
	}
	before := l.acknowledged()
	began, lastly := time.Now(), time.After(o.lasts)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for over := false; !over; {
		select {
		case <-lastly:
			over = true
		case <-look.C:
			found.read(t, p)
		}
	}
	found.lasted = time.Since(began)
	found.inIt = l.acknowledged() - before
	if err := o.end(); err != nil {
		return err
	}
	healed := time.Now()
	at, ok := l.acknowledgedAfter(healed, o.heals)
	found.recovered, found.unrecovered = at.Sub(healed), !ok
	return nil
}

// Write counts what the server logs.
func (s *suffered) Write(lines []byte) (int, error) {
	s.logged.Add(int64(bytes.Count(lines, []byte{'\n'})))
	return len(lines), nil
}

// loggedAtMost is a second's lines: enough to see what is wrong, too few to fill
// what room the log itself has.
const loggedAtMost = 10

func (s *suffered) refuse(err error) {
	var r *refusal
	s.mu.Lock()
	defer s.mu.Unlock()
	if !errors.As(err, &r) {
		s.refusals[""]++
		s.unexpected = firstOf(s.unexpected, err)
		return
	}
	s.refusals[r.code]++
	if r.code != string(models.CodeStorageFull) && r.code != string(models.CodeUnavailable) {
		s.unexpected = firstOf(s.unexpected, err)
	}
}

// firstOf is the first of two errors.
func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func (s *suffered) read(t *test, p *process) {
	s.reads++
	if _, err := p.stored(t.ctx); err != nil {
		s.unread = firstOf(s.unread, err)
	}
}

// String is what happened, in two lines.
func (s *suffered) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var codes []string
	for code, n := range s.refusals {
		codes = append(codes, fmt.Sprintf("%s %d", code, n))
	}
	slices.Sort(codes)
	return fmt.Sprintf("refused: %s; acknowledged meanwhile %d; reads %d; lines logged %d; next acknowledgement after %.0f ms\n  %s",
		strings.Join(codes, ", "), s.inIt, s.reads, s.logged.Load(), ms(s.recovered), s.audit)
}

// holds is nil where the outage cost nothing but time. code must be among those
// that submissions were refused by.
func (s *suffered) holds(code models.Code) error {
	if err := s.audit.holds(); err != nil {
		return err
	}
	switch {
	case s.unexpected != nil:
		return fmt.Errorf("a submission failed otherwise: %w", s.unexpected)
	case s.refusals[string(code)] == 0:
		return fmt.Errorf("nothing was refused as %s", code)
	case s.inIt > 0:
		return fmt.Errorf("%d were acknowledged in the outage", s.inIt)
	case s.unread != nil:
		return fmt.Errorf("read in the outage: %w", s.unread)
	case s.reads == 0:
		return errors.New("nothing was read in the outage")
	case float64(s.logged.Load()) > loggedAtMost*(1+s.lasted.Seconds()):
		return fmt.Errorf("the server logged %d lines in %v", s.logged.Load(), s.lasted)
	case s.unrecovered:
		return errors.New("the server did not recover by itself")
	}
	return nil
}
