package main

import "testing"

func TestRestart(t *testing.T) {
	runMode(t, "faults", "restart", "--clients=1000")
}
