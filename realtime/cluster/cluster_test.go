package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"earshot/models"
	"earshot/realtime"
	"earshot/realtime/cluster/natstest"
	"earshot/realtime/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker starts a NATS server at an address, any free one for "".
func broker(t *testing.T, address string) (s *natstest.Server, url string) {
	t.Helper()
	s = natstest.New(t, func(o *server.Options) {
		if address == "" {
			return
		}
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		o.Port = at.Port
	})
	return s, s.ClientURL()
}

// ledger is a log that several nodes commit to, in the order of its lock, as a
// database does.
type ledger struct {
	mu  sync.Mutex
	all map[models.ID][]models.LogEntry
}

func (l *ledger) commit(project models.ID) models.LogEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := models.LogEntry{ProjectID: project, Seq: int64(len(l.all[project])) + 1}
	l.all[project] = append(l.all[project], entry)
	return entry
}

func (l *ledger) LogHeads(_ context.Context, projects []models.ID) (map[models.ID]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	heads := map[models.ID]int64{}
	for _, project := range projects {
		heads[project] = int64(len(l.all[project]))
	}
	return heads, nil
}

func (l *ledger) Committed(_ context.Context, project models.ID, since int64, limit int) ([]models.LogEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page := l.all[project][since:]
	return append([]models.LogEntry(nil), page[:min(len(page), limit)]...), nil
}

// ear is a hub that notes what it is told.
type ear struct {
	mu        sync.Mutex
	followed  []models.ID
	present   map[models.ID]realtime.Present
	published map[models.ID][]int64
	reached   map[models.ID]int64
	told      map[string]int
	others    map[string]realtime.Present
}

func newEar(followed ...models.ID) *ear {
	return &ear{
		followed: followed, present: map[models.ID]realtime.Present{}, published: map[models.ID][]int64{},
		reached: map[models.ID]int64{}, told: map[string]int{}, others: map[string]realtime.Present{},
	}
}

func (e *ear) locked(do func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	do()
}

func (e *ear) Publish(entries []models.LogEntry) {
	e.locked(func() {
		for _, entry := range entries {
			e.published[entry.ProjectID] = append(e.published[entry.ProjectID], entry.Seq)
		}
	})
}
func (e *ear) Reached(project models.ID, head int64) { e.locked(func() { e.reached[project] = head }) }
func (e *ear) Followed() (all []models.ID) {
	e.locked(func() { all = append(all, e.followed...) })
	return all
}
func (e *ear) Presence() (all map[models.ID]realtime.Present) {
	e.locked(func() {
		all = map[models.ID]realtime.Present{}
		for project, who := range e.present {
			all[project] = who
		}
	})
	return all
}
func (e *ear) PresenceIn(project models.ID) (who realtime.Present) {
	e.locked(func() { who = e.present[project] })
	return who
}
func (e *ear) RelayEphemeral(_ models.ID, key string, event []byte) {
	e.locked(func() { e.told[key+string(event)]++ })
}
func (e *ear) RelayTyping(_, session, _ models.ID) {
	e.locked(func() { e.told["typing "+string(session)]++ })
}
func (e *ear) RelayPresent(node string, _ models.ID, who realtime.Present, _ time.Time) {
	e.locked(func() { e.others[node] = who })
}
func (e *ear) has(what string) (ok bool) {
	e.locked(func() { ok = e.told[what] == 1 })
	return ok
}

// seen is what was published of a project, from the seq on after which this ear knows it.
func (e *ear) seen(project models.ID) (all []int64, from int64) {
	e.locked(func() { all, from = append(all, e.published[project]...), e.reached[project] })
	return all, from
}

