package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"earshot/models"
	"earshot/realtime/protocol"
)

// postgresAway stops PostgreSQL under the load of several nodes: it takes what it is
// sent and answers nothing. Then it goes on, or is killed and started again.
type postgresAway struct {
	Nodes   int           `default:"3" help:"Servers that share it."`
	Writers int           `default:"5000" help:"Parallel writers, each with one submission on its way."`
	Lasts   time.Duration `default:"15s" help:"How long it stands still."`
	Rounds  int           `default:"4" help:"How often; each other time, from the first on, it is killed while it stands, and started again."`
	Between time.Duration `default:"2s" help:"How long it goes on before each time."`
	Answer  time.Duration `default:"17s" help:"The longest that an answer may take: a write waits 15s."`
	Back    time.Duration `default:"5s" help:"From its return to the next acknowledgement, at most."`
	Grow    int64         `default:"64" help:"The MiB by which a node may grow, at most."`
}

// stood is what the nodes did while PostgreSQL stood still.
type stood struct {
	audit
	mu      sync.Mutex
	refused int
	wrong   error // the first attempt that ended otherwise than by "unavailable"
	longest time.Duration
	inIt    int // acknowledged while it stood
	backs   []time.Duration
	late    int // rounds after which nothing was acknowledged in time
	queued  int // the most writes that waited at a node
	limit   int
	grown   int64 // the most that a node grew, bytes
}

// Run is called by kong.
func (p postgresAway) Run(t *test) (err error) {
	t.printf("PostgreSQL stands still %d times for %v, under %d nodes and %d writers\n", p.Rounds, p.Lasts, p.Nodes, p.Writers)
	c, err := t.startCluster(setting{nodes: p.Nodes})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	found := &stood{}
	w := &writers{ledger: newLedger(), nodes: c.processes(), refused: found.refuse, answered: found.answer}
	w.start(t.ctx, p.Writers)
	err = p.happens(t, c, w.ledger, found)
	w.end()
	if err != nil {
		return err
	}
	if found.audit, err = c.audit(t.ctx, w.ledger); err != nil {
		return err
	}
	t.printf("  %s\n", found)
	if err := found.holds(p); err != nil {
		return err
	}
	if err := c.lose(w.ledger); err != nil {
		return err
	}
	return p.hangs(t, c)
}

func (p postgresAway) happens(t *test, c *cluster, l *ledger, found *stood) error {
	var before []int64 // once, so that what each round leaves adds up
	for round := range p.Rounds {
		if _, ok := l.acknowledgedAfter(time.Now(), dialTimeout); !ok {
			return errors.New("nothing was acknowledged before the fault")
		}
		if err := t.wait(p.Between); err != nil {
			return err
		}
		if before == nil {
			var err error
			if before, err = c.memory(); err != nil {
				return err
			}
		}
		if err := c.postgres.Pause(); err != nil {
			return err
		}
		if err := t.wait(onItsWay); err != nil {
			return err
		}
		acknowledged, ended := l.acknowledged(), time.After(p.Lasts)
		for over := false; !over; {
			select {
			case <-ended:
				over = true
			case <-time.After(200 * time.Millisecond):
				if err := found.look(c, before); err != nil {
					return err
				}
			}
		}
		found.inIt += l.acknowledged() - acknowledged
		end := c.postgres.Resume
		if round%2 == 0 {
			end = func() error { return errors.Join(c.postgres.Perish(), c.postgres.Run()) }
		}
		if err := end(); err != nil {
			return err
		}
		found.awaitBack(l, p.Back)
	}
	return nil
}

func (s *stood) awaitBack(l *ledger, atMost time.Duration) {
	back := time.Now()
	at, ok := l.acknowledgedAfter(back, atMost)
	if !ok {
		s.late++
		return
	}
	s.backs = append(s.backs, at.Sub(back))
}

// refuse is told of attempts that were no success.
func (s *stood) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if unavailable(err) {
		s.refused++
		return
	}
	s.wrong = firstOf(s.wrong, err)
}

// unavailable is true of the refusal that asks to come again, in all of its forms.
func unavailable(err error) bool {
	var r *refusal
	if errors.As(err, &r) {
		return r.code == string(models.CodeUnavailable)
	}
	var upgrade *upgradeError
	var closed *closedError
	return errors.As(err, &upgrade) && upgrade.code == http.StatusServiceUnavailable ||
		errors.As(err, &closed) && closed.code == int(protocol.CloseTryAgainLater)
}

func (s *stood) answer(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.longest = max(s.longest, took)
}

