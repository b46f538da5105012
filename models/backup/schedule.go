package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"earshot/models/blob"
)

// Plan is how a server backs itself up, again and again.
type Plan struct {
	Source
	// To is where backups are put. Others' contents there are left alone.
	To blob.Store
	// Every is the time from one backup to the next; the newest Keep of them stay.
	Every time.Duration
	Keep  int
	// Data is the folder in which they are made before they are put there.
	Data string
	Log  *slog.Logger
	// Retry is how soon one that failed is tried again; five minutes where 0, and
	// never later than Every.
	Retry time.Duration
}

const (
	// planned is the names of backups that a server makes, by the time in UTC.
	planned = "earshot-20060102T150405Z.zip"
	retry   = 5 * time.Minute
	// stopPatience is what a backup that is being made gets to end when it has to.
	stopPatience = 5 * time.Second
)

// Newest finds the newest backup that a server has put somewhere; its time is zero
// where there is none.
func Newest(ctx context.Context, in blob.Store) (blob.Entry, time.Time, error) {
	all, err := plannedIn(ctx, in)
	if err != nil || len(all) == 0 {
		return blob.Entry{}, time.Time{}, err
	}
	last := all[len(all)-1]
	return last, madeAt(last.Name), nil
}

// madeAt is zero for what is no backup of a server's.
func madeAt(name string) time.Time {
	at, err := time.Parse(planned, name)
	if err != nil {
		return time.Time{}
	}
	return at
}

// plannedIn lists the backups that servers made, the oldest first.
func plannedIn(ctx context.Context, in blob.Store) (all []blob.Entry, err error) {
	for entry, err := range in.List(ctx, "") {
		if err != nil {
			return nil, fmt.Errorf("list the backups: %w", err)
		}
		if !madeAt(entry.Name).IsZero() {
			all = append(all, entry)
		}
	}
	slices.SortFunc(all, func(a, b blob.Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Scheduler makes backups until Stop.
type Scheduler struct {
	plan   Plan
	cancel context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	last   time.Time
	failed int
}

// Start makes the first backup when the newest there is old enough, or at once.
func Start(plan Plan) *Scheduler {
	if plan.Retry <= 0 {
		plan.Retry = retry
	}
	plan.Retry = min(plan.Retry, plan.Every)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Scheduler{plan: plan, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		s.run(ctx)
	}()
	return s
}

// Stop gives up a backup that is being made: nothing of it stays.
func (s *Scheduler) Stop() {
	s.cancel()
	select {
	case <-s.ended:
	case <-time.After(stopPatience):
		s.plan.Log.Warn("a backup that is being made does not end")
	}
}

// Last is when the newest backup was made, zero where none is known of.
func (s *Scheduler) Last() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Failed counts the attempts that failed, at a backup or at removing old ones.
func (s *Scheduler) Failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *Scheduler) run(ctx context.Context) {
	known := false
	for {
		pause := s.plan.Retry
		var err error
		if known {
			err = s.make(ctx)
		} else {
			err = s.look(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.fail()
			s.plan.Log.Error("backup", "error", err, "again in", pause)
		default:
			known = true
			// One from the future, which a clock that went back leaves, puts off nothing.
			pause = min(s.plan.Every, s.Last().Add(s.plan.Every).Sub(s.plan.Now()))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// look finds out when the last backup was made, maybe before this server began.
func (s *Scheduler) look(ctx context.Context) error {
	_, at, err := Newest(ctx, s.plan.To)
	if err == nil {
		s.note(at)
	}
	return err
}

func (s *Scheduler) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed++
}

func (s *Scheduler) note(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = at
}

// make makes a backup, puts it where it is to be and, once it is there, removes those
// that are too many.
func (s *Scheduler) make(ctx context.Context) (err error) {
	work := filepath.Join(s.plan.Data, workFolder)
	// What a server left that was killed at it.
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	if err := os.Mkdir(work, 0o700); err != nil {
		return noRoom(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	began := s.plan.Now().UTC().Truncate(time.Second)
	name := began.Format(planned)
	path := filepath.Join(work, name)
	made, err := Write(ctx, s.plan.Source, path)
	if err != nil {
		return err
	}
	size, err := s.put(ctx, name, path)
	if err != nil {
		return err
	}
	s.note(began)
	s.plan.Log.Info("made a backup", "name", name, "bytes", size, "files", len(made.Parts)-1, "sealed secret", made.Sealed, "took", s.plan.Now().Sub(began).Round(time.Millisecond))
	if len(made.Lost) > 0 {
		s.plan.Log.Warn("files that the database knows are not there", "count", len(made.Lost), "one", made.Lost[0])
	}
	// The backup is there. Another one now would not make this right.
	if err := s.prune(ctx); err != nil && ctx.Err() == nil {
		s.fail()
		s.plan.Log.Error("old backups stay until the next one", "error", err)
	}
	return nil
}

func (s *Scheduler) put(ctx context.Context, name, path string) (size int64, err error) {
	file, err := os.Open(path) //nolint:gosec // a name of ours
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if err := s.plan.To.Put(ctx, name, file, info.Size()); err != nil {
		return 0, fmt.Errorf("put the backup where it is to be: %w", err)
	}
	return info.Size(), nil
}

func (s *Scheduler) prune(ctx context.Context) error {
	all, err := plannedIn(ctx, s.plan.To)
	if err != nil {
		return err
	}
	for _, entry := range all[:max(0, len(all)-s.plan.Keep)] {
		if err := s.plan.To.Delete(ctx, entry.Name); err != nil {
			return fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return nil
}
