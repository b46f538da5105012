package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/fxamacker/cbor/v2"
	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/realtime/protocol"
)

// dialEncoded offers sub-protocols and wants one of them, or none.
func (h *harness) dialEncoded(path string, offered []string, want string) *websocket.Conn {
	h.t.Helper()
	dialer := websocket.Dialer{Subprotocols: offered}
	ws, response, err := dialer.Dial("ws://"+h.addr+path, nil)
	if err != nil {
		h.t.Fatalf("dial %s offering %q: %v", path, offered, err)
	}
	_ = response.Body.Close()
	if got := response.Header.Get("Sec-WebSocket-Protocol"); got != want {
		h.t.Fatalf("the server chose %q of %q, want %q", got, offered, want)
	}
	h.t.Cleanup(func() { _ = ws.Close() })
	_ = ws.SetReadDeadline(time.Now().Add(wait))
	return ws
}

// cborEvent reads one event of a socket that speaks CBOR.
func cborEvent(t *testing.T, ws *websocket.Conn) (kind string, event map[string]any) {
	t.Helper()
	frame, data, err := ws.ReadMessage()
	if err != nil || frame != websocket.BinaryMessage {
		t.Fatalf("got frame %d (%v), want a binary one", frame, err)
	}
	if err := cbor.Unmarshal(data, &event); err != nil {
		t.Fatalf("%x: %v", data, err)
	}
	kind, _ = event["type"].(string)
	return kind, event
}

func sendCBOR(t *testing.T, ws *websocket.Conn, event any) {
	t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	frame, ok, err := protocol.Transcode(protocol.CBOR, text)
	if err != nil || !ok || ws.WriteMessage(websocket.BinaryMessage, frame) != nil {
		t.Fatalf("send %s as CBOR: %v", text, err)
	}
}

func TestCBORSockets(t *testing.T) {
	h := start(t, true)
	dashboard := h.dialEncoded("/dashboard", []string{"other", protocol.SubprotocolCBOR, protocol.SubprotocolJSON}, protocol.SubprotocolCBOR)
	inJSON := h.dial("/dashboard")
	h.subscribe(inJSON, map[string]any{})
	sendCBOR(t, dashboard, map[string]any{"type": "Subscribe", "id": "s", "data": map[string]any{"project_id": h.project.ID}})
	for kind := ""; kind != "PresenceState"; kind, _ = cborEvent(t, dashboard) {
	}
	visitor := h.dialEncoded("/visitor", []string{protocol.SubprotocolCBOR}, protocol.SubprotocolCBOR)
	if kind, _ := cborEvent(t, visitor); kind != "Connected" {
		t.Fatalf("got %s, want Connected", kind)
	}
	id := models.NewID()
	sendCBOR(t, visitor, map[string]any{"type": "FeedbackSubmitted", "id": id, "data": map[string]any{"page_url": "https://a.example/", "message": "hello"}})
	if kind, event := cborEvent(t, visitor); kind != "FeedbackReceived" || event["re"] != string(id) {
		t.Fatalf("got %s %v, want FeedbackReceived for %s", kind, event, id)
	}
	kind, event := cborEvent(t, dashboard)
	for strings.HasPrefix(kind, "Presence") || kind == "DraftChanged" {
		kind, event = cborEvent(t, dashboard)
	}
	if kind != "FeedbackReceived" || event["seq"] != uint64(1) {
		t.Errorf("the dashboard got %s %v, want FeedbackReceived with seq 1", kind, event)
	}
	inJSON.wantSeqs(1, 1)
	if err := visitor.WriteMessage(websocket.TextMessage, []byte(`{"type":"Ping","data":{}}`)); err != nil {
		t.Fatal(err)
	}
	var closed *websocket.CloseError
	if _, _, err := visitor.ReadMessage(); !errors.As(err, &closed) || closed.Code != int(protocol.CloseUnsupported) {
		t.Errorf("a text frame on it gives %v, want close code %d", err, protocol.CloseUnsupported)
	}
}

func TestExternalTaggingOnASocket(t *testing.T) {
	h := start(t, true)
	for name, frame := range map[string]int{"text": websocket.TextMessage, "binary": websocket.BinaryMessage} {
		t.Run(name, func(t *testing.T) {
			ws := h.dialEncoded("/visitor?tagging=external", nil, "")
			_, connected, err := ws.ReadMessage()
			if err != nil || !strings.HasPrefix(string(connected), `{"Connected":{"session_id":"`) {
				t.Fatalf("got %s (%v), want Connected", connected, err)
			}
			for _, tc := range []struct{ say, want string }{
				{`{"DraftChanged":{"text":"It is broken"}}`, "DraftAccepted"},
				{`{"FeedbackSubmitted":{"page_url":"https://a.example/","message":"It is broken"}}`, `{"FeedbackReceived":{"id":"`},
				{`{"Nope":{}}`, `{"Error":{"message":"`},
			} {
				if err := ws.WriteMessage(frame, []byte(tc.say)); err != nil {
					t.Fatal(err)
				}
				kind, data, err := ws.ReadMessage()
				if err != nil || kind != frame || !strings.Contains(string(data), tc.want) {
					t.Errorf("%s is answered by frame %d %s (%v), want frame %d %s", tc.say, kind, data, err, frame, tc.want)
				}
			}
		})
	}
}

func TestRecvEndsWithItsContext(t *testing.T) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	Prepare(app)
	transport := NewTransport(slog.New(slog.DiscardHandler))
	heard := make(chan error, 3)
	ended := make(chan struct{})
	app.Get("/", func(c *fiber.Ctx) error {
		return Upgrade(transport, c, protocol.VisitorClient, protocol.VisitorServer,
			func(s *Socket[protocol.VisitorClientEvent, protocol.VisitorServerEvent]) error {
				defer close(ended)
				short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
				defer cancel()
				for _, ctx := range []context.Context{short, short, context.Background()} {
					_, err := s.Recv(ctx)
					heard <- err
				}
				return nil
			})
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	ws, response, err := websocket.DefaultDialer.Dial("ws://"+listener.Addr().String()+"/", http.Header{})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for range 2 {
		if err := <-heard; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Recv gives %v, want its context's error", err)
		}
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(`{"type":"Ping","data":{}}`)); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err != nil {
		t.Errorf("Recv gives %v after it was given up twice, want the event", err)
	}
	<-ended
	var closed *websocket.CloseError
	if _, _, err := ws.ReadMessage(); !errors.As(err, &closed) || closed.Code != int(protocol.CloseNormal) {
		t.Errorf("the end of the handler gives %v, want close code %d", err, protocol.CloseNormal)
	}
	_ = ws.Close()
	for open := 1; open > 0; time.Sleep(time.Millisecond) {
		transport.mu.Lock()
		open = len(transport.sockets)
		transport.mu.Unlock()
	}
	transport.Close()
	if err := errors.Join(app.Shutdown(), <-served); err != nil {
		t.Error(err)
	}
}
