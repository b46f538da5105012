package main

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"earshot/models"
)

func TestFull(t *testing.T) {
	needRoot(t)
	disk, err := mountSmall()
	if errors.Is(err, syscall.EPERM) {
		missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.unmount(); err != nil {
		t.Fatal(err)
	}
	runMode(t, "faults", "full", "--lasts=1s")
}

func TestBroken(t *testing.T) {
	needTool(t, "strace")
	runMode(t, "faults", "broken", "--lasts=1s")
}

// TestOutage shows each promise that is broken in an outage to the check.
func TestOutage(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*suffered)
		holds bool
	}{
		{"nothing", func(*suffered) {}, true},
		{"one is lost", func(s *suffered) { s.lost = 1 }, false},
		{"refused by another code", func(s *suffered) { s.refuse(&refusal{code: "internal"}) }, false},
		{"cut off", func(s *suffered) { s.refuse(errors.New("EOF")) }, false},
		{"nothing is refused", func(s *suffered) { clear(s.refusals) }, false},
		{"one is acknowledged", func(s *suffered) { s.inIt = 1 }, false},
		{"a read fails", func(s *suffered) { s.unread = errors.New("answered 500") }, false},
		{"nothing is read", func(s *suffered) { s.reads = 0 }, false},
		{"too much is logged", func(s *suffered) { s.logged.Store(1000) }, false},
		{"it does not heal", func(s *suffered) { s.unrecovered = true }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &suffered{
				audit: audit{acknowledged: 1, integrity: "ok"}, refusals: map[string]int{"storage_full": 1}, reads: 1, lasted: time.Second,
			}
			c.spoil(s)
			if err := s.holds(models.CodeStorageFull); (err == nil) != c.holds {
				t.Errorf("got %v, want it to hold: %v", err, c.holds)
			}
		})
	}
}
