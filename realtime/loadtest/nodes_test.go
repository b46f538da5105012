package main

import (
	"testing"

	"earshot/models/store/postgrestest"
)

// needPostgres skips where nodes have no database to share.
func needPostgres(t *testing.T) {
	t.Helper()
	wanted, _, err := postgrestest.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	if !wanted {
		t.Skip("there is no PostgreSQL; EARSHOT_TEST_POSTGRES=required makes this a failure")
	}
}

// Those that wait more than they compute are run side by side, after the others.

func TestPostgresAway(t *testing.T) {
	needPostgres(t)
	runMode(t, "faults", "postgres", "--writers=300", "--lasts=11s", "--rounds=1")
}

func TestNATSAway(t *testing.T) {
	t.Parallel()
	needPostgres(t)
	runMode(t, "faults", "nats", "--lasts=8s", "--around=2s")
}

func TestCut(t *testing.T) {
	t.Parallel()
	needPostgres(t)
	runMode(t, "faults", "cut", "--lasts=4s", "--writers=10")
}

func TestNodesKilled(t *testing.T) {
	t.Parallel()
	needPostgres(t)
	runMode(t, "faults", "nodes", "--lasts=60s", "--every=10s", "--down=1s")
}

func TestLate(t *testing.T) {
	t.Parallel()
	needPostgres(t)
	runMode(t, "faults", "late", "--times=2")
}

// TestGrowing looks for what is counted, and not for what it costs: what else runs
// beside it is not its subject.
func TestGrowing(t *testing.T) {
	needPostgres(t)
	runMode(t, "nodes", "--counts=1,2", "--rounds=1", "--seconds=1", "--flat=100", "--dashboards=40", "--beside=4")
}
