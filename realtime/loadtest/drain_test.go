package main

import (
	"errors"
	"testing"
	"time"
)

func TestDrain(t *testing.T) {
	runMode(t, "faults", "drain")
}

// TestDrained shows each way of leaving badly to the check.
func TestDrained(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*drained)
		holds bool
	}{
		{"nothing", func(*drained) {}, true},
		{"one is lost", func(d *drained) { d.lost = 1 }, false},
		{"one is not told", func(d *drained) { d.untold = 1 }, false},
		{"one ends without a close frame", func(d *drained) { d.codes = map[int]int{goingAway: 1, abnormal: 1} }, false},
		{"one is closed otherwise", func(d *drained) { d.codes = map[int]int{goingAway: 1, slowConsumer: 1} }, false},
		{"too late", func(d *drained) { d.took = 11 * time.Second }, false},
		{"with another status", func(d *drained) { d.exit = errors.New("exit status 1") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &drained{audit: audit{acknowledged: 1, integrity: "ok"}, sockets: 2, codes: map[int]int{goingAway: 2}}
			c.spoil(d)
			if err := d.holds(10 * time.Second); (err == nil) != c.holds {
				t.Errorf("got %v, want it to hold: %v", err, c.holds)
			}
		})
	}
}
