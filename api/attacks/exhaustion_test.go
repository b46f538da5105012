package attacks

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api/apitest"
	"earshot/models"
)

// Whoever takes their time, or as much as they can, takes nothing from others.
func TestExhaustion(t *testing.T) {
	at := newTarget(t, apitest.Unlimited)
	head := "POST /w/" + at.project.Key + "/feedback HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, begin := range map[string]string{
		"clients that say nothing":         "",
		"clients that never end a line":    "GET / HTT",
		"clients that never end a header":  head,
		"clients that never send the body": head + "Content-Length: 1000\r\n\r\n{",
		"chunks that never end":            head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var idle []net.Conn
			for range 200 {
				conn, err := net.Dial("tcp", at.Address)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				if _, err := io.WriteString(conn, begin); err != nil {
					t.Fatal(err)
				}
				idle = append(idle, conn)
			}
			began := time.Now()
			at.Client(t).Get("/healthz", 200)
			at.Submit(t, at.project, "A person's")
			if took := time.Since(began); took > time.Second {
				t.Errorf("others waited for %v", took)
			}
			// They are cut off: 10 seconds are what a request gets.
			_ = idle[0].SetReadDeadline(time.Now().Add(15 * time.Second))
			if begin == "" {
				return // a connection may be kept for a minute
			}
			if _, err := io.ReadAll(idle[0]); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("the connection is still open: %v", err)
			}
		})
	}
	t.Run("passwords, a hundred at once", func(t *testing.T) {
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at.URL+"/api/v1/auth/login", strings.NewReader(`{"email":"owner@example.com","password":"not the password"}`))
				if err != nil {
					return
				}
				request.Header.Set("Content-Type", "application/json")
				if answer, err := http.DefaultClient.Do(request); err == nil {
					_ = answer.Body.Close()
				}
			})
		}
		time.Sleep(50 * time.Millisecond)
		began := time.Now()
		at.Client(t).Get("/healthz", 200)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("others waited for %v", took)
		}
		all.Wait()
	})
	t.Run("drafts of ten thousand sessions", func(t *testing.T) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		const atOnce = 100
		for range 10_000 / atOnce {
			var some sync.WaitGroup
			for range atOnce {
				some.Go(func() {
					socket, answered, err := websocket.DefaultDialer.Dial("ws://"+at.Address+"/w/"+at.project.Key+"/socket", nil)
					if err != nil {
						t.Error(err)
						return
					}
					_ = answered.Body.Close()
					say(t, socket, map[string]any{"type": "Hello", "data": map[string]any{"resume_token": models.NewResumeToken()}})
					say(t, socket, map[string]any{"type": "DraftChanged", "data": map[string]any{"text": strings.Repeat("x", 4000), "shared": true}})
					at.answer(t, socket, "DraftAccepted")
					_ = socket.Close()
				})
			}
			some.Wait()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
			t.Errorf("the heap has grown by %d MiB, want at most 32", grown>>20)
		}
	})
}