func join(t *testing.T, url string, log *ledger, hub *ear) *Node {
	t.Helper()
	n, err := Join(Options{
		URL: url, Realm: "realm", Log: slog.New(slog.DiscardHandler), Store: log, Hub: hub,
		Job: func(job models.Job, key string, event []byte) {
			hub.locked(func() { hub.told["job "+string(job.ID)+key+string(event)]++ })
		},
		Ended: func(session models.ID) { hub.locked(func() { hub.told["ended "+string(session)]++ }) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func await(t *testing.T, what string, within time.Duration, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// known waits until a node follows a project in order.
func (n *Node) knows(project models.ID) func() bool {
	return func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.follows[project] != nil && n.follows[project].known
	}
}

// complete reports whether an ear heard a project's log to its end, each entry once and
// in order.
func complete(t *testing.T, e *ear, project models.ID, end int64) bool {
	t.Helper()
	all, from := e.seen(project)
	for i, seq := range all {
		if i > 0 && seq != all[i-1]+1 {
			t.Fatalf("after %d came %d", all[i-1], seq)
		}
	}
	return len(all) > 0 && all[0] <= from+1 && all[len(all)-1] == end
}

// What three nodes commit at the same time, each of them hears once and in order.
func TestNodesHearOneLog(t *testing.T) {
	_, url := broker(t, "")
	log := &ledger{all: map[models.ID][]models.LogEntry{}}
	const project = models.ID("p")
	var ears []*ear
	var nodes []*Node
	for range 3 {
		ears = append(ears, newEar(project))
		nodes = append(nodes, join(t, url, log, ears[len(ears)-1]))
	}
	for _, n := range nodes {
		await(t, "the node follows", 10*time.Second, n.knows(project))
	}
	const each = 400
	var writers sync.WaitGroup
	for _, n := range nodes {
		writers.Go(func() {
			for i := 0; i < each; {
				var batch []models.LogEntry
				for range min(1+rand.N(3), each-i) {
					batch = append(batch, log.commit(project))
					i++
				}
				if rand.N(4) == 0 {
					time.Sleep(rand.N(time.Millisecond))
				}
				n.Publish(batch)
			}
		})
	}
	writers.Wait()
	for _, e := range ears {
		await(t, "all is heard", 10*time.Second, func() bool { return complete(t, e, project, 3*each) })
	}
}

// Without NATS the others' commits come by the log, a little later; and the node that
// commits hears its own at once.
func TestNATSMayBeAway(t *testing.T) {
	nats, url := broker(t, "")
	address := nats.Addr().String()
	log := &ledger{all: map[models.ID][]models.LogEntry{}}
	const project = models.ID("p")
	one, other := newEar(project), newEar(project)
	a, b := join(t, url, log, one), join(t, url, log, other)
	await(t, "both follow", 10*time.Second, func() bool { return a.knows(project)() && b.knows(project)() })
	nats.Shutdown()
	nats.WaitForShutdown()
	began := time.Now()
	a.Publish([]models.LogEntry{log.commit(project)})
	if !complete(t, one, project, 1) {
		t.Error("who commits does not hear of it at once")
	}
	await(t, "the other hears", pollInterval+time.Second, func() bool { return complete(t, other, project, 1) })
	t.Logf("without NATS the other node heard after %v", time.Since(began).Round(time.Millisecond))

	broker(t, address)
	await(t, "NATS is back", 10*time.Second, func() bool { return a.Connected() && b.Connected() })
	time.Sleep(50 * time.Millisecond) // subscriptions are made again
	began = time.Now()
	a.Publish([]models.LogEntry{log.commit(project)})
	await(t, "the other hears at once", pollInterval+time.Second, func() bool { return complete(t, other, project, 2) })
	t.Logf("with NATS after %v", time.Since(began).Round(time.Millisecond))
}

// A node hears nothing of projects that nobody follows there.
func TestNodesHearWhatTheyFollow(t *testing.T) {
	_, url := broker(t, "")
	log := &ledger{all: map[models.ID][]models.LogEntry{}}
	one, other := newEar("busy"), newEar("quiet")
	a, b := join(t, url, log, one), join(t, url, log, other)
	await(t, "both follow", 10*time.Second, func() bool { return a.knows("busy")() && b.knows("quiet")() })
	before := b.conn.Stats().InMsgs
	for range 100 {
		a.Publish([]models.LogEntry{log.commit("busy")})
		a.Ephemeral("busy", "k", []byte(`{}`))
		a.Present("busy", realtime.Present{Visitors: 1})
	}
	await(t, "all is told", 5*time.Second, func() bool { return len(a.out) == 0 })
	if err := a.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if got := b.conn.Stats().InMsgs - before; got != 0 {
		t.Errorf("%d messages came of a project that nobody follows here", got)
	}
}

// What is in no log is told to those whom it concerns.
func TestNodesTellWhatIsInNoLog(t *testing.T) {
	_, url := broker(t, "")
	log := &ledger{all: map[models.ID][]models.LogEntry{}}
	one, other := newEar("p"), newEar("p")
	one.present["p"] = realtime.Present{Visitors: 3, Members: []protocol.Member{{UserID: "u", Name: "Ann"}}}
	a := join(t, url, log, one)
	await(t, "the first follows", 10*time.Second, a.knows("p"))
	join(t, url, log, other)
	// Who comes asks who is there.
	await(t, "presence is told", 5*time.Second, func() (ok bool) {
		other.locked(func() { ok = other.others[a.name].Visitors == 3 })
		return ok
	})
	a.Ephemeral("p", "draft 1", []byte(`{"type":"DraftChanged"}`))
	a.Typing("p", "session", "item")
	a.Job(models.Job{ID: "job"}, "progress", []byte(`{"type":"Progress"}`))
	a.Ended("session")
	for _, what := range []string{`draft 1{"type":"DraftChanged"}`, "typing session", `job jobprogress{"type":"Progress"}`, "ended session"} {
		await(t, what, 5*time.Second, func() bool { return other.has(what) })
		if one.has(what) {
			t.Errorf("%s came back to who told it", what)
		}
	}
	one.locked(func() { clear(one.present) }) // its sockets end before it leaves
	a.Close()
	await(t, "who leaves takes leave", 5*time.Second, func() (ok bool) {
		other.locked(func() { who := other.others[a.name]; ok = who.Nobody() })
		return ok
	})
}
