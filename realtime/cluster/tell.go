package cluster

import (
	"context"
	"encoding/json"
	"time"

	"earshot/models"
	"earshot/realtime"
)

// tell sends what is to be told. Of a project's log only its latest end is.
func (n *Node) tell(ctx context.Context) {
	again := time.NewTicker(presenceInterval)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-n.out:
			n.send(message)
		case <-n.told:
			n.mu.Lock()
			reached := n.reached
			n.reached = map[models.ID]int64{}
			n.mu.Unlock()
			for project, seq := range reached {
				n.send(outMessage{project: project, kind: kindReached, body: body{Seq: seq}})
			}
		case <-again.C:
			for project, who := range n.options.Hub.Presence() {
				n.send(outMessage{project: project, kind: kindPresent, body: body{Present: &who}})
			}
		}
	}
}

// send is tell's, and Close's once that has ended.
func (n *Node) send(m outMessage) {
	m.Node = n.name
	if m.kind == kindPresent {
		if n.shown[m.project] = !m.Present.Nobody(); !n.shown[m.project] {
			delete(n.shown, m.project)
		}
	}
	data, err := json.Marshal(m.body)
	if err != nil {
		n.options.Log.Error("encode for other nodes", "error", err)
		return
	}
	of := string(m.project)
	if of == "" {
		of = "all"
	}
	_ = n.conn.Publish(n.subject(of, m.kind), data) // NATS is away: the handlers have said so
}

// queue never waits: what there is no room for is lost, as it may be.
func (n *Node) queue(m outMessage) {
	select {
	case n.out <- m:
	default:
	}
}

// Ephemeral implements realtime.Relay.
func (n *Node) Ephemeral(project models.ID, key string, event []byte) {
	n.queue(outMessage{project: project, kind: kindEphemeral, body: body{Key: key, Event: event}})
}

// Typing implements realtime.Relay.
func (n *Node) Typing(project, session, feedback models.ID) {
	n.queue(outMessage{project: project, kind: kindTyping, body: body{Session: session, Feedback: feedback}})
}

// Present implements realtime.Relay.
func (n *Node) Present(project models.ID, who realtime.Present) {
	n.queue(outMessage{project: project, kind: kindPresent, body: body{Present: &who}})
}

// Job implements realtime.Relay.
func (n *Node) Job(job models.Job, key string, event []byte) {
	n.queue(outMessage{kind: kindJob, body: body{Job: &job, Key: key, Event: event}})
}

// Ended implements realtime.Relay.
func (n *Node) Ended(session models.ID) {
	n.queue(outMessage{kind: kindEnded, body: body{Session: session}})
}

// Wanted implements realtime.Relay.
func (n *Node) Wanted(models.ID) { poke(n.wanted) }

// poke wakes who waits on a channel; a second word is not needed.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
