package main

import "testing"

// How soon a start is over is measured where nothing else runs (.ci/run test_speed).
func TestKill(t *testing.T) {
	runMode(t, "faults", "kill", "--rounds=20", "--before=400ms", "--back=10s")
}
