//go:build unix

package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/models"
)

// comer is a client that comes back as realtime/client's socket.ts does.
type comer struct {
	url, token string
	// project is what a dashboard subscribes to; "" for a visitor.
	project models.ID

	mu    sync.Mutex
	epoch string
	last  int64 // the newest event that it was told of
	wrong []string
	codes map[int]int
	// away is the longest time without a socket, lost since when it is without one now, if
	// it is, refused how often it was not let in, told how often a server said that it goes.
	away          time.Duration
	lost          time.Time
	refused, told int
	conn          *websocket.Conn
	stopped       bool
}

func (c *comer) run() {
	var attempt int
	for {
		retry, code := c.once()
		c.mu.Lock()
		if c.stopped {
			c.mu.Unlock()
			return
		}
		if code != 0 {
			c.codes[code]++
			c.lost, attempt = time.Now(), 0
		} else {
			c.refused++
		}
		c.mu.Unlock()
		time.Sleep(retry + rand.N(min(30*time.Second, 500*time.Millisecond<<attempt)))
		attempt++
	}
}

// once is one socket from its opening to its end. code is 0 where it was not let in.
func (c *comer) once() (retry time.Duration, code int) {
	header := http.Header{}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	conn, answer, err := websocket.DefaultDialer.Dial(c.url, header)
	if err != nil {
		return 0, 0
	}
	defer func() { _, _ = conn.Close(), answer.Body.Close() }()
	c.mu.Lock()
	c.conn = conn
	if c.stopped {
		_ = conn.Close()
	}
	c.away, c.lost = c.without(), time.Time{}
	err = c.subscribe(conn)
	c.mu.Unlock()
	for err == nil {
		var event struct {
			Type string
			Seq  int64
			Data struct {
				Epoch        string
				RetryAfterMS int64 `json:"retry_after_ms"`
			}
		}
		var frame []byte
		_ = conn.SetReadDeadline(time.Now().Add(40 * time.Second))
		if _, frame, err = conn.ReadMessage(); err == nil {
			err = json.Unmarshal(frame, &event)
		}
		if err != nil {
			break
		}
		c.mu.Lock()
		switch {
		case event.Type == "GoingAway":
			retry = time.Duration(event.Data.RetryAfterMS) * time.Millisecond
			c.told++
		case event.Type == "Subscribed":
			c.epoch = event.Data.Epoch
		case event.Type == "ResyncRequired":
			c.wrong = append(c.wrong, "told to begin anew: "+string(frame))
		case event.Seq > 0 && c.project != "":
			if event.Seq != c.last+1 {
				c.wrong = append(c.wrong, fmt.Sprintf("%d after %d", event.Seq, c.last))
			}
			c.last = event.Seq
		}
		c.mu.Unlock()
	}
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return retry, closed.Code
	}
	return retry, websocket.CloseAbnormalClosure
}

// without is the longest time without a socket so far, with that in which there is none
// yet. It is called with mu held.
func (c *comer) without() time.Duration {
	if c.lost.IsZero() {
		return c.away
	}
	return max(c.away, time.Since(c.lost))
}

func (c *comer) subscribe(conn *websocket.Conn) error {
	if c.project == "" {
		return nil
	}
	data := map[string]any{"project_id": c.project, "since": c.last}
	if c.last > 0 {
		data["epoch"] = c.epoch
	}
	return conn.WriteJSON(map[string]any{"type": "Subscribe", "data": data})
}

func (c *comer) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

// submitter submits one thing after another until it is told to end, each again under
// its id until it is acknowledged, as the widget's outbox does.
type submitter struct {
	url    string
	ended  chan struct{}
	acked  atomic.Int64
	again  atomic.Int64
	slow   atomic.Int64 // the longest wait for an acknowledgement, in nanoseconds
	gaveUp atomic.Int64 // submissions that were not acknowledged within patience
	client *http.Client
}

// patience is longer than a restart of all nodes.
const patience = time.Minute

