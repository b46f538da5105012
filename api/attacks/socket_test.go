package attacks

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/models"
)

// What is refused before a socket is one.
func TestHandshake(t *testing.T) {
	at := newTarget(t)
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	with := func(more ...string) []string { return append(append([]string{}, upgrade...), more...) }
	at.run(t, at.Client(t), []attempt{
		{"key of nobody", "GET", "/w/" + models.NewProjectKey() + "/socket", nil, upgrade, 404, "not_found"},
		{"another origin", "GET", "/w/{key}/socket", nil, with("Origin", "https://evil.example"), 403, "forbidden"},
		{"no origin's page", "GET", "/w/{key}/socket", nil, with("Origin", "null"), 403, "forbidden"},
		{"no upgrade", "GET", "/w/{key}/socket", nil, nil, 426, ""},
		{"old version", "GET", "/w/{key}/socket", nil, with("Sec-WebSocket-Version", "8"), 426, ""},
		{"short key", "GET", "/w/{key}/socket", nil, with("Sec-WebSocket-Key", "c2hvcnQ="), 400, "bad_request"},
		{"key that is no base64", "GET", "/w/{key}/socket", nil, with("Sec-WebSocket-Key", "!!!"), 400, "bad_request"},
		{"protocols that nobody speaks", "GET", "/w/{key}/socket", nil, with("Sec-WebSocket-Protocol", "soap, mqtt"), 400, ""},
		{"dashboard without a ticket", "GET", "/api/v1/socket", nil, upgrade, 401, "unauthorized"},
		{"dashboard with a visitor's token", "GET", "/api/v1/socket", nil, with("Authorization", "Bearer "+at.visitor), 401, "unauthorized"},
		{"dashboard from another site", "GET", "/api/v1/socket?ticket=" + models.NewToken(), nil, with("Sec-Fetch-Site", "cross-site"), 403, "forbidden"},
		{"resume token in the address", "GET", "/w/{key}/socket?resume_token=" + at.visitor, nil, upgrade, 400, "bad_request"},
		{"POST", "POST", "/w/{key}/socket", "{}", upgrade, 405, ""},
	})
	t.Run("one more than an address may have", func(t *testing.T) {
		for range 20 {
			at.socket(t, nil)
		}
		_, answer, err := websocket.DefaultDialer.Dial("ws://"+at.Address+"/w/"+at.project.Key+"/socket", nil)
		if err == nil || answer == nil || answer.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the 21st socket: %v %v, want 429", answer, err)
		}
	})
}

