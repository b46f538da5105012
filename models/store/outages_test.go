package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// notes is a log that may be read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(line []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(line)
}

// String is all of it.
func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// count is how often each message is there, with its level.
func (n *notes) count() map[string]int {
	counts := map[string]int{}
	for _, found := range regexp.MustCompile(`level=(\w+) msg=("[^"]*"|\S+)`).FindAllStringSubmatch(n.String(), -1) {
		counts[found[1]+" "+strings.Trim(found[2], `"`)]++
	}
	return counts
}

// While the database is away, the log says so once, and what cannot be done for it once
// a minute; when it is back, it says that once.
func TestOutageIsSaidOnce(t *testing.T) {
	t.Parallel()
	server, address := ownServer(t)
	said := &notes{}
	s, err := Open(t.Context(), Options{Path: address, Log: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStore(t, s) })
	outside := s.Log().With("of", "somebody else")
	const away, back = "ERROR the database is away, and what needs it waits", "INFO the database answers again"
	for round, end := range []func() error{server.Stop, server.Demote} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(2500 * time.Millisecond); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
			if _, err := s.LeaseJob(t.Context()); err != nil {
				outside.Error("look for jobs", "error", err)
			}
		}
		outside.Error("job failed", "error", errors.New("for a reason of its own"))
		outside.Error("job failed", "error", errors.New("for a reason of its own"))
		await(t, func() bool { return said.count()[away] == round+1 })
		begin := server.Run
		if round == 1 {
			begin = server.Promote
		}
		if err := begin(); err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { return said.count()[back] == round+1 })
	}
	counts := said.count()
	for message, n := range counts {
		if n > 1 && !slices.Contains([]string{away, back, "ERROR job failed"}, message) {
			t.Errorf("%q is said %d times, want once", message, n)
		}
	}
	if counts["ERROR look for jobs"] != 1 || counts["ERROR remove a deleted project"] != 1 {
		t.Errorf("what needs the database does not say so: %v", counts)
	}
	if counts["ERROR job failed"] != 4 || counts[away] != 2 || counts[back] != 2 {
		t.Errorf("it says %v", counts)
	}
	text := said.String()
	if strings.Contains(text, `is away, and what needs it waits" error="storage is not`) || strings.Count(text, `again" away=`) != 2 {
		t.Errorf("it does not say why, or for how long: %s", text)
	}
}

// A database that reads and lets writes wait is away, and the reason says which.
func TestWaitingWritesAreAnOutage(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	if err := s.answers(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, release := make(chan struct{}), make(chan struct{})
	waiting := &op{done: make(chan error, 1), apply: func(*tx) error {
		close(held)
		<-release
		return nil
	}}
	if err := s.writer.enqueue(waiting); err != nil {
		t.Fatal(err)
	}
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.answers(ctx); !errors.Is(err, errNoWrites) {
		t.Errorf("answers says %v, want %v", err, errNoWrites)
	}
	close(release)
	if err := <-waiting.done; err != nil {
		t.Error(err)
	}
}
