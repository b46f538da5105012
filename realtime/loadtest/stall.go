package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"earshot/models"
)

// stall has one of many dashboards stop reading, while the others' times are
// taken, and holds them against a run in which all read.
type stall struct {
	Dashboards int           `default:"100" help:"How many."`
	Pairs      int           `default:"5" help:"Pairs of runs; their median counts."`
	Events     int64         `default:"400" help:"Submissions in each run, of 20 KB each. They must be more than a connection's buffers take (4 MiB), and over before the server gives up its wait for the reader (10s)."`
	Writers    int           `default:"8" help:"Writers over POST."`
	Pace       int           `default:"100" help:"Submissions a second."`
	Share      float64       `default:"0.25" help:"By how much the others' p99 may be longer."`
	Least      time.Duration `default:"2ms" help:"By how much it always may."`
}

// pair is two runs on one server.
type pair struct {
	all, others time.Duration // p99 where all read, and of the others where one does not
}

func (p pair) longer() time.Duration { return p.others - p.all }

// stalled is what became of the one that did not read, and of the others.
type stalled struct {
	pairs  []pair
	median pair
	unkept error // the first promise that was broken to the one
	resume int64 // the events that it came back for
}

// Run is called by kong.
func (s stall) Run(t *test) error {
	t.printf("1 of %d dashboards stops reading, at %d events of 20 KB a second; median of %d pairs of runs\n", s.Dashboards, s.Pace, s.Pairs)
	found, err := s.happens(t, s.Pairs)
	if err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := s.holds(found); err != nil {
		return err
	}
	if found.unkept != nil {
		return found.unkept
	}
	t.printf("  the one was closed with %d each time, and was told of the %d events that it had not read\n", slowConsumer, found.resume)
	s.Events = min(s.Events, 260)
	if found, err = s.happens(t, 1, "--bare"); err != nil {
		return err
	}
	return errors.Join(t.mustFail("a hub that waits for each dashboard", s.holds(found)),
		t.mustFail("a hub that gives one up without a word", found.unkept))
}

// String is the median pair in one line.
func (s *stalled) String() string {
	text := fmt.Sprintf("p99 from a submission to the others' screens: %.1f ms where all read, %.1f ms where one does not; all pairs:",
		ms(s.median.all), ms(s.median.others))
	for _, p := range s.pairs {
		text += fmt.Sprintf(" %.1f/%.1f", ms(p.all), ms(p.others))
	}
	return text
}

func (s stall) holds(found *stalled) error {
	allowed := max(s.Least, time.Duration(s.Share*float64(found.median.all)))
	if longer := found.median.longer(); longer > allowed {
		return fmt.Errorf("the others' p99 is %.1f ms longer, %.1f ms are allowed", ms(longer), ms(allowed))
	}
	return nil
}

// memory is a file system that never stalls: what a disk does by chance is more
// than what is looked for here.
const memory = "/dev/shm"

func (s stall) happens(t *test, pairs int, flags ...string) (found *stalled, err error) {
	folder, err := os.MkdirTemp(memory, "earshot-loadtest-")
	if errors.Is(err, os.ErrNotExist) {
		folder, err = os.MkdirTemp("", "earshot-loadtest-")
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	p, err := t.launch(launch{data: folder, flags: flags})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	found = &stalled{}
	for range pairs {
		var now pair
		for _, one := range []bool{false, true} {
			r := &stallRun{stall: s, t: t, p: p, sent: map[models.ID]time.Time{}}
			if err := r.run(one); err != nil {
				return nil, err
			}
			if now.others = r.p99(); !one {
				now.all = now.others
			}
			found.unkept = firstOf(found.unkept, r.unkept)
			found.resume += r.resumed
		}
		found.pairs = append(found.pairs, now)
	}
	slices.SortFunc(found.pairs, func(a, b pair) int { return int(a.longer() - b.longer()) })
	found.median = found.pairs[len(found.pairs)/2]
	return found, nil
}
