package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	fastws "github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/challenge"
)

// visitorSocket opens one by way of the proxy; it tells the status of a refusal.
func visitorSocket(t *testing.T, s *apitest.Server, project api.Project, address string) (*fastws.Conn, int) {
	t.Helper()
	header := http.Header{}
	if address != "" {
		header.Set("X-Forwarded-For", address)
	}
	ws, answer, err := fastws.DefaultDialer.Dial("ws://"+s.Address+"/w/"+project.Key+"/socket", header)
	if err != nil && answer == nil {
		t.Fatal(err)
	}
	if err == nil {
		t.Cleanup(func() { _ = ws.Close() })
	}
	return ws, answer.StatusCode
}

// An address may hold 20 sockets open. Those of one /64 are one party, and behind a
// trusted proxy it is the visitors who are counted; what a stranger claims is not
// believed.
func TestSocketsOfAnAddress(t *testing.T) {
	t.Parallel()
	proxy := func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	for _, tc := range []struct {
		name    string
		options []apitest.Option
		address func(n int) string
		other   string // an address that is another party
	}{
		{"IPv4", []apitest.Option{proxy}, func(int) string { return "203.0.113.7" }, "203.0.113.8"},
		{"a /64 of IPv6", []apitest.Option{proxy}, func(n int) string { return fmt.Sprintf("2001:db8:1:2:%x::1", n+1) }, "2001:db8:1:3::1"},
		{"IPv4 in IPv6", []apitest.Option{proxy}, func(n int) string { return []string{"203.0.113.7", "::ffff:203.0.113.7"}[n%2] }, "203.0.113.8"},
		{"with claims before the proxy", []apitest.Option{proxy}, func(n int) string { return fmt.Sprintf("192.0.2.%d, 203.0.113.7", n) }, "203.0.113.7, 203.0.113.8"},
		{"without a proxy", nil, func(n int) string { return fmt.Sprintf("203.0.113.%d", n) }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := apitest.Start(t, tc.options...)
			_, project := s.Project(t)
			var first *fastws.Conn
			for n := range 20 {
				ws, status := visitorSocket(t, s, project, tc.address(n))
				if status != http.StatusSwitchingProtocols {
					t.Fatalf("socket %d: %d", n+1, status)
				}
				if first == nil {
					first = ws
				}
			}
			if _, status := visitorSocket(t, s, project, tc.address(20)); status != http.StatusTooManyRequests {
				t.Errorf("socket 21: %d, want 429", status)
			}
			if tc.other != "" {
				if _, status := visitorSocket(t, s, project, tc.other); status != http.StatusSwitchingProtocols {
					t.Errorf("another party's: %d", status)
				}
			}
			_ = first.Close()
			status := 0
			for end := time.Now().Add(10 * time.Second); status != http.StatusSwitchingProtocols && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				_, status = visitorSocket(t, s, project, tc.address(21))
			}
			if status != http.StatusSwitchingProtocols {
				t.Errorf("once one is closed: %d", status)
			}
		})
	}
}

// The socket asks for a proof as the POST does, and takes the same one.
func TestChallengeOverASocket(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	ws, _ := visitorSocket(t, s, project, "")
	id := models.NewID()
	send := func(proof any) (kind string, data string) {
		t.Helper()
		body := hasty("The total is wrong")
		delete(body, "id")
		if body["proof"] = proof; proof == nil {
			delete(body, "proof")
		}
		if err := ws.WriteJSON(map[string]any{"type": "FeedbackSubmitted", "id": id, "data": body}); err != nil {
			t.Fatal(err)
		}
		_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
		for {
			var e struct {
				Type string          `json:"type"`
				Re   models.ID       `json:"re"`
				Data json.RawMessage `json:"data"`
			}
			if err := ws.ReadJSON(&e); err != nil {
				t.Fatal(err)
			}
			if e.Re == id {
				return e.Type, string(e.Data)
			}
		}
	}
	if kind, data := send(""); kind != "Error" || !strings.Contains(data, `"challenge_required"`) {
		t.Errorf("without a proof: %s %s", kind, data)
	}
	var asked api.Challenge
	s.Client(t).Get("/w/"+project.Key+"/challenge", 200).JSON(&asked)
	if kind, data := send(challenge.Solve(asked.Challenge, asked.Difficulty)); kind != "FeedbackReceived" {
		t.Errorf("with one: %s %s", kind, data)
	}
	if items := inbox(t, owner, project, ""); len(items) != 1 || items[0].ID != id {
		t.Errorf("the inbox has %+v", items)
	}
	id = models.NewID()
	if kind, data := send(nil); kind != "FeedbackReceived" {
		t.Errorf("by a client that knows no challenges: %s %s", kind, data)
	}
	if items := inbox(t, owner, project, "?quarantined=true"); len(items) != 1 || items[0].ID != id {
		t.Errorf("the quarantine has %+v", items)
	}
}
