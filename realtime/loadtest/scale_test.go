package main

import "testing"

// Plans are held to strictly; times only so far as a busy machine can keep them. With the
// race detector they would be the detector's: CI runs this without it.
func TestListsDoNotGrow(t *testing.T) {
	if raceDetector {
		t.Skip("measures times, without the race detector")
	}
	if testing.Short() {
		t.Skip("fills two stores")
	}
	runMode(t, "scale", "--items", "50000", "--base", "5000", "--runs", "15", "--ratio", "5", "--slack", "500", "--search", "1000", "--charts", "1000")
}
