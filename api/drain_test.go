package api_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
)

// Connections that say nothing more must not hold the drain; a request that
// runs is answered all the same.
func TestSilentConnectionsDoNotHoldTheDrain(t *testing.T) {
	var socket, running net.Conn
	var began time.Time
	t.Run("serve", func(sub *testing.T) {
		s := apitest.Start(sub, apitest.Unlimited, func(c *api.Config) { c.Drain = 10 * time.Second })
		owner, project := s.Project(sub)
		socket = dial(t, s, "GET /w/"+project.Key+"/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		kept := dial(t, s, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		answer, err := http.ReadResponse(bufio.NewReader(kept), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			sub.Fatalf("first request: %v", err)
		}
		_ = answer.Body.Close()
		dial(t, s, "")
		dial(t, s, "GET /healthz HTTP/1.1\r\nHo")
		dial(t, s, "POST /w/"+project.Key+"/feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
		running = dial(t, s, "GET /api/v1/projects/"+string(project.ID)+"/events?wait=20 HTTP/1.1\r\nHost: x\r\n"+
			"Authorization: Bearer "+owner.Token+"\r\n\r\n")
		time.Sleep(300 * time.Millisecond)
		began = time.Now() // the server is shut down when this returns
	})
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("shutting down took %v, want at most 4s", took)
	}
	if answer, _ := io.ReadAll(running); !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		t.Errorf("the request that ran got %.40q, want 200", answer)
	}
	heard, _ := io.ReadAll(socket)
	if text := string(heard); !strings.Contains(text, "GoingAway") || !strings.Contains(text, "\x03\xe9server is going away") {
		t.Errorf("the socket heard %q, want GoingAway and close code 1001", text)
	}
}

// A client that takes none of its answers in gets the drain time and no more.
func TestUnreadAnswersDoNotOutlastTheDrain(t *testing.T) {
	const drain = 2 * time.Second
	var began time.Time
	t.Run("serve", func(sub *testing.T) {
		s := apitest.Start(sub, apitest.Unlimited, func(c *api.Config) { c.Drain = drain })
		const ask = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
		dial(t, s, strings.Repeat(ask, 1000)) // far more than the system keeps for who reads nothing
		time.Sleep(500 * time.Millisecond)
		began = time.Now() // the server is shut down when this returns
	})
	if took := time.Since(began); took > drain+time.Second {
		t.Errorf("shutting down took %v, want about %v at most", took, drain)
	}
}

// dial opens a connection and sends what is given, of a request or of none.
func dial(t *testing.T, s *apitest.Server, sent string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	return conn
}

// A server that is told to end before it has begun to serve does not serve for ever.
func TestShutdownBeforeServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := api.New(t.Context(), api.Config{
		DataDir: t.TempDir(), BaseURL: "http://" + listener.Addr().String(), Secret: []byte("0123456789abcdef0123456789abcdef"),
		Version: "test", Log: slog.New(slog.DiscardHandler), Drain: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it still serves after 5 s")
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("its address still answers", conn.Close())
	}
}
