package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	fastws "github.com/fasthttp/websocket"

	"earshot/models"
	"earshot/realtime/protocol"
)

func TestReplayGoesLiveWithoutGapOrRepeat(t *testing.T) {
	h := start(t, true)
	const before, during = 300, 700
	h.submit(before)
	var wg sync.WaitGroup
	wg.Go(func() { h.submit(during) })
	// Each of these joins at some other moment of the stream.
	for _, since := range []int64{0, 1, 150, before} {
		wg.Go(func() {
			c := h.dial("/dashboard")
			if e := h.subscribe(c, map[string]any{"since": since, "epoch": h.store.Epoch()}); e.Type != "Subscribed" {
				t.Errorf("since %d: answered %s", since, e.Type)
				return
			}
			c.wantSeqs(since+1, before+during)
		})
	}
	wg.Wait()
}

func TestDroppedPublicationIsReadFromTheLog(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.submit(3)
	c.wantSeqs(1, 3)
	h.losing.Store(true)
	h.submit(1)
	h.losing.Store(false)
	h.submit(1)
	c.wantSeqs(4, 5)
}

func TestSubscribeRefusals(t *testing.T) {
	h := start(t, true)
	h.submit(2)
	for _, tc := range []struct {
		name   string
		data   map[string]any
		kind   string
		code   models.Code
		reason string
	}{
		{"since without epoch", map[string]any{"since": 1}, "Error", models.CodeInvalidField, ""},
		{"negative since", map[string]any{"since": -1, "epoch": h.store.Epoch()}, "Error", models.CodeInvalidField, ""},
		{"another epoch", map[string]any{"since": 1, "epoch": "other"}, "ResyncRequired", "", "epoch_changed"},
		{"another epoch at 0", map[string]any{"since": 0, "epoch": "other"}, "ResyncRequired", "", "epoch_changed"},
		{"beyond the head", map[string]any{"since": 3, "epoch": h.store.Epoch()}, "ResyncRequired", "", "beyond_head"},
		{"at the head", map[string]any{"since": 2, "epoch": h.store.Epoch()}, "Subscribed", "", ""},
		{"from the start of the window", map[string]any{"since": 0}, "Subscribed", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := h.subscribe(h.dial("/dashboard"), tc.data)
			if e.Type != tc.kind || e.code() != tc.code {
				t.Errorf("answered %s %s, want %s %s", e.Type, e.Data, tc.kind, tc.code)
			}
		})
	}
	c := h.dial("/dashboard")
	c.send("Subscribe", string(models.NewID()), map[string]any{"project_id": models.NewID()})
	if e := c.want("Error"); e.code() != models.CodeNotFound {
		t.Errorf("foreign project: %s, want not_found", e.Data)
	}
}

func TestSlowReaderIsCutOffAndTheOthersAreNot(t *testing.T) {
	h := start(t, true)
	slow, quick := h.dial("/dashboard"), h.dial("/dashboard")
	h.subscribe(slow, map[string]any{})
	h.subscribe(quick, map[string]any{})
	// The slow one stops reading: what waits for it soon exceeds its queue.
	var socket *dashboard
	h.server.mu.Lock()
	for d := range h.server.dashboards {
		if d.net.RemoteAddr().String() == slow.ws.LocalAddr().String() {
			socket = d
		}
	}
	h.server.mu.Unlock()
	holdWriter(socket.conn) // as if the connection took nothing
	socket.behind.Store(true)
	h.submit(maxQueuedEvents + 10)
	quick.wantSeqs(1, maxQueuedEvents+10)
	socket.shard.add(socket.conn) // the connection takes again
	slow.wantClose(protocol.CloseSlowConsumer)
}

// A reader that takes what it gets is not cut off for what we have at once, more
// than its queue holds in events or in bytes.
func TestQuickReaderIsNotCutOffByABurst(t *testing.T) {
	for _, tc := range []struct {
		name    string
		events  int
		message string
	}{
		{"many events", 4 * maxQueuedEvents, "The total is wrong"},
		{"long events", 4 * maxPublication, strings.Repeat("\U0001F600", models.MaxMessage)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := start(t, true)
			c := h.dial("/dashboard")
			h.subscribe(c, map[string]any{})
			h.eachDashboard(func(d *dashboard) { holdWriter(d.conn) }) // the shard is busy with others
			h.submitTexts(tc.events, tc.message)
			h.eachDashboard(func(d *dashboard) { d.shard.add(d.conn) })
			c.wantSeqs(1, int64(tc.events))
		})
	}
}

