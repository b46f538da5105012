package main

import "testing"

func TestRepeat(t *testing.T) {
	runMode(t, "faults", "repeat", "--lasts=1s")
}
