package main

import "testing"

// TestStall looks for two seconds, the control's, and not for milliseconds: what
// else runs beside it is not its subject. A hundred dashboards would keep a busy machine
// so busy, with the race detector, that two seconds are not seen in it.
func TestStall(t *testing.T) {
	runMode(t, "faults", "stall", "--dashboards=20", "--pairs=1", "--events=320", "--least=500ms")
}
