package models

import (
	"testing"
	"time"
)

func TestDayBegins(t *testing.T) {
	for _, tc := range []struct{ name, zone, day, want string }{
		{"midnight", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"the day after the clocks went forward", "Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"no midnight", "America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"},
		{"the last hour twice", "America/Santiago", "2026-04-05", "2026-04-05T04:00:00Z"},
		{"no midnight in the east", "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},
		{"midnight twice", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"quarters of an hour", "Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z"},
		{"a day that was skipped", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			zone, err := time.LoadLocation(tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			day, err := time.Parse(time.DateOnly, tc.day)
			if err != nil {
				t.Fatal(err)
			}
			if got := DayBegins(day, zone).UTC().Format(time.RFC3339); got != tc.want {
				t.Errorf("%s begins at %s, want %s", tc.day, got, tc.want)
			}
		})
	}
}