func (s *submitter) run(n int) {
	for i := 0; ; i++ {
		select {
		case <-s.ended:
			return
		default:
		}
		body, err := json.Marshal(map[string]any{
			"id": models.NewID(), "resume_token": models.NewResumeToken(), "page_url": "https://shop.example/", "message": fmt.Sprintf("Writer %d, number %d", n, i),
		})
		if err != nil {
			panic(err)
		}
		began := time.Now()
		for !s.post(string(body)) {
			if time.Since(began) > patience {
				s.gaveUp.Add(1)
				return
			}
			s.again.Add(1)
			time.Sleep(50 * time.Millisecond)
		}
		s.acked.Add(1)
		for took := int64(time.Since(began)); ; {
			slow := s.slow.Load()
			if took <= slow || s.slow.CompareAndSwap(slow, took) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *submitter) post(body string) bool {
	answer, err := s.client.Post(s.url, "application/json", strings.NewReader(body))
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusCreated || answer.StatusCode == http.StatusOK
}

// TestRollingRestart restarts the nodes one by one behind the proxy, while visitors
// submit and dashboards follow. Nobody's socket ends without the server's word, all that
// was acknowledged is told to every dashboard, once and in order.
func TestRollingRestart(t *testing.T) {
	const dashboards, visitors, writers = 12, 24, 3
	c := startCluster(t, map[string]string{"EARSHOT_LIMITS": "off"})
	owner := c.Login(t, clusterOwner, clusterPassword)
	project := owner.Project()
	var comers []*comer
	var running sync.WaitGroup
	for i := range dashboards + visitors {
		one := &comer{url: "ws://" + c.Address + "/w/" + project.Key + "/socket", codes: map[int]int{}}
		if i < dashboards {
			one.url, one.token, one.project = "ws://"+c.Address+"/api/v1/socket", owner.Token, project.ID
		}
		comers = append(comers, one)
		running.Go(one.run)
	}
	defer running.Wait()
	defer func() {
		for _, one := range comers {
			one.stop()
		}
	}()
	s := &submitter{url: c.URL + "/w/" + project.Key + "/feedback", ended: make(chan struct{}), client: &http.Client{Timeout: 20 * time.Second}}
	defer s.client.CloseIdleConnections()
	var writing sync.WaitGroup
	for n := range writers {
		writing.Go(func() { s.run(n) })
	}
	end := sync.OnceFunc(func() {
		close(s.ended)
		writing.Wait()
	})
	defer end()
	time.Sleep(2 * time.Second)
	for _, n := range c.nodes {
		n.stop(t, c.grace)
		if err := n.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // what Compose takes at least to see that it is healthy
	}
	end()
	c.checkRoll(t, comers, s, project)
}

// checkRoll waits until all are back and dashboards have heard all, and holds what they saw against it.
func (c *cluster) checkRoll(t *testing.T, comers []*comer, s *submitter, project api.Project) {
	t.Helper()
	var stored struct{ Total int64 }
	owner := c.Login(t, clusterOwner, clusterPassword)
	owner.Get("/api/v1/projects/"+string(project.ID)+"/feedback?count=exact&limit=1", 200).JSON(&stored)
	if stored.Total != s.acked.Load() || s.gaveUp.Load() > 0 {
		t.Errorf("%d were not acknowledged within %v; %d submissions were acknowledged and %d are stored", s.gaveUp.Load(), patience, s.acked.Load(), stored.Total)
	}
	codes, away, refused, told := map[int]int{}, time.Duration(0), 0, 0
	for i, one := range comers {
		for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			one.mu.Lock()
			done := one.lost.IsZero() && (one.project == "" || one.last >= stored.Total)
			one.mu.Unlock()
			if done {
				break
			}
		}
		one.mu.Lock()
		if one.project != "" && one.last != stored.Total || len(one.wrong) > 0 {
			t.Errorf("dashboard %d heard of %d of %d; wrong: %v", i, one.last, stored.Total, one.wrong)
		}
		for code, n := range one.codes {
			codes[code] += n
		}
		away, refused, told = max(away, one.without()), refused+one.refused, told+one.told
		one.mu.Unlock()
	}
	t.Logf("%d acknowledged, %d sent again, the slowest after %v; sockets closed by code: %v, %d told beforehand; %d attempts not let in; longest time without a socket %v",
		s.acked.Load(), s.again.Load(), time.Duration(s.slow.Load()).Round(time.Millisecond), codes, told, refused, away.Round(time.Millisecond))
	if len(codes) != 1 || codes[websocket.CloseGoingAway] != told || told < len(comers) {
		t.Errorf("sockets were closed with %v, and %d were told beforehand; want 1001 alone, for at least %d", codes, told, len(comers))
	}
	// The server's word (3 s at most), the client's jitter, and one more try.
	if most := 6 * time.Second; away > most {
		t.Errorf("somebody was without a socket for %v, want %v at most", away, most)
	}
	if s.acked.Load() < 100 {
		t.Errorf("only %d were acknowledged", s.acked.Load())
	}
}

// A client that never comes back counts as away until now.
func TestAwayWithoutReturn(t *testing.T) {
	c := &comer{away: time.Second, lost: time.Now().Add(-time.Minute)}
	if away := c.without(); away < time.Minute {
		t.Errorf("away for %v, want a minute", away)
	}
	c.lost = time.Time{}
	if away := c.without(); away != time.Second {
		t.Errorf("away for %v once it is back, want the longest time before", away)
	}
}
