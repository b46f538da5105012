package main

import "testing"

func TestKill(t *testing.T) {
	runMode(t, "faults", "kill", "--rounds=20", "--before=400ms")
}
