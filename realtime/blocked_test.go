package realtime

import (
	"strings"
	"testing"
	"time"

	"earshot/models"
)

// What a blocked visitor does is not shown, from the moment they are blocked or
// known again, until the block is lifted.
func TestBlockedVisitorIsNotShown(t *testing.T) {
	h := start(t, true)
	d := h.dial("/dashboard")
	h.subscribe(d, map[string]any{})
	token := models.NewToken()
	page := func(name string) map[string]any {
		return map[string]any{"text": "a draft on " + name, "shared": true, "page_url": "https://shop.example/" + name}
	}
	v, other := h.dial("/visitor"), h.dial("/visitor")
	v.send("Hello", "", map[string]any{"resume_token": token, "page_url": "https://shop.example/cart"})
	other.send("Hello", "", map[string]any{"page_url": "https://shop.example/cart"})
	seesPages(t, d, "/cart 2")
	block, err := h.store.CreateBlock(t.Context(), h.scope, models.Block{
		ProjectID: h.project.ID, Kind: models.BlockSession, Value: models.SessionValue(models.HashResumeToken(token)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.server.ReviewVisitors(h.project.ID)
	seesPages(t, d, "/cart 1")
	v.send("DraftChanged", "", page("secret"))
	v.want("DraftAccepted")
	again := h.dial("/visitor")
	again.send("Hello", "", map[string]any{"resume_token": token, "page_url": "https://shop.example/again"})
	again.send("DraftChanged", "", page("secret"))
	again.want("DraftAccepted")
	other.send("DraftChanged", "", page("tea"))
	for shown := false; !shown; {
		e := d.next()
		if strings.Contains(string(e.Data), "secret") {
			t.Fatalf("the dashboard was told %s of a blocked visitor", e.Data)
		}
		shown = e.Type == "DraftChanged" && strings.Contains(string(e.Data), "tea")
	}
	visitors := func() int {
		h.hub.mu.RLock()
		defer h.hub.mu.RUnlock()
		return h.hub.topics[h.project.ID].presence.visitors
	}
	if n := visitors(); n != 1 {
		t.Errorf("%d visitors are counted, want the one who is not blocked", n)
	}
	if _, err := h.store.DeleteBlock(t.Context(), h.scope, block.ID); err != nil {
		t.Fatal(err)
	}
	h.server.ReviewVisitors(h.project.ID)
	if n := visitors(); n != 3 {
		t.Errorf("%d visitors are counted once the block is lifted, want 3", n)
	}
	_ = v.ws.Close()
	for end := time.Now().Add(wait); visitors() != 2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if n := visitors(); n != 2 {
		t.Errorf("%d visitors are counted after one has left", n)
	}
}