// Events that are none, in order of how far they get.
func TestEvents(t *testing.T) {
	at := newTarget(t)
	submit := func(data string) string {
		return `{"type":"FeedbackSubmitted","id":"` + string(models.NewID()) + `","data":` + data + `}`
	}
	for _, tc := range []struct {
		name, frame string
		code        models.Code
	}{
		{"no JSON", `hello`, "bad_json"},
		{"nothing", ``, "bad_json"},
		{"a number", `1`, "bad_json"},
		{"no type", `{"data":{}}`, "invalid_field"},
		{"type of nobody", `{"type":"DropTables","data":{}}`, "unknown_type"},
		{"type of the other side", `{"type":"FeedbackReceived","data":{}}`, "unknown_type"},
		{"type of the dashboard", `{"type":"Subscribe","data":{"project_id":"x"}}`, "unknown_type"},
		{"member twice", `{"type":"Ping","type":"Ping","data":{}}`, "bad_json"},
		{"type in another case", `{"Type":"Ping","type":"Ping","data":{}}`, "bad_json"},
		{"too deep", `{"type":"Ping","data":` + strings.Repeat(`{"a":`, 30) + `1` + strings.Repeat(`}`, 30) + `}`, "bad_json"},
		{"lone surrogate", submit(`{"page_url":"https://shop.example/","message":"\ud800"}`), "invalid_text"},
		{"submission without an id", `{"type":"FeedbackSubmitted","data":{"page_url":"https://shop.example/","message":"x"}}`, "invalid_field"},
		{"submission with an old id", `{"type":"FeedbackSubmitted","id":"c0ffee00-0000-4000-8000-000000000000","data":{"page_url":"https://shop.example/","message":"x"}}`, "invalid_field"},
		{"submission from a script's page", submit(`{"page_url":"javascript:alert(1)","message":"x"}`), "invalid_field"},
		{"draft too long", `{"type":"DraftChanged","data":{"text":"` + strings.Repeat("x", 5001) + `"}}`, "invalid_field"},
		{"second greeting", `{"type":"Hello","data":{}}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			socket := at.socket(t, nil)
			if tc.code == "" { // the first one is right
				say(t, socket, map[string]any{"type": "Hello", "data": map[string]any{}})
			}
			if err := socket.WriteMessage(websocket.TextMessage, []byte(tc.frame)); err != nil {
				t.Fatal(err)
			}
			if e := at.answer(t, socket, "Error"); tc.code != "" && e.Data.Code != tc.code {
				t.Errorf("code = %q, want %q", e.Data.Code, tc.code)
			}
			say(t, socket, map[string]any{"type": "Ping", "data": map[string]any{}}) // it stays open
			at.answer(t, socket, "Pong")
			_ = socket.Close()
		})
	}
}

// Frames that end a socket, with the code that says why.
func TestFrames(t *testing.T) {
	at := newTarget(t)
	for _, tc := range []struct {
		name string
		send func(*websocket.Conn) error
		code int
	}{
		{"binary for JSON", func(c *websocket.Conn) error { return c.WriteMessage(websocket.BinaryMessage, []byte("{}")) }, 1003},
		{"text that is not UTF-8", func(c *websocket.Conn) error { return c.WriteMessage(websocket.TextMessage, []byte("\xff\xfe")) }, 1007},
		{"frame of 65 KiB", func(c *websocket.Conn) error {
			return c.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 65<<10)))
		}, 1009},
		{"without a mask", func(c *websocket.Conn) error { return raw(c, "\x81\x02{}") }, 1002},
		{"reserved bit", func(c *websocket.Conn) error { return raw(c, "\xf1\x82\x00\x00\x00\x00{}") }, 1002},
		{"unknown opcode", func(c *websocket.Conn) error { return raw(c, "\x83\x82\x00\x00\x00\x00{}") }, 1002},
		{"long ping", func(c *websocket.Conn) error {
			return raw(c, "\x89\xfe\x00\x80\x00\x00\x00\x00"+strings.Repeat("x", 128))
		}, 1002},
		{"ping in pieces", func(c *websocket.Conn) error { return raw(c, "\x09\x80\x00\x00\x00\x00") }, 1002},
		{"going on with nothing", func(c *websocket.Conn) error { return raw(c, "\x80\x82\x00\x00\x00\x00{}") }, 1002},
		{"length of eight exabytes", func(c *websocket.Conn) error {
			return raw(c, "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00")
		}, 1009},
		{"close with a code of nobody", func(c *websocket.Conn) error { return raw(c, "\x88\x82\x00\x00\x00\x00\x03\xec") }, 1002},
		{"eleven bad events", func(c *websocket.Conn) (err error) {
			for range 11 {
				err = c.WriteMessage(websocket.TextMessage, []byte("x"))
			}
			return err
		}, 4500},
		{"three hundred frames at once", func(c *websocket.Conn) (err error) {
			for range 300 {
				_ = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"Ping","data":{}}`))
			}
			return nil
		}, 4005},
	} {
		t.Run(tc.name, func(t *testing.T) {
			socket := at.socket(t, nil)
			if err := tc.send(socket); err != nil {
				t.Fatal(err)
			}
			for {
				_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
				if _, _, err := socket.ReadMessage(); err != nil {
					if !websocket.IsCloseError(err, tc.code) {
						t.Errorf("the socket ends with %v, want %d", err, tc.code)
					}
					break
				}
			}
			_ = socket.Close()
			at.Client(t).Get("/healthz", 200)
		})
	}
}

func raw(c *websocket.Conn, bytes string) error {
	_, err := c.NetConn().Write([]byte(bytes))
	return err
}
