package sighting

import (
	"testing"
	"time"
)

func TestNoteCountsParties(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		name    string
		sliding bool
		parties []uint64
		apart   time.Duration
		want    int
	}{
		{"different ones", false, []uint64{1, 2, 3}, 0, 3},
		{"the same one", false, []uint64{1, 1, 1}, 0, 1},
		{"two that take turns", false, []uint64{1, 2, 1, 2}, 0, 2},
		{"more than are told apart", false, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0, 10},
		{"past the window", false, []uint64{1, 2, 3}, 40 * time.Second, 1},
		{"past a window that slides along", true, []uint64{1, 2, 3}, 40 * time.Second, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			table, at, got := New(100, time.Minute, tc.sliding), now, 0
			for i, party := range tc.parties {
				at = now.Add(time.Duration(i) * tc.apart)
				got = table.Note(7, party, at)
			}
			if got != tc.want || table.Count(7, at) != tc.want {
				t.Errorf("counted %d, and %d when asked, want %d", got, table.Count(7, at), tc.want)
			}
			if n := table.Count(8, at); n != 0 {
				t.Errorf("another key has %d", n)
			}
			if n := table.Count(7, at.Add(time.Hour)); n != 0 {
				t.Errorf("an hour later there are %d", n)
			}
		})
	}
}

func TestAClockThatWentBack(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	table := New(4, time.Minute, true)
	table.Note(7, 1, now.Add(time.Hour))
	table.Note(7, 2, now.Add(time.Hour))
	if n := table.Note(7, 3, now); n != 1 {
		t.Errorf("counted %d with what is to come, want 1", n)
	}
}

func TestFullSetForgetsTheOldest(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	table := New(ways, time.Hour, false)
	for key := range uint64(100) {
		table.Note(key, 1, now.Add(time.Duration(key)*time.Second))
	}
	kept := 0
	for key := range uint64(100) {
		if table.Count(key, now.Add(100*time.Second)) > 0 {
			kept++
			if key < 100-ways {
				t.Errorf("the key %d is kept, which was seen before others", key)
			}
		}
	}
	if kept != ways {
		t.Errorf("%d keys are kept, want %d", kept, ways)
	}
}
