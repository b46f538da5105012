package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"earshot/models"
	"earshot/models/store/postgrestest"
)

// growing measures what another node costs. As many dashboards as before, spread over
// more servers, hear of as much. And each server takes in as much as before: a share of
// it would come in smaller batches, each of which costs a transaction.
type growing struct {
	Counts     []int   `default:"1,2,3" help:"Numbers of servers."`
	Rounds     int     `default:"3" help:"Rounds, of which the median counts."`
	Seconds    int     `default:"4" help:"How long each figure is measured."`
	Dashboards int     `default:"600" help:"Dashboards, all together."`
	Pace       int     `default:"200" help:"Submissions a second while they are delivered, all together."`
	Writers    int     `default:"16" help:"Writers over POST to each server."`
	SubmitPace int     `default:"200" help:"Submissions a second to each server without dashboards."`
	Flat       float64 `default:"0.15" help:"The largest share by which CPU for one delivery or submission may grow."`
	Beside     []int   `default:"1,16,64" help:"Writers on one server with PostgreSQL, and with SQLite."`
	Part       string  `enum:"all,nodes,databases" default:"all" help:"all, nodes or databases."`
}

// figures are those of one number of servers, a value a round.
type figures struct{ deliveries, submissions, deliveryCPU, submissionCPU []float64 }

// Run is called by kong.
func (g growing) Run(t *test) error {
	g.Counts = slices.Compact(slices.Sorted(slices.Values(g.Counts)))
	if g.Part != "databases" {
		if err := g.nodes(t); err != nil {
			return err
		}
	}
	if g.Part == "nodes" {
		return nil
	}
	return g.databases(t)
}

func (g growing) nodes(t *test) error {
	t.printf("Servers on one PostgreSQL and NATS: %d submissions a second delivered to %d dashboards, all together; %d alone to each server\n",
		g.Pace, g.Dashboards, g.SubmitPace)
	t.printf("Medians of %d rounds, with their range; CPU is that of all servers, without the database's\n", g.Rounds)
	t.printf("%6s %24s %22s %26s %26s %10s\n", "nodes", "deliveries/s", "submissions/s", "µs/delivery", "µs/submission", "strangers")
	all := map[int]*figures{}
	strangers := map[int]int64{}
	for range g.Rounds {
		for _, count := range g.Counts {
			if all[count] == nil {
				all[count] = &figures{}
			}
			heard, err := g.round(t, count, all[count])
			if err != nil {
				return fmt.Errorf("%d nodes: %w", count, err)
			}
			strangers[count] += heard
		}
	}
	var failed error
	first := all[g.Counts[0]]
	for _, count := range g.Counts {
		f := all[count]
		t.printf("%6d %24s %22s %26s %26s %10d\n", count, spread(f.deliveries, 0), spread(f.submissions, 0), spread(f.deliveryCPU, 2), spread(f.submissionCPU, 1), strangers[count])
		if strangers[count] > 0 {
			failed = errors.Join(failed, fmt.Errorf("%d nodes: %d messages came to nodes that follow nothing", count, strangers[count]))
		}
		for what, values := range map[string][2][]float64{"delivery": {first.deliveryCPU, f.deliveryCPU}, "submission": {first.submissionCPU, f.submissionCPU}} {
			if change := median(values[1])/median(values[0]) - 1; change > g.Flat {
				failed = errors.Join(failed, fmt.Errorf("%d nodes: a %s takes %+.0f %% CPU, %.0f %% are allowed", count, what, 100*change, 100*g.Flat))
			}
		}
	}
	t.printf("\n")
	return failed
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// spread is a median and, in parentheses, the lowest and the highest.
func spread(values []float64, digits int) string {
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, median(values), digits, slices.Min(values), digits, slices.Max(values))
}

// inTurn dials a cluster's servers one after another.
func (c *cluster) inTurn() func(*process) (transport, error) {
	next := 0
	return func(*process) (transport, error) {
		n := c.nodes[next%len(c.nodes)]
		next++
		return n.dialPost()
	}
}

func (c *cluster) cpu() (total time.Duration, err error) {
	for _, n := range c.nodes {
		used, usageErr := n.usage()
		total, err = total+used.cpu, errors.Join(err, usageErr)
	}
	return total, err
}

// round measures once, and gives the messages that came to nodes that follow nothing.
func (g growing) round(t *test, count int, f *figures) (strangers int64, err error) {
	c, err := t.startCluster(setting{nodes: count})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := g.deliver(t, c, f); err != nil {
		return 0, err
	}
	if err := g.submit(t, c, f); err != nil {
		return 0, err
	}
	if count == 1 {
		return 0, nil
	}
	return g.overheard(t, c)
}

// deliver has all dashboards hear of all that is submitted at all nodes.
func (g growing) deliver(t *test, c *cluster, f *figures) error {
	var rooms []*audience
	defer func() {
		for _, room := range rooms {
			room.close()
		}
	}()
	for _, p := range c.nodes {
		room, err := p.subscribe(g.Dashboards / len(c.nodes))
		if err != nil {
			return err
		}
		rooms = append(rooms, room)
	}
	before, err := c.cpu()
	if err != nil {
		return err
	}
	load := newLoad(nil, g.Writers*len(c.nodes), c.inTurn())
	start := time.Now()
	load.run(t.ctx, time.Duration(g.Seconds)*time.Second, g.Pace)
	delivered := int64(0)
	for i, room := range rooms {
		if err := room.holds(load, room.waitFor(load.acknowledged.Load())); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
		delivered += room.delivered.Load()
	}
	elapsed := time.Since(start)
	after, err := c.cpu()
	f.deliveries = append(f.deliveries, float64(delivered)/elapsed.Seconds())
	f.deliveryCPU = append(f.deliveryCPU, float64((after-before).Microseconds())/float64(max(delivered, 1)))
	return err
}

