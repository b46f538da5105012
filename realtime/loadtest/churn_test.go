package main

import "testing"

func TestChurn(t *testing.T) {
	runMode(t, "faults", "churn", "--lasts=3s", "--least=500ms", "--most=2s")
}
