package main

import "fmt"

// faults are the things that break. Each prints its figures, fails where a
// promise was not kept, and then runs its own check against something that does
// not keep it: a check that lets its control pass has shown nothing.
type faults struct {
	All     allFaults `cmd:"" default:"1" help:"All of them."`
	Kill    kill      `cmd:"" help:"SIGKILL at random moments under load."`
	Sync    syncs     `cmd:"" help:"What the system is asked for, between a row's write and its acknowledgement."`
	Full    full      `cmd:"" help:"A disk that is full for a while."`
	Broken  broken    `cmd:"" help:"A disk that fails to sync for a while."`
	Drain   drain     `cmd:"" help:"SIGTERM with many sockets open."`
	Restart restart   `cmd:"" help:"A server that leaves many clients and is back soon."`
	Churn   churn     `cmd:"" help:"Dashboards that lose their connections again and again."`
	Stall   stall     `cmd:"" help:"A dashboard that stops reading, beside many that do not."`
	Slow    slow      `cmd:"" help:"Clients that take their time, from many addresses, beside others that do not."`
	Repeat  repeat    `cmd:"" help:"The same submission, several times at once."`
	Clock   clocks    `cmd:"" help:"A clock that jumps by up to an hour, both ways."`

	Nodes    nodesKilled  `cmd:"" help:"SIGKILL of one node of several, again and again."`
	Nats     natsAway     `cmd:"" help:"NATS is away for a while, under several nodes."`
	Postgres postgresAway `cmd:"" help:"PostgreSQL stands still, under several nodes."`
	Cut      cut          `cmd:"" help:"One node of several that is cut off."`
	Late     late         `cmd:"" help:"A transaction that took a number early and commits late."`
}

// allFaults is every fault, with what its flags default to.
type allFaults struct{}

// Run is called by kong.
func (allFaults) Run(t *test) error {
	for _, name := range []string{"kill", "sync", "full", "broken", "drain", "restart", "churn", "stall", "slow", "repeat", "clock",
		"nodes", "nats", "postgres", "cut", "late"} {
		if err := run(t.ctx, []string{"faults", name}, t.out, t.log); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// mustFail turns around what a check said of its control.
func (t *test) mustFail(control string, err error) error {
	if err == nil {
		return fmt.Errorf("the control (%s) was not found out", control)
	}
	t.printf("  control, %s: found out: %v\n\n", control, err)
	return nil
}
