package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"earshot/models"
)

// slow has many clients take their time, and takes the times of others meanwhile:
// headers, bodies and frames that come a byte at a time, sockets without number from
// twenty addresses, and the drafts of thousands of sessions.
type slow struct {
	Clients   int           `default:"200" help:"Slow clients of each kind: headers, bodies, frames."`
	Addresses int           `default:"20" help:"Addresses that open as many sockets as they get."`
	Tries     int           `default:"40" help:"How many each of them tries; the server grants 20."`
	Drafts    int           `default:"10000" help:"Sessions that write a draft and are gone, in all runs together."`
	Pairs     int           `default:"5" help:"Pairs of runs; their median counts."`
	Seconds   int           `default:"6" help:"How long a run lasts."`
	Writers   int           `default:"4" help:"Others who submit over POST."`
	Pace      int           `default:"100" help:"Their submissions a second."`
	Share     float64       `default:"0.25" help:"By how much their p99 may be longer."`
	Least     time.Duration `default:"2ms" help:"By how much it always may."`
	Memory    int64         `default:"64" help:"By how many MiB the server may grow, at most."`
}

// slowed is what became of the others, and of the server.
type slowed struct {
	pairs         []pair
	median        pair
	sockets       int // that were granted to the addresses
	refused       int
	drafts        int
	before, after int64 // resident, in bytes
	most          int64
}

// Run is called by kong.
func (s slow) Run(t *test) error {
	t.printf("%d clients each that are slow with headers, bodies and frames, %d addresses that try %d sockets each, %d sessions with a draft; median of %d pairs of runs\n",
		s.Clients, s.Addresses, s.Tries, s.Drafts, s.Pairs)
	found, err := s.happens(t, s.Pairs, func(p *process) (nuisance, error) { return s.slowOnes(t, p) })
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := s.holds(found); err != nil {
		return err
	}
	if want := s.Addresses * socketsPerAddress; found.sockets != want*s.Pairs {
		return fmt.Errorf("the addresses were granted %d sockets, want %d in each of %d runs", found.sockets, want, s.Pairs)
	}
	found, err = s.happens(t, 1, func(p *process) (nuisance, error) { return s.busyOnes(t, p) })
	if err != nil {
		return err
	}
	return t.mustFail("clients that the server works for as fast as they like", s.holds(found))
}

// socketsPerAddress is what the server grants one address.
const socketsPerAddress = 20

// String is the median pair and the memory in one line.
func (s *slowed) String() string {
	text := fmt.Sprintf("p99 of the others' submissions: %.1f ms alone, %.1f ms beside them; all pairs:", ms(s.median.all), ms(s.median.others))
	for _, p := range s.pairs {
		text += fmt.Sprintf(" %.1f/%.1f", ms(p.all), ms(p.others))
	}
	return text + fmt.Sprintf("; sockets granted %d, refused %d; drafts %d; RSS %d MiB before, %d at most, %d after",
		s.sockets, s.refused, s.drafts, s.before>>20, s.most>>20, s.after>>20)
}

func (s slow) holds(found *slowed) error {
	allowed := max(s.Least, time.Duration(s.Share*float64(found.median.all)))
	if longer := found.median.longer(); longer > allowed {
		return fmt.Errorf("the others' p99 is %.1f ms longer, %.1f ms are allowed", ms(longer), ms(allowed))
	}
	if grown := (found.most - found.before) >> 20; grown > s.Memory {
		return fmt.Errorf("the server has grown by %d MiB, %d are allowed", grown, s.Memory)
	}
	return nil
}

// nuisance is who makes it hard for the others, until stop.
type nuisance interface{ stop() slowed }

func (s slow) happens(t *test, pairs int, come func(*process) (nuisance, error)) (found *slowed, err error) {
	p, err := t.launch(launch{flags: []string{"--limits"}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if _, err := s.times(t, p); err != nil { // to warm up
		return nil, err
	}
	found = &slowed{}
	start, err := p.settled()
	if err != nil {
		return nil, err
	}
	found.before = start.rss
	for i := range pairs {
		var now pair
		// In turns, so that what changes with time is on both sides.
		for _, beside := range [][]bool{{false, true}, {true, false}}[i%2] {
			if err := s.once(t, p, beside, come, found, &now); err != nil {
				return nil, err
			}
		}
		found.pairs = append(found.pairs, now)
	}
	slices.SortFunc(found.pairs, func(a, b pair) int { return int(a.longer() - b.longer()) })
	found.median = found.pairs[len(found.pairs)/2]
	end, err := p.settled()
	found.after = end.rss
	return found, err
}

func (s slow) once(t *test, p *process, beside bool, come func(*process) (nuisance, error), found *slowed, now *pair) error {
	if !beside {
		took, err := s.times(t, p)
		now.all = took
		return err
	}
	others, err := come(p)
	if err != nil {
		return err
	}
	took, err := s.times(t, p)
	used, errUsage := p.usage()
	told := others.stop()
	found.sockets += told.sockets
	found.refused += told.refused
	found.drafts += told.drafts
	found.most = max(found.most, used.rss)
	now.others = took
	return errors.Join(err, errUsage)
}

// times is the p99 of what the others submit.
func (s slow) times(t *test, p *process) (time.Duration, error) {
	load := newLoad(p, s.Writers, (*process).dialPerson)
	load.run(t.ctx, time.Duration(s.Seconds)*time.Second, s.Pace)
	if load.err != nil {
		return 0, load.err
	}
	_, p99 := percentiles(load.latencies)
	return p99, nil
}

// dialPerson is for a writer whose submissions are of many people: each has an address
// and a session of its own, so that no limit is in the way.
func (p *process) dialPerson() (transport, error) {
	return &person{p.dialPostOf(submissionFields)}, nil
}

type person struct{ *overPost }

func (o *person) submit(id models.ID) error {
	o.request.Header.Set("X-Forwarded-For", addressOf(id))
	return o.overPost.submit(id)
}
