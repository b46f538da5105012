package cluster

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"earshot/models"
)

// readPage is how many entries of a log are read at once.
const readPage = 256

// follow is a project that somebody follows here.
type follow struct {
	sub *nats.Subscription
	// head is what was published here last; known is false until the log's end was seen
	// after NATS was subscribed, and until then what is committed here is published as it
	// comes.
	head  int64
	known bool
	// want is how far the log is known to reach.
	want int64
}

// Publish takes what was committed here, oldest first, in place of the hub: it waits
// for what others have committed before. It never blocks.
func (n *Node) Publish(entries []models.LogEntry) {
	n.mu.Lock()
	for len(entries) > 0 {
		run := 1
		for run < len(entries) && entries[run].ProjectID == entries[0].ProjectID && entries[run].Seq == entries[run-1].Seq+1 {
			run++
		}
		project, last := entries[0].ProjectID, entries[run-1].Seq
		n.publishRun(project, entries[:run])
		n.reached[project] = max(n.reached[project], last)
		entries = entries[run:]
	}
	n.mu.Unlock()
	poke(n.told)
}

// publishRun is called with mu held, so that what two publish is in one order.
func (n *Node) publishRun(project models.ID, run []models.LogEntry) {
	f := n.follows[project]
	if f == nil || !f.known {
		n.options.Hub.Publish(run)
		return
	}
	last := run[len(run)-1].Seq
	if run[0].Seq > f.head+1 { // others have committed in between: it is read in its order
		f.want = max(f.want, last)
		poke(n.behind)
		return
	}
	if last <= f.head {
		return // it was read already
	}
	n.options.Hub.Publish(run[f.head+1-run[0].Seq:])
	f.head = last
}

// lookUp notes that a project's log has come so far.
func (n *Node) lookUp(project models.ID, seq int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.follows[project]; f != nil && f.known && seq > f.head {
		f.want = max(f.want, seq)
		poke(n.behind)
	}
}

// keepUp subscribes to what is followed here, and looks at the ends of its logs.
func (n *Node) keepUp(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		fresh := n.subscribe()
		select {
		case <-ctx.Done():
			return
		default:
		}
		if len(fresh) > 0 {
			if n.conn.IsConnected() {
				// What is told after the look must be heard, so the subscriptions come first.
				_ = n.conn.FlushTimeout(time.Second)
			}
			n.poll(ctx, fresh)
		}
		select {
		case <-ctx.Done():
			return
		case <-n.wanted:
		case <-ticker.C:
			n.mu.Lock()
			all := slices.Collect(maps.Keys(n.follows))
			n.mu.Unlock()
			n.poll(ctx, all)
		}
	}
}

// subscribe makes the subscriptions those of what is followed, and gives the new ones.
// It is called by keepUp alone, and nobody else changes follows. NATS is spoken to
// without mu: a connection that takes nothing any more holds its callers up, and Publish
// waits for mu.
func (n *Node) subscribe() (fresh []models.ID) {
	wanted := map[models.ID]bool{}
	for _, project := range n.options.Hub.Followed() {
		wanted[project] = true
	}
	var left []*nats.Subscription
	n.mu.Lock()
	for project, f := range n.follows {
		if !wanted[project] {
			left = append(left, f.sub)
			delete(n.follows, project)
		}
		delete(wanted, project)
	}
	n.mu.Unlock()
	for _, sub := range left {
		_ = sub.Unsubscribe() // where NATS is away, there is nothing to end
	}
	for project := range wanted {
		sub, err := n.conn.ChanSubscribe(n.subject(string(project), "*"), n.in)
		if err != nil {
			n.options.Log.Error("subscribe at NATS", "error", err)
			continue
		}
		n.mu.Lock()
		n.follows[project] = &follow{sub: sub}
		n.mu.Unlock()
		fresh = append(fresh, project)
		n.queue(outMessage{project: project, kind: kindAsk})
	}
	return fresh
}

// poll looks at the ends of logs. Where one is seen for the first time, followers read
// what they may have missed; from then on it is published here.
func (n *Node) poll(ctx context.Context, projects []models.ID) {
	if len(projects) == 0 {
		return
	}
	heads, err := n.options.Store.LogHeads(ctx, projects)
	if err != nil {
		if ctx.Err() == nil {
			n.options.Log.Error("look at the ends of logs", "error", err)
		}
		return
	}
	for project, head := range heads {
		n.mu.Lock()
		f := n.follows[project]
		first := f != nil && !f.known
		switch {
		case first:
			f.known, f.head, f.want = true, head, head
		case f != nil && head > f.head:
			f.want = max(f.want, head)
			poke(n.behind)
		}
		n.mu.Unlock()
		if first {
			n.options.Hub.Reached(project, head)
		}
	}
}

// catchUp reads what others have committed and publishes it here.
func (n *Node) catchUp(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.behind:
		}
		for project, since := range n.late() {
			n.read(ctx, project, since)
		}
	}
}

// late are the projects whose logs are known to reach further than was published, and
// how far it was.
func (n *Node) late() map[models.ID]int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	late := map[models.ID]int64{}
	for project, f := range n.follows {
		if f.known && f.want > f.head {
			late[project] = f.head
		}
	}
	return late
}

func (n *Node) read(ctx context.Context, project models.ID, since int64) {
	for {
		entries, err := n.options.Store.Committed(ctx, project, since, readPage)
		if err != nil {
			if ctx.Err() == nil {
				n.options.Log.Error("read what others have committed", "project", project, "error", err)
			}
			return // the next look at the log's end tries again
		}
		if len(entries) == 0 {
			return
		}
		n.mu.Lock()
		f := n.follows[project]
		if f == nil {
			n.mu.Unlock()
			return
		}
		// What was committed here meanwhile was published, or is in the page.
		for len(entries) > 0 && entries[0].Seq <= f.head {
			entries = entries[1:]
		}
		if len(entries) > 0 {
			n.options.Hub.Publish(entries)
			f.head = entries[len(entries)-1].Seq
		}
		since = f.head
		more := f.want > f.head
		n.mu.Unlock()
		if !more {
			return
		}
	}
}
