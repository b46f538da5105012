package main

import (
	"fmt"
	"strings"
	"testing"

	"earshot/models"
)

// TestFollower shows each way of being told wrongly to the check.
func TestFollower(t *testing.T) {
	const rejoin = 0
	for _, c := range []struct {
		name  string
		heard []int64
		want  string
	}{
		{"all", []int64{1, 2, 3}, ""},
		{"all, over two connections", []int64{1, 2, rejoin, 3}, ""},
		{"one is missing", []int64{1, 3}, "1 events missing, 0 repeated, 0 out of order"},
		{"one is missing after a connection", []int64{1, rejoin, 3}, "1 events missing"},
		{"one comes twice", []int64{1, 2, 2, 3}, "0 events missing, 1 repeated, 1 out of order"},
		{"one comes again after a connection", []int64{1, 2, rejoin, 2, 3}, "0 events missing, 1 repeated, 0 out of order"},
		{"another order", []int64{1, 3, 2}, "1 events missing, 1 repeated, 1 out of order"},
		{"one of another feedback", []int64{1, 2, -3}, "the events are others than those of the log"},
		{"not the last", []int64{1, 2}, "the events are others than those of the log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var truth uint64
			for seq := range 3 {
				truth = chained(truth, models.ID(fmt.Sprint(seq+1)))
			}
			f := &follower{}
			for _, seq := range c.heard {
				if seq == rejoin {
					f.before = 0
					continue
				}
				f.take(max(seq, -seq), models.ID(fmt.Sprint(seq)))
			}
			err := f.fault(truth)
			if got := fmt.Sprint(err); (err != nil) != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
