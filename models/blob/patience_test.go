package blob

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

// every calls everything that a store does.
func every(ctx context.Context, s Store) map[string]error {
	errs := map[string]error{
		"put":    s.Put(ctx, "attachments/a", strings.NewReader("x"), 1),
		"delete": s.Delete(ctx, "attachments/a"),
	}
	content, err := s.Open(ctx, "attachments/a")
	if err == nil {
		buf := make([]byte, 64)
		for err == nil {
			_, err = content.Read(buf)
		}
		_ = content.Close()
	}
	errs["open"] = err
	for _, err := range s.List(ctx, "attachments") {
		errs["list"] = err
	}
	return errs
}

// TestBucketThatIsNotWell: whatever a bucket does, a call ends in time, and clients
// read that they may try again.
func TestBucketThatIsNotWell(t *testing.T) {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"is not there":   nil,
		"says nothing":   func(http.ResponseWriter, *http.Request) { <-end },
		"is broken":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"lets nobody in": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"is another": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("<Error><Code>NoSuchBucket</Code></Error>"))
		},
		"stops in the middle": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("<"))
			w.(http.Flusher).Flush()
			<-end
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := closed.Addr().String()
			if answer != nil {
				server := httptest.NewServer(answer)
				t.Cleanup(server.CloseClientConnections) // Close would wait for those that hang
				endpoint = server.Listener.Addr().String()
			}
			s, err := openBucket(Bucket{Name: "feedback", Endpoint: endpoint, Plain: true, Region: "r"}, Credentials{AccessKey: "a", SecretKey: "s"},
				patience{answer: 300 * time.Millisecond, pause: 500 * time.Millisecond, put: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for call, err := range every(t.Context(), s) {
				if name == "stops in the middle" && (call == "put" || call == "delete") {
					continue // those have all that they wait for
				}
				if models.CodeOf(err) != models.CodeUnavailable {
					t.Errorf("%s gives %v, want unavailable", call, err)
				}
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("four calls took %v", took)
			}
		})
	}
}
