package main

import "time"

// jumpingClock is a clock that stands an hour early or late for half a second
// each, and goes backwards in between.
func jumpingClock(start time.Time) func() time.Time {
	const phase = 500 * time.Millisecond
	jumps := []time.Duration{0, time.Hour, -time.Hour, 30 * time.Minute, -time.Minute}
	return func() time.Time {
		now := time.Now()
		return now.Add(jumps[int(now.Sub(start)/phase)%len(jumps)])
	}
}