// holdWriter takes the place of the socket's writer, once the one that is at
// work has ended. Whoever calls it calls write, too.
func holdWriter(c *conn) {
	for {
		c.queue.mu.Lock()
		idle := !c.queue.writing
		if idle {
			c.queue.writing = true
			c.owned.Add(1)
		}
		c.queue.mu.Unlock()
		if idle {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestUnsubscribeEndsDelivery(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.submit(1)
	c.wantSeqs(1, 1)
	c.send("Unsubscribe", "", map[string]any{"project_id": h.project.ID})
	c.send("Ping", "p1", map[string]any{})
	c.want("Pong")
	h.submit(1)
	c.send("Ping", "p2", map[string]any{})
	for e := c.next(); e.Re != "p2"; e = c.next() {
		if e.Seq != 0 {
			t.Fatalf("got seq %d after Unsubscribe", e.Seq)
		}
	}
}

func TestCloseSessionEndsItsSocketsOnly(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	c.want("Connected")
	h.server.CloseSession(models.NewID(), protocol.CloseRevoked)
	c.send("Ping", "still", map[string]any{})
	c.want("Pong")
	h.server.CloseSession(h.claims.SessionID, protocol.CloseRevoked)
	c.wantClose(protocol.CloseRevoked)
}

func TestShutdownTellsEverySocket(t *testing.T) {
	h := start(t, true)
	clients := []*client{h.dial("/dashboard"), h.dial("/visitor")}
	for _, c := range clients {
		c.want("Connected")
	}
	done := make(chan error, 1)
	go func() { done <- h.server.Shutdown(t.Context()) }()
	for _, c := range clients {
		c.want("GoingAway")
		c.wantClose(protocol.CloseGoingAway)
	}
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if _, _, err := fastws.DefaultDialer.Dial("ws://"+h.addr+"/visitor", nil); err == nil {
		t.Error("a draining server upgraded a socket")
	}
}

func TestManyReplaysOnOneSocketDoNotCutItOff(t *testing.T) {
	h := start(t, true)
	const projects, each = 20, 150
	first := h.project
	var ids []models.ID
	for range projects {
		p := &models.Project{Name: "P", Settings: models.DefaultSettings()}
		if err := errors.Join(p.Normalize(), h.store.CreateProject(t.Context(), h.scope, p)); err != nil {
			t.Fatal(err)
		}
		h.project = p
		h.submit(each)
		ids = append(ids, p.ID)
	}
	h.project = first
	c := h.dial("/dashboard")
	for _, id := range ids {
		c.send("Subscribe", "", map[string]any{"project_id": id, "since": 0})
	}
	last := map[models.ID]int64{}
	for got := 0; got < projects*each; {
		e := c.next()
		if e.Seq == 0 {
			continue
		}
		var data protocol.FeedbackErased // has the project, as every durable event
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		if last[data.ProjectID]++; e.Seq != last[data.ProjectID] {
			t.Fatalf("project %s: got seq %d, want %d", data.ProjectID, e.Seq, last[data.ProjectID])
		}
		got++
	}
}

func TestOverflowOfTheHubDelaysOnly(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.losing.Store(true)
	h.submit(3)
	h.losing.Store(false)
	h.hub.pendingMu.Lock()
	h.hub.dropped[h.project.ID] = 3
	h.hub.pendingMu.Unlock()
	h.hub.Publish(nil)
	c.wantSeqs(1, 3) // although nothing was committed after the loss
}

func TestHandshakeThatLeadsToNoSocketGivesItsPlaceBack(t *testing.T) {
	h := start(t, false)
	request := "GET /visitor HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	for range socketsPerAddress + 1 {
		conn, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(conn)
		_ = conn.Close()
		if len(answer) == 0 || strings.Contains(string(answer), " 101 ") {
			t.Fatalf("answered %.40q, want a refusal", answer)
		}
	}
	// A client that is gone before the answer: whatever became of the place, it
	// is free again after a while.
	release, err := h.server.admit(netip.MustParseAddr("192.0.2.9"))
	if err != nil {
		t.Fatal(err)
	}
	release.unclaimed.Reset(0)
	for deadline := time.Now().Add(wait); ; {
		h.server.mu.Lock()
		n := h.server.addresses["192.0.2.9"]
		h.server.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d places are still taken", n)
		}
		time.Sleep(time.Millisecond)
	}
	h.dial("/visitor").want("Connected")
}

func TestPanicLeavesNothingBehind(t *testing.T) {
	h := start(t, true)
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.faulty.Store(true)
	c.send("Subscribe", "", map[string]any{"project_id": h.project.ID})
	if _, err := c.read(); err == nil {
		for err == nil {
			_, err = c.read()
		}
	}
	for deadline := time.Now().Add(wait); ; time.Sleep(time.Millisecond) {
		h.server.mu.Lock()
		n := len(h.server.dashboards)
		h.server.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sockets are still registered", n)
		}
	}
	h.submit(1) // goes to nobody, and breaks nothing
}

// movedStore has moved every session to another organisation.
type movedStore struct {
	Store
	moved *atomic.Bool
}

func (s movedStore) AuthorizeAll(ctx context.Context, sessions []models.ID) (map[models.ID]models.Claims, error) {
	open, err := s.Store.AuthorizeAll(ctx, sessions)
	if s.moved.Load() {
		for id, claims := range open {
			claims.Scope = models.ScopeOf(models.NewID())
			open[id] = claims
		}
	}
	return open, err
}

// A session that goes to another organisation leaves no socket in the old one.
func TestSocketEndsWhenItsSessionMoves(t *testing.T) {
	h := start(t, true)
	var moved atomic.Bool
	h.server.store = movedStore{h.server.store, &moved}
	c := h.dial("/dashboard")
	h.subscribe(c, map[string]any{})
	h.server.checkSessions(t.Context())
	h.submit(1)
	c.wantSeqs(1, 1)
	moved.Store(true)
	h.server.checkSessions(t.Context())
	c.wantClose(protocol.CloseRevoked)
}
