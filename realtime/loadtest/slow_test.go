package main

import "testing"

// TestSlow looks for what the control does, and not for milliseconds: what else runs
// beside it is not its subject. What is granted is, and that they end.
func TestSlow(t *testing.T) {
	t.Parallel()
	runMode(t, "faults", "slow", "--pairs=3", "--seconds=2", "--clients=60", "--drafts=600", "--least=200ms", "--memory=400")
}