// submit has nobody listen. Each server takes in for a project of its own: those of
// one project wait for each other, and come in larger batches for it.
func (g growing) submit(t *test, c *cluster, f *figures) error {
	var sites []*process
	for _, n := range c.nodes {
		site, err := n.site(t.ctx)
		if err != nil {
			return err
		}
		sites = append(sites, site)
	}
	next := 0
	load := newLoad(nil, g.Writers*len(sites), func(*process) (transport, error) {
		next++
		return sites[next%len(sites)].dialPost()
	})
	before, err := c.cpu()
	if err != nil {
		return err
	}
	elapsed := load.run(t.ctx, time.Duration(g.Seconds)*time.Second, g.SubmitPace*len(sites))
	after, err := c.cpu()
	if err != nil {
		return err
	}
	total := int64(0)
	for _, site := range sites {
		stored, err := site.stored(t.ctx)
		if err != nil {
			return err
		}
		total += stored
	}
	if acknowledged := load.acknowledged.Load(); load.err != nil || total != acknowledged {
		return errors.Join(fmt.Errorf("%d of %d acknowledged are stored", total, acknowledged), load.err)
	}
	f.submissions = append(f.submissions, float64(total)/elapsed.Seconds())
	f.submissionCPU = append(f.submissionCPU, float64((after-before).Microseconds())/float64(max(total, 1)))
	return nil
}

// site is the same server for another project, which is new.
func (p *process) site(ctx context.Context) (*process, error) {
	var made struct {
		ID  models.ID `json:"id"`
		Key string    `json:"key"`
	}
	if err := call(ctx, http.MethodPost, "http://"+p.Addr+"/api/v1/projects", p.Token, []byte(`{"name":"Another site"}`), &made); err != nil {
		return nil, err
	}
	site := *p
	site.Key, site.Project = made.Key, made.ID
	return &site, nil
}

// overheard has the first node follow the project and the last one take what is
// submitted. NATS counts what each is sent: the first must be sent something; what
// others are is given.
func (g growing) overheard(t *test, c *cluster) (strangers int64, err error) {
	room, err := c.nodes[0].subscribe(1)
	if err != nil {
		return 0, err
	}
	defer room.close()
	if err := t.wait(2 * time.Second); err != nil { // farewells of those who listened before
		return 0, err
	}
	before, err := c.nats.Connz(nil)
	if err != nil {
		return 0, err
	}
	load := newLoad(c.nodes[len(c.nodes)-1].process, 4, (*process).dialPost)
	load.run(t.ctx, time.Second, g.Pace)
	after, err := c.nats.Connz(nil)
	if err = errors.Join(err, load.err); err != nil {
		return 0, err
	}
	if len(before.Conns) != len(c.nodes) {
		return 0, fmt.Errorf("NATS has %d connections of %d nodes", len(before.Conns), len(c.nodes))
	}
	return toStrangers(before.Conns, after.Conns)
}

// toStrangers is how many messages NATS sent to others than the one that has subscribed
// to the project, which is the one with more subscriptions than any other.
func toStrangers(before, after []*natsserver.ConnInfo) (strangers int64, err error) {
	earlier := map[uint64]int64{}
	bySubscriptions := slices.Clone(before)
	slices.SortFunc(bySubscriptions, func(a, b *natsserver.ConnInfo) int { return cmp.Compare(b.NumSubs, a.NumSubs) })
	listener := bySubscriptions[0]
	if len(before) > 1 && bySubscriptions[1].NumSubs == listener.NumSubs {
		return 0, fmt.Errorf("several nodes have %d subscriptions: who listens cannot be told", listener.NumSubs)
	}
	for _, connection := range before {
		earlier[connection.Cid] = connection.OutMsgs
	}
	heard := int64(0)
	for _, connection := range after {
		sent := connection.OutMsgs - earlier[connection.Cid]
		if connection.Cid == listener.Cid {
			heard = sent
		} else {
			strangers += sent
		}
	}
	if heard == 0 {
		return 0, fmt.Errorf("the node that listens was sent nothing, others %d messages", strangers)
	}
	return strangers, nil
}

// databases measures one server with PostgreSQL and with SQLite in turn.
func (g growing) databases(t *test) (err error) {
	postgres, err := postgrestest.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, postgres.Remove()) }()
	t.printf("Submissions a second over POST on one server, each on disk before its acknowledgement; medians of %d rounds, with their range\n", g.Rounds)
	t.printf("%8s %26s %26s %7s\n", "writers", "PostgreSQL", "SQLite", "ratio")
	s := submit{options{Seconds: max(1, g.Seconds/2), Warmup: 1}}
	for _, writers := range g.Beside {
		var ours, files []float64
		for round := range g.Rounds {
			database := fmt.Sprintf("beside_%d_%d", writers, round)
			if err := postgres.Exec("postgres", "CREATE DATABASE "+database+" TEMPLATE template0"); err != nil {
				return err
			}
			for _, kind := range []struct {
				name  string
				flags []string
				rates *[]float64
			}{{"PostgreSQL", []string{"--database=" + postgres.URL(database)}, &ours}, {"SQLite", nil, &files}} {
				found, err := s.rate(t, writers, (*process).dialPost, func() (*process, error) { return t.launch(launch{flags: kind.flags}) })
				if err != nil {
					return fmt.Errorf("%d writers, %s: %w", writers, kind.name, err)
				}
				*kind.rates = append(*kind.rates, found.perSecond)
			}
		}
		t.printf("%8d %26s %26s %7.2f\n", writers, spread(ours, 0), spread(files, 0), median(ours)/median(files))
	}
	t.printf("\n")
	return nil
}
