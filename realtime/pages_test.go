package realtime

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"earshot/realtime/protocol"
)

func TestPageOf(t *testing.T) {
	for _, tc := range []struct{ address, want string }{
		{"https://shop.example/cart?email=a@example.com#x", "https://shop.example/cart"},
		{"https://user:secret@shop.example/a%2Fb", "https://shop.example/a%2Fb"},
		{"/cart", ""},
		{"https://shop.example/" + strings.Repeat("x", maxPage), ""},
		{"%", ""},
	} {
		if got := pageOf(tc.address); got != tc.want {
			t.Errorf("pageOf(%q) = %q, want %q", tc.address, got, tc.want)
		}
	}
}

func TestPagesAreBounded(t *testing.T) {
	p := pages{}
	for n := range 30 {
		p[fmt.Sprintf("https://shop.example/%02d", n)] = 1 + n%3
	}
	most := p.most()
	if len(most) != shownPages || most[0].Visitors != 3 || most[0].PageURL != "https://shop.example/02" || most[19].Visitors != 2 {
		t.Errorf("most = %+v", most)
	}
}

// Staff see on which pages visitors are, and when they have gone on or left.
func TestVisitorsPages(t *testing.T) {
	h := start(t, true)
	d := h.dial("/dashboard")
	h.subscribe(d, map[string]any{})
	sees := func(want string) { t.Helper(); seesPages(t, d, want) }
	one, two := h.dial("/visitor"), h.dial("/visitor")
	one.send("Hello", "", map[string]any{"page_url": "https://shop.example/cart?x=1"})
	two.send("Hello", "", map[string]any{"page_url": "https://shop.example/cart"})
	sees("/cart 2")
	two.send("DraftChanged", "", map[string]any{"text": "hm", "page_url": "https://shop.example/tea"})
	sees("/cart 1, /tea 1")
	_ = one.ws.Close()
	sees("/tea 1")
	_ = two.ws.Close()
	sees("")
	three := h.dial("/visitor")
	three.send("Hello", "", map[string]any{"page_url": "javascript:alert(1)"})
	if e := three.want("Error"); !strings.Contains(string(e.Data), "invalid_field") {
		t.Errorf("a bad page is answered %s", e.Data)
	}
}

// seesPages waits until a dashboard is told of these pages.
func seesPages(t *testing.T, d *client, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		e := d.next()
		if e.Type != "PresenceState" && e.Type != "PresenceDiff" {
			continue
		}
		var presence protocol.PresenceState
		if err := json.Unmarshal(e.Data, &presence); err != nil {
			t.Fatal(err)
		}
		var pages []string
		for _, p := range presence.Pages {
			pages = append(pages, fmt.Sprint(strings.TrimPrefix(p.PageURL, "https://shop.example"), " ", p.Visitors))
		}
		if strings.Join(pages, ", ") == want {
			return
		}
	}
	t.Fatalf("never saw %q", want)
}
