package cluster

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"earshot/models"
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

func (j *journal) lines(level string) (lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, "level="+level) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// await waits until there are that many lines of a level.
func (j *journal) await(t *testing.T, level string, count int) []string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got := j.lines(level); len(got) >= count {
			return got
		}
	}
	t.Fatalf("there are the lines %q of %s, want %d", j.lines(level), level, count)
	return nil
}

// joinAt is a node of nobody's hub.
func joinAt(t *testing.T, url string) (*Node, *journal) {
	t.Helper()
	log := &journal{}
	n, err := Join(Options{
		URL: url, Realm: "realm", Log: slog.New(slog.NewTextHandler(log, nil)), Store: &ledger{all: map[models.ID][]models.LogEntry{}}, Hub: &ear{},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n, log
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// attempts is time for several of them.
const attempts = 2 * time.Second

// A server that starts without NATS says so once, however often it tries, and again when
// it is there.
func TestNATSThatIsAwayAtTheStart(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	n, log := joinAt(t, "nats://us:sEcret@"+address)
	log.await(t, "WARN", 1)
	time.Sleep(attempts)
	warnings := log.lines("WARN")
	if len(warnings) != 1 || !strings.Contains(warnings[0], "NATS cannot be reached; other nodes are heard of by their log") ||
		!strings.Contains(warnings[0], "connection refused") || strings.Contains(warnings[0], "sEcret") {
		t.Errorf("the warnings are %q, want one with the cause", warnings)
	}
	if n.Connected() || len(log.lines("INFO")) > 0 {
		t.Errorf("connected to nobody: %q", log.lines("INFO"))
	}
	broker(t, address)
	if told := log.await(t, "INFO", 1); !strings.Contains(told[0], "NATS is connected") || !n.Connected() {
		t.Errorf("said %q, connected: %v", told, n.Connected())
	}
	if got := log.lines("WARN"); len(got) != 1 {
		t.Errorf("the warnings are %q", got)
	}
}

// A password that NATS does not take is said once, and tried until it does.
func TestNATSThatLetsNobodyIn(t *testing.T) {
	t.Parallel()
	var options *server.Options
	closed := natstest.New(t, func(o *server.Options) {
		o.Username, o.Password = "us", "another"
		options = o
	})
	n, log := joinAt(t, fmt.Sprintf("nats://us:sEcret@%s", closed.Addr()))
	log.await(t, "WARN", 1)
	time.Sleep(attempts)
	warnings := log.lines("WARN")
	if len(warnings) != 1 || !strings.Contains(strings.ToLower(warnings[0]), "authorization violation") || strings.Contains(warnings[0], "sEcret") {
		t.Errorf("the warnings are %q, want one", warnings)
	}
	mended := options.Clone()
	mended.Password = "sEcret"
	if err := closed.ReloadOptions(mended); err != nil {
		t.Fatal(err)
	}
	log.await(t, "INFO", 1)
	if !n.Connected() {
		t.Error("not connected with the right password")
	}

	// Once it was there, the same, and nothing is said of each attempt.
	if err := closed.ReloadOptions(options); err != nil {
		t.Fatal(err)
	}
	time.Sleep(attempts)
	if got := log.lines("WARN"); len(got) < 2 || len(got) > 4 || n.Connected() {
		t.Errorf("the warnings are %q", got)
	}
	if err := closed.ReloadOptions(mended); err != nil {
		t.Fatal(err)
	}
	if told := log.await(t, "INFO", 2); !strings.Contains(told[1], "NATS is back") {
		t.Errorf("said %q", told)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	_, url := broker(t, "")
	locked := natstest.New(t, func(o *server.Options) { o.Username, o.Password = "us", "another" })
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for _, tc := range []struct {
		address, want string
		refused       bool
	}{
		{url, "", false},
		{"nats://us:sEcret@" + locked.Addr().String(), "authorization violation", true},
		{"nats://us:sEcret@" + freeAddress(t), "connection refused", false},
		{"nats://us:sEcret@" + silent.Addr().String(), "timeout", false},
	} {
		servers, err := Servers(tc.address)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		found, err := Probe(t.Context(), servers[0])
		if took := time.Since(began); took > probeTimeout+time.Second {
			t.Errorf("%s took %v", servers[0].Name, took)
		}
		if tc.want == "" {
			if err != nil || found.Version != server.VERSION || found.RoundTrip <= 0 {
				t.Errorf("%+v, %v", found, err)
			}
			continue
		}
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), tc.want) || IsRefusal(err) != tc.refused || strings.Contains(err.Error()+servers[0].Name, "sEcret") {
			t.Errorf("%s: %v, want %q", servers[0].Name, err, tc.want)
		}
	}
}
