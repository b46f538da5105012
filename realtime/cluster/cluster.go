// Package cluster joins servers that share a database over NATS.
//
// The log is the truth. A message says that a project's log has come so far and no
// more: whoever follows the project reads it there, in order and each entry once. What
// a lost message costs is time until the next look at the log's end. Presence, typing,
// drafts and the progress of jobs are in no log: what is lost of them is replaced by
// what comes next.
package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"earshot/models"
	"earshot/realtime"
)

const (
	// pollInterval is how often the ends of the followed logs are looked at.
	pollInterval = 1500 * time.Millisecond
	// presenceInterval is how often a node says again who is there by way of it, and
	// presenceLifetime for how long others believe it.
	presenceInterval = 10 * time.Second
	presenceLifetime = 3 * presenceInterval
	// connectTimeout bounds the first connection and the farewell.
	connectTimeout = 5 * time.Second
	// incoming and outgoing bound what waits to be read, and to be told.
	incoming = 4096
	outgoing = 4096
)

// Log is where the truth is.
type Log interface {
	LogHeads(ctx context.Context, projects []models.ID) (map[models.ID]int64, error)
	Committed(ctx context.Context, project models.ID, since int64, limit int) ([]models.LogEntry, error)
}

// Hub is what follows projects here.
type Hub interface {
	Publish(entries []models.LogEntry)
	Reached(project models.ID, head int64)
	Followed() []models.ID
	Presence() map[models.ID]realtime.Present
	PresenceIn(project models.ID) realtime.Present
	RelayEphemeral(project models.ID, key string, event []byte)
	RelayTyping(project, session, feedback models.ID)
	RelayPresent(node string, project models.ID, who realtime.Present, until time.Time)
}

// Options is what a Node is made from.
type Options struct {
	// URL is where NATS is; several are separated by commas.
	URL string
	// Realm keeps servers of different installations on one NATS apart; it is a secret of
	// those that share a database.
	Realm string
	Log   *slog.Logger
	Store Log
	Hub   Hub
	// Job and Ended are told of other nodes' jobs and of sessions that ended there.
	Job   func(job models.Job, key string, event []byte)
	Ended func(session models.ID)
	Now   func() time.Time
}

// Node is this server among the others.
type Node struct {
	options Options
	name    string
	conn    *nats.Conn
	in      chan *nats.Msg
	out     chan outMessage
	wanted  chan struct{}
	behind  chan struct{}
	stop    context.CancelFunc
	ended   sync.WaitGroup

	mu      sync.Mutex
	follows map[models.ID]*follow
	// reached are the projects whose logs have grown here and were not told of yet.
	reached map[models.ID]int64
	told    chan struct{}

	// shown are the projects in which others believe somebody to be by way of this node;
	// tell's own, and Close's once that has ended.
	shown map[models.ID]bool
}

// Join connects this server to the others. It does not wait for a NATS that is away: what
// is missed meanwhile is found in the log.
func Join(options Options) (*Node, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	n := &Node{
		options: options, name: string(models.NewID()),
		in: make(chan *nats.Msg, incoming), out: make(chan outMessage, outgoing), wanted: make(chan struct{}, 1), behind: make(chan struct{}, 1),
		follows: map[models.ID]*follow{}, reached: map[models.ID]int64{}, told: make(chan struct{}, 1), shown: map[models.ID]bool{},
	}
	var err error
	n.conn, err = connect(options.URL, options.Log)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if _, err := n.conn.ChanSubscribe(n.subject("all", "*"), n.in); err != nil {
		n.conn.Close()
		return nil, fmt.Errorf("subscribe at NATS: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	for _, work := range []func(context.Context){n.hear, n.tell, n.keepUp, n.catchUp} {
		n.ended.Go(func() { work(ctx) })
	}
	return n, nil
}

// Close leaves the others. The sockets have ended by then, so the hub has nobody any
// more, and the others are told of each project of which they have heard otherwise.
func (n *Node) Close() {
	n.stop()
	n.ended.Wait()
	for project := range maps.Clone(n.shown) {
		n.send(outMessage{project: project, kind: kindPresent, body: body{Present: &realtime.Present{}}})
	}
	_ = n.conn.FlushTimeout(connectTimeout) // a farewell; others forget this node by themselves
	n.conn.Close()
}

// Connected reports whether NATS is there.
func (n *Node) Connected() bool { return n.conn.IsConnected() }

// The kinds of messages about a project, the last part of their subjects.
const (
	kindReached   = "reached"
	kindEphemeral = "ephemeral"
	kindTyping    = "typing"
	kindPresent   = "present"
	kindAsk       = "ask"
	kindJob       = "job"
	kindEnded     = "ended"
)

// body is a message; which of its members there are, its kind says.
type body struct {
	Node     string            `json:"node"`
	Seq      int64             `json:"seq,omitempty"`
	Key      string            `json:"key,omitempty"`
	Event    json.RawMessage   `json:"event,omitempty"`
	Session  models.ID         `json:"session,omitempty"`
	Feedback models.ID         `json:"feedback,omitempty"`
	Present  *realtime.Present `json:"present,omitempty"`
	Job      *models.Job       `json:"job,omitempty"`
}

// outMessage is what is to be told; about no project, to all.
type outMessage struct {
	project models.ID
	kind    string
	body
}

func (n *Node) subject(of, kind string) string {
	return "earshot." + n.options.Realm + "." + of + "." + kind
}

// hear reads what others tell.
func (n *Node) hear(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case message := <-n.in:
			parts := strings.Split(message.Subject, ".")
			var b body
			if err := json.Unmarshal(message.Data, &b); err != nil || len(parts) != 4 || b.Node == n.name {
				continue // a newer server may say what this one cannot read
			}
			n.take(models.ID(parts[2]), parts[3], b)
		}
	}
}

func (n *Node) take(project models.ID, kind string, b body) {
	switch kind {
	case kindReached:
		n.lookUp(project, b.Seq)
	case kindEphemeral:
		n.options.Hub.RelayEphemeral(project, b.Key, b.Event)
	case kindTyping:
		n.options.Hub.RelayTyping(project, b.Session, b.Feedback)
	case kindPresent:
		if b.Present != nil {
			n.options.Hub.RelayPresent(b.Node, project, *b.Present, n.options.Now().Add(presenceLifetime))
		}
	case kindAsk:
		if who := n.options.Hub.PresenceIn(project); !who.Nobody() {
			n.Present(project, who)
		}
	case kindJob:
		if b.Job != nil {
			n.options.Job(*b.Job, b.Key, b.Event)
		}
	case kindEnded:
		n.options.Ended(b.Session)
	}
}
