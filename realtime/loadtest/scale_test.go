package main

import "testing"

// Plans are held to strictly; times only so far as a busy machine can keep them.
func TestListsDoNotGrow(t *testing.T) {
	if testing.Short() {
		t.Skip("fills two stores")
	}
	runMode(t, "scale", "--items", "50000", "--base", "5000", "--runs", "15", "--ratio", "5", "--slack", "500", "--search", "1000", "--charts", "1000")
}
