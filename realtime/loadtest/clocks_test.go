package main

import "testing"

func TestClock(t *testing.T) {
	runMode(t, "faults", "clock", "--lasts=3s")
}
