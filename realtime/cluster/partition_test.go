package cluster

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"earshot/models"
	"earshot/realtime"
	"earshot/realtime/cluster/natstest"
)

// link is a way between two NATS servers that can be cut.
type link struct {
	target   string
	listener net.Listener
	copying  sync.WaitGroup

	mu   sync.Mutex
	cut  bool
	open []net.Conn
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{target: target, listener: listener}
	l.copying.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.set(true)
		l.copying.Wait()
	})
	return l
}

func (l *link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		l.mu.Lock()
		if l.open = append(l.open, near, far); l.cut {
			_, _ = near.Close(), far.Close()
		}
		l.mu.Unlock()
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			l.copying.Go(func() {
				_, _ = io.Copy(way[0], way[1])
				_, _ = way[0].Close(), way[1].Close()
			})
		}
	}
}

// set cuts the link, or mends it.
func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut = cut; !cut {
		return
	}
	for _, conn := range l.open {
		_ = conn.Close()
	}
	l.open = nil
}

// threeBrokers is a cluster of NATS servers. They hear of each other by links alone;
// the last two are those of the third server.
func threeBrokers(t *testing.T) (brokers []*server.Server, links []*link) {
	t.Helper()
	for range 3 {
		var routes []*url.URL
		for _, other := range brokers {
			l := newLink(t, other.ClusterAddr().String())
			links = append(links, l)
			routes = append(routes, &url.URL{Scheme: "nats-route", Host: l.listener.Addr().String()})
		}
		s := natstest.New(t, func(o *server.Options) {
			// What a server tells the others of its address leads nowhere, past no link.
			o.Cluster = server.ClusterOpts{Name: "earshot", Host: "127.0.0.1", Port: server.RANDOM_PORT, Advertise: "127.0.0.1:1"}
			o.Routes = routes
		})
		brokers = append(brokers, s.Server)
	}
	await(t, "the NATS servers know each other", 20*time.Second, func() bool { return peers(brokers) == 6 })
	return brokers, links
}

// peers counts whom each of the servers reaches.
func peers(brokers []*server.Server) (n int) {
	for _, s := range brokers {
		routes, err := s.Routez(nil)
		if err != nil {
			return 0
		}
		known := map[string]bool{}
		for _, route := range routes.Routes {
			known[route.RemoteID] = true
		}
		n += len(known)
	}
	return n
}

// A NATS server that is cut off from the other two tells its clients nothing of it.
// Its node hears by the log, no later than without NATS, as the others hear of what it
// commits; and once the cut is mended, at once again.
func TestNATSIsCutInTwo(t *testing.T) {
	brokers, links := threeBrokers(t)
	log := &ledger{all: map[models.ID][]models.LogEntry{}}
	const project = models.ID("p")
	var ears []*ear
	var nodes []*Node
	for _, s := range brokers {
		ears = append(ears, newEar(project))
		nodes = append(nodes, join(t, s.ClientURL(), log, ears[len(ears)-1]))
	}
	for _, n := range nodes {
		await(t, "the node follows", 10*time.Second, n.knows(project))
	}
	end := int64(0)
	// each node commits once, and all have to hear of it.
	round := func(within time.Duration) (longest time.Duration) {
		t.Helper()
		for _, n := range nodes {
			end++
			began := time.Now()
			n.Publish([]models.LogEntry{log.commit(project)})
			for _, e := range ears {
				await(t, "all hear", within, func() bool { return complete(t, e, project, end) })
			}
			longest = max(longest, time.Since(began))
		}
		return longest
	}
	round(pollInterval + time.Second)

	for _, l := range links[1:] {
		l.set(true)
	}
	await(t, "the third server is alone", 20*time.Second, func() bool { return peers(brokers) == 2 })
	for i, n := range nodes {
		if !n.Connected() {
			t.Errorf("node %d is told of the cut", i)
		}
	}
	nodes[2].Present(project, realtime.Present{Visitors: 7})
	t.Logf("cut in two: heard after %v at most", round(pollInterval+time.Second).Round(time.Millisecond))
	ears[0].locked(func() {
		if who := ears[0].others[nodes[2].name]; who.Visitors == 7 {
			t.Error("presence came over links that are cut")
		}
	})

	for _, l := range links[1:] {
		l.set(false)
	}
	await(t, "the NATS servers know each other again", 20*time.Second, func() bool { return peers(brokers) == 6 })
	// Who wants to hear of what is told from server to server a little later.
	for from, n := range nodes {
		for to, e := range ears {
			await(t, "presence is told", 10*time.Second, func() (ok bool) {
				n.Present(project, realtime.Present{Visitors: 8})
				e.locked(func() { ok = e.others[n.name].Visitors == 8 })
				return ok || from == to
			})
		}
	}
	if took := round(pollInterval + time.Second); took > pollInterval/2 {
		t.Errorf("mended: heard after %v", took)
	} else {
		t.Logf("mended: heard after %v at most", took.Round(time.Millisecond))
	}
}
