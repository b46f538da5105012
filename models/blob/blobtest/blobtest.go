// Package blobtest is a store that speaks S3, over HTTP, for tests.
package blobtest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"earshot/models/blob"
)

// Bucket is one in a store of its own.
type Bucket struct {
	Location blob.Location
	// URL is the setting that names it.
	URL    string
	refuse atomic.Bool
	hang   atomic.Bool
	done   chan struct{}
}

// Credentials are what the store takes: it does not look at them.
var Credentials = blob.Credentials{AccessKey: "test", SecretKey: "test test test"}

// Start runs a store until the test ends.
func Start(t testing.TB) *Bucket {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("feedback"); err != nil {
		t.Fatal(err)
	}
	answer := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.StdLog(log.New(io.Discard, "", 0)))).Server()
	b := &Bucket{done: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case b.hang.Load():
			<-b.done
		case b.refuse.Load():
			http.Error(w, "not now", http.StatusServiceUnavailable)
		case strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=test/"):
			answer.ServeHTTP(w, r)
		default:
			http.Error(w, "who is it?", http.StatusForbidden)
		}
	}))
	t.Cleanup(func() {
		close(b.done)
		server.Close()
	})
	b.URL = "s3://feedback/shop?endpoint=" + server.URL + "&region=eu-central-1"
	var err error
	if b.Location, err = blob.Parse(b.URL); err != nil {
		t.Fatal(err)
	}
	return b
}

// Refuse has the store answer 503, or answer again.
func (b *Bucket) Refuse(on bool) { b.refuse.Store(on) }

// Hang has the store say nothing at all until the test ends.
func (b *Bucket) Hang() { b.hang.Store(true) }
