package api_test

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models/blob"
	"earshot/realtime/cluster/natstest"
)

// journal is a log that is read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// count is how many lines have all of these in them.
func (j *journal) count(words ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		has := true
		for _, word := range words {
			has = has && strings.Contains(line, word)
		}
		if has {
			n++
		}
	}
	return n
}

func TestMetricsSayWhetherNATSIsThere(t *testing.T) {
	t.Parallel()
	awaitSeries(t, apitest.Start(t), "earshot_nats_connected", "NaN")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	log := &journal{}
	s := apitest.Start(t, func(c *api.Config) {
		c.NATS, c.Files, c.Log = "nats://"+listener.Addr().String(), blob.Location{Folder: t.TempDir()}, slog.New(slog.NewTextHandler(log, nil))
	})
	awaitSeries(t, s, "earshot_nats_connected", "0")
	natstest.New(t, func(o *server.Options) { o.Port = port })
	awaitSeries(t, s, "earshot_nats_connected", "1")
	for end := time.Now().Add(5 * time.Second); log.count("level=INFO", "NATS is connected") == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if warned, told := log.count("level=WARN", "NATS cannot be reached"), log.count("level=INFO", "NATS is connected"); warned != 1 || told != 1 {
		t.Errorf("%d warnings and %d words of its coming, want one of each", warned, told)
	}
	if n := log.count("EARSHOT_BLOB_URL"); n != 0 {
		t.Errorf("%d warnings about files that are shared", n)
	}
}

// Files on the disk of one server of several are warned of.
func TestFilesOfOneServerAlone(t *testing.T) {
	t.Parallel()
	for nats, want := range map[string]int{"": 0, "nats://127.0.0.1:1": 1} {
		log := &journal{}
		apitest.Start(t, func(c *api.Config) { c.NATS, c.Log = nats, slog.New(slog.NewTextHandler(log, nil)) })
		if n := log.count("level=WARN", "EARSHOT_BLOB_URL"); n != want {
			t.Errorf("with NATS at %q there are %d warnings, want %d", nats, n, want)
		}
	}
}