// look asks the nodes how much waits, and how large they are.
func (s *stood) look(c *cluster, before []int64) error {
	now, err := c.memory()
	if err != nil {
		return err
	}
	for i := range c.nodes {
		s.grown = max(s.grown, now[i]-before[i])
	}
	var asking sync.WaitGroup
	var queued, limit, failed atomic.Int64
	for _, n := range c.nodes {
		asking.Go(func() {
			waiting, room, err := n.queue()
			if err != nil {
				failed.Add(1)
				return
			}
			raise(&queued, waiting)
			limit.Store(room)
		})
	}
	asking.Wait()
	if failed.Load() > 0 {
		return errors.New("a node does not give its figures")
	}
	s.queued, s.limit = max(s.queued, int(queued.Load())), int(limit.Load())
	return nil
}

func raise(most *atomic.Int64, n int64) {
	for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
	}
}

// memory is what each node takes, in bytes.
func (c *cluster) memory() (all []int64, err error) {
	for _, n := range c.nodes {
		used, err := n.usage()
		if err != nil {
			return nil, err
		}
		all = append(all, used.rss)
	}
	return all, nil
}

// figuresTimeout is long: a figure that a database keeps is waited for.
const figuresTimeout = 20 * time.Second

// queue is how many writes wait at a node, and how many may.
func (n *node) queue() (waiting, limit int64, err error) {
	client := &http.Client{Timeout: figuresTimeout}
	response, err := client.Get("http://" + n.metrics + "/metrics")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, 0, err
	}
	waiting, err = figure(string(text), "write_queue_length")
	if err != nil {
		return 0, 0, err
	}
	limit, err = figure(string(text), "write_queue_limit")
	return waiting, limit, err
}

// figure reads one of Prometheus's text format.
func figure(text, name string) (int64, error) {
	for line := range strings.Lines(text) {
		if label, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasSuffix(label, name) {
			number, err := strconv.ParseFloat(value, 64)
			return int64(number), err
		}
	}
	return 0, fmt.Errorf("there is no figure %s", name)
}

// String is what happened, in three lines.
func (s *stood) String() string {
	slices.Sort(s.backs)
	var first, middle, last time.Duration
	if n := len(s.backs); n > 0 {
		first, middle, last = s.backs[0], s.backs[n/2], s.backs[n-1]
	}
	return fmt.Sprintf("refused as unavailable %d, acknowledged meanwhile %d, longest answer %.1f s; acknowledged again after %.0f ms (%.0f to %.0f)\n"+
		"  most writes that waited at a node %d of %d; a node grew by %d MiB at most\n  %s",
		s.refused, s.inIt, s.longest.Seconds(), ms(middle), ms(first), ms(last), s.queued, s.limit, s.grown>>20, s.audit)
}

func (s *stood) holds(p postgresAway) error {
	if err := s.audit.holds(); err != nil {
		return err
	}
	switch {
	case s.wrong != nil:
		return fmt.Errorf("a submission failed otherwise: %w", s.wrong)
	case s.refused == 0:
		return errors.New("nothing was refused: PostgreSQL was not away")
	case s.inIt > 0:
		return fmt.Errorf("%d were acknowledged while PostgreSQL stood still", s.inIt)
	case s.longest > p.Answer:
		return fmt.Errorf("an answer took %v, %v are allowed", s.longest, p.Answer)
	case s.late > 0:
		return fmt.Errorf("%d times nothing was acknowledged within %v of PostgreSQL's return", s.late, p.Back)
	case s.queued > s.limit || s.limit == 0:
		return fmt.Errorf("%d writes waited at a node, %d may", s.queued, s.limit)
	case s.grown > p.Grow<<20:
		return fmt.Errorf("a node grew by %d MiB, %d are allowed", s.grown>>20, p.Grow)
	}
	return nil
}

// lose is a control: an acknowledged row is taken away, and must be missed.
func (c *cluster) lose(l *ledger) error {
	id, ok := l.anyAcknowledged()
	if !ok {
		return errors.New("there is no acknowledged row to take away")
	}
	if err := c.postgres.Exec(databaseOfNodes, fmt.Sprintf("DELETE FROM feedback WHERE id = '%s'", id)); err != nil {
		return err
	}
	found, err := c.audit(c.t.ctx, l)
	if err != nil {
		return err
	}
	return c.t.mustFail("one acknowledged row that is taken away", found.holds())
}

// hangs is a control: nodes that stand still themselves answer nothing, and must be
// found out within the time that an answer may take.
func (p postgresAway) hangs(t *test, c *cluster) error {
	p.Answer = time.Second
	found := &stood{audit: audit{acknowledged: 1, integrity: "ok"}, refused: 1, limit: 1}
	w := &writers{ledger: newLedger(), nodes: c.processes(), answered: found.answer}
	w.start(t.ctx, 1)
	if err := c.standStill(t, 2*p.Answer); err != nil {
		w.end()
		return err
	}
	w.end()
	return t.mustFail("nodes that do not answer", found.holds(p))
}
