package realtime

import (
	"sync"
	"testing"

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
		if d.ws.RemoteAddr().String() == slow.ws.LocalAddr().String() {
			socket = d
		}
	}
	h.server.mu.Unlock()
	socket.queue.mu.Lock() // the writer stands still, as if the connection took nothing
	socket.queue.writing = true
	socket.queue.mu.Unlock()
	socket.owned.Add(1)
	h.submit(maxQueuedEvents + 10)
	quick.wantSeqs(1, maxQueuedEvents+10)
	go socket.write() // the connection takes again
	slow.wantClose(protocol.CloseSlowConsumer)
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
