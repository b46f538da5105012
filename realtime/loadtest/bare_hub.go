package main

import (
	"fmt"
	"sync"
	"time"

	fasthttp "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// bareHub tells dashboards what was committed, one after the other, and waits
// for each: the hub that everybody writes first.
type bareHub struct {
	mu         sync.Mutex
	seq        int64
	dashboards map[*bareDashboard]struct{}
}

type bareDashboard struct{ conn *fasthttp.Conn }

// bareWait is how long the hub waits for one dashboard before it gives it up.
const bareWait = 2 * time.Second

func (h *bareHub) handler() fiber.Handler { return websocket.New(h.serve) }

func (h *bareHub) serve(c *websocket.Conn) {
	if c.WriteMessage(websocket.TextMessage, []byte(`{"type":"Connected"}`)) != nil {
		return
	}
	if _, _, err := c.ReadMessage(); err != nil {
		return
	}
	d := &bareDashboard{conn: c.Conn}
	if h.join(d) != nil {
		return
	}
	defer h.leave(d)
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
	}
}

func (h *bareHub) join(d *bareDashboard) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dashboards[d] = struct{}{}
	return d.conn.WriteMessage(websocket.TextMessage,
		fmt.Appendf(nil, `{"type":"Subscribed","data":{"project_id":"bare","epoch":"bare","head":%d}}`, h.seq))
}

func (h *bareHub) leave(d *bareDashboard) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.dashboards, d)
}

// publish is called by the writer, after the commit.
func (h *bareHub) publish(batch []*bareWrite) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range batch {
		h.seq++
		event := fmt.Appendf(nil, `{"type":"FeedbackReceived","epoch":"bare","seq":%d,"data":{"id":"%s","message":"%s"}}`, h.seq, w.ID, w.Data.Message)
		for d := range h.dashboards {
			_ = d.conn.SetWriteDeadline(time.Now().Add(bareWait))
			if d.conn.WriteMessage(websocket.TextMessage, event) != nil {
				delete(h.dashboards, d)
				_ = d.conn.SetReadDeadline(time.Now()) // ends its handler
			}
		}
	}
}
