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
	Day      time.Time // its midnight in the zone asked for
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
