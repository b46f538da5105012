package models

import "time"

// Insights are a project's figures over some days.
type Insights struct {
	// Through is the time up to which everything is counted.
	AsOf time.Time
	Days []InsightDay
	// Ratings are by stars, from 1 to 5.
	Ratings [5]int64
	Pages   []Count
	Tags    []Count
	// Response is how long it took until staff first answered, Resolution until the
	// item was resolved or closed, of the items that came in these days.
	Response, Resolution Durations
}

// InsightDay is what came on one day, by what it is now.
type InsightDay struct {
	Day      time.Time // its midnight in UTC
	Begins   time.Time // when the clocks of the zone asked for came to it
	Total    int64
	ByKind   map[Kind]int64
	ByStatus map[Status]int64
}

// Count is how often a value is there.
type Count struct {
	Value string
	N     int64
}

// Durations are a number of times that something took: the median, and what nine
// of ten did not exceed.
type Durations struct {
	N           int64
	Median, P90 time.Duration
}

// DayBegins is when a day, given by its midnight in UTC, begins in a zone. That is
// not always at midnight: where the clocks go forward then (Santiago, Cairo), it is
// at one, and of a midnight that comes twice (Havana) it is the first.
func DayBegins(day time.Time, zone *time.Location) time.Time {
	var begins time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := day.Add(near).In(zone).Zone()
		at := day.Add(-time.Duration(offset) * time.Second).In(zone)
		local := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		if !local.Before(day) && (begins.IsZero() || at.Before(begins)) {
			begins = at
		}
	}
	return begins
}
