package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"earshot/models/store/postgrestest"
	"earshot/realtime/cluster/natstest"
)

// cluster is servers that share a database and hear of each other: real processes, on
// a PostgreSQL server and a NATS server that are nobody else's.
type cluster struct {
	t        *test
	postgres *postgrestest.Server
	nats     *natstest.Server
	nodes    []*node
}

// node is one of the servers, which can be started again at its address.
type node struct {
	*process
	again   launch
	metrics string
	// database and nats are its ways there; nil where it has none of its own.
	database, nats *relay
	began          bool // it was started again, and nobody has waited for it
}

// setting is how a cluster is made.
type setting struct {
	nodes int
	// relayed gives the first node ways of its own, which can be broken.
	relayed bool
	// alone leaves the nodes without NATS, so that none hears of the others.
	alone bool
}

// databaseOfNodes is the name of the shared database.
const databaseOfNodes = "earshot"

// startCluster starts one; end it with stop.
func (t *test) startCluster(how setting) (c *cluster, err error) {
	c = &cluster{t: t}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if c.postgres, err = postgrestest.Start(); err != nil {
		return c, err
	}
	if err := c.postgres.Exec("postgres", "CREATE DATABASE "+databaseOfNodes); err != nil {
		return c, err
	}
	if c.nats, err = startBroker(); err != nil {
		return c, err
	}
	for i := range how.nodes {
		if err := c.add(how, how.relayed && i == 0); err != nil {
			return c, fmt.Errorf("node %d: %w", i, err)
		}
	}
	return c, nil
}

// address is the shared database's.
func (c *cluster) address() string { return c.postgres.URL(databaseOfNodes) }

func (c *cluster) add(how setting, relayed bool) (err error) {
	n := &node{}
	if n.again.data, err = os.MkdirTemp("", "earshot-loadtest-"); err != nil {
		return err
	}
	c.nodes = append(c.nodes, n)
	if len(c.nodes) > 1 { // the first has made the project
		known, err := os.ReadFile(filepath.Join(c.nodes[0].again.data, seedFile))
		if err == nil {
			err = os.WriteFile(filepath.Join(n.again.data, seedFile), known, 0o600) //nolint:gosec // in a folder of our own
		}
		if err != nil {
			return err
		}
	}
	if n.again.listen, err = lowPort(); err != nil {
		return err
	}
	if n.metrics, err = lowPort(); err != nil {
		return err
	}
	database, nats := c.address(), c.nats.ClientURL()
	if relayed {
		if database, n.database, err = relayTo(database); err != nil {
			return err
		}
		if nats, n.nats, err = relayTo(nats); err != nil {
			return err
		}
	}
	n.again.flags = []string{"--database=" + database, "--metrics=" + n.metrics}
	if !how.alone {
		n.again.flags = append(n.again.flags, "--nats="+nats)
	}
	n.process, err = c.t.launch(n.again)
	return err
}

// relayTo is the address of a server by way of a relay.
func relayTo(address string) (string, *relay, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", nil, err
	}
	w, err := newRelay(parsed.Host)
	if err != nil {
		return "", nil, err
	}
	parsed.Host = w.addr
	return parsed.String(), w, nil
}

// processes are those of the nodes.
func (c *cluster) processes() (all []*process) {
	for _, n := range c.nodes {
		all = append(all, n.process)
	}
	return all
}

// stop ends the nodes, and then what they stand on.
func (c *cluster) stop() (err error) {
	for _, n := range slices.Backward(c.nodes) {
		if n.process != nil {
			err = errors.Join(err, n.stop())
		}
		for _, w := range []*relay{n.database, n.nats} {
			if w != nil {
				err = errors.Join(err, w.remove())
			}
		}
		err = errors.Join(err, os.RemoveAll(n.again.data))
	}
	if c.nats != nil {
		c.nats.Stop()
	}
	if c.postgres != nil {
		err = errors.Join(err, c.postgres.Remove())
	}
	return err
}

// audit holds the ledger against the database, in which nobody writes any more.
func (c *cluster) audit(ctx context.Context, l *ledger) (audit, error) {
	return l.comparePostgres(ctx, c.address())
}

// startBroker starts a NATS server that can be away and come back at its address, where
// no client's connection takes the port meanwhile.
func startBroker() (*natstest.Server, error) {
	address, err := lowPort()
	if err != nil {
		return nil, err
	}
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	return natstest.Start(func(o *natsserver.Options) { o.Port = at.Port })
}

// standStill stops the nodes' processes for a time.
func (c *cluster) standStill(t *test, lasts time.Duration) error {
	var err error
	for _, n := range c.nodes {
		err = errors.Join(err, n.cmd.Process.Signal(syscall.SIGSTOP))
	}
	err = errors.Join(err, t.wait(lasts))
	for _, n := range c.nodes {
		err = errors.Join(err, n.cmd.Process.Signal(syscall.SIGCONT))
	}
	return err
}
