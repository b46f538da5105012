package main

import "testing"

func TestDrain(t *testing.T) {
	runMode(t, "faults", "drain")
}
