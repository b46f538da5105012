package main

import "testing"

// TestStall looks for two seconds, the control's, and not for milliseconds: what
// else runs beside it is not its subject.
func TestStall(t *testing.T) {
	runMode(t, "faults", "stall", "--pairs=1", "--events=320", "--least=500ms")
}
