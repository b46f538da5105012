package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// scrape reads the metrics as Prometheus does: each series with its value.
func scrape(t *testing.T, s *apitest.Server) map[string]string {
	t.Helper()
	var text strings.Builder
	if err := s.WriteMetrics(&text); err != nil {
		t.Fatal(err)
	}
	series := map[string]string{}
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		series[line[:cut]] = line[cut+1:]
	}
	return series
}

// awaitSeries waits for what is counted behind an answer.
func awaitSeries(t *testing.T, s *apitest.Server, name, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got = scrape(t, s)[name]; got == want {
			return
		}
	}
	t.Errorf("%s = %q, want %q", name, got, want)
}

func TestWhoMayReadTheMetrics(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner := s.Owner(t)
	_, reader := apiKey(t, s, owner, map[string]any{"name": "Prometheus", "scopes": []string{"metrics:read"}})
	_, other := apiKey(t, s, owner, map[string]any{"name": "CI", "scopes": []string{"feedback:read"}})
	elsewhere := stranger(t, s)
	_, elsewheres := apiKey(t, s, elsewhere, map[string]any{"name": "Prometheus", "scopes": []string{"metrics:read"}})
	for _, tc := range []struct {
		name   string
		client *apitest.Client
		status int
	}{
		{"nobody", s.Client(t), 401},
		{"the owner", owner, 200},
		{"a key with the scope", reader, 200},
		{"a key without it", other, 403},
		{"an agent", member(t, s, owner, models.RoleAgent), 403},
		{"an admin", member(t, s, owner, models.RoleAdmin), 403},
		{"the owner of another organisation", elsewhere, 403},
		{"another organisation's key", elsewheres, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := tc.client.Get("/metrics", tc.status)
			if tc.status == 200 && (!strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain; version=0.0.4") || !strings.Contains(string(r.Body), "earshot_build_info")) {
				t.Errorf("answer = %v %.200s, want the text format", r.Header, r.Body)
			}
		})
	}
}

func TestWhatIsCounted(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	s.Submit(t, project, "The total is wrong")
	s.Client(t).Post("/w/"+project.Key+"/feedback", map[string]any{"page_url": "nonsense", "message": ""}, 422)
	s.Client(t).Post("/api/v1/auth/login", login(apitest.OwnerEmail, "not the password"), 401)
	s.Client(t).Get("/nothing/here", 404)
	ws, _ := visitorSocket(t, s, project, "")
	for name, want := range map[string]string{
		`earshot_submissions_total{outcome="accepted"}`:                                       "1",
		`earshot_http_requests_total{method="POST",route="/w/:key/feedback",status="201"}`:    "1",
		`earshot_http_requests_total{method="POST",route="/w/:key/feedback",status="422"}`:    "1",
		`earshot_http_requests_total{method="GET",route="none",status="404"}`:                 "1",
		`earshot_http_request_duration_seconds_count{method="POST",route="/w/:key/feedback"}`: "2",
		`earshot_logins_total{outcome="wrong"}`:                                               "1",
		`earshot_refusals_total{code="unauthorized",way="http"}`:                              "1",
		`earshot_events_published_total`:                                                      "1",
		`earshot_sockets_open{kind="visitor"}`:                                                "1",
		`earshot_sockets_opened_total{kind="visitor"}`:                                        "1",
		`earshot_ready`:             "1",
		`earshot_write_queue_limit`: "4096",
		`earshot_jobs_open`:         "0",
		`earshot_build_info{commit="",go="` + goVersion(t, s) + `",version="test"}`: "1",
	} {
		awaitSeries(t, s, name, want)
	}
	for _, name := range []string{`earshot_commit_writes_count`, `earshot_commit_duration_seconds_count`, `earshot_disk_free_bytes`, `earshot_database_bytes{file="database"}`, "go_goroutines", "process_resident_memory_bytes"} {
		if value := scrape(t, s)[name]; value == "" || value == "0" || value == "NaN" {
			t.Errorf("%s = %q, want a figure", name, value)
		}
	}
	_ = ws.Close()
	awaitSeries(t, s, `earshot_sockets_open{kind="visitor"}`, "0")
	awaitSeries(t, s, `earshot_sockets_closed_total{code="none"}`, "1")
	var text strings.Builder
	if err := s.WriteMetrics(&text); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{project.Key, string(project.ID), owner.Token, "127.0.0.1", "nothing/here", "The total"} {
		if strings.Contains(text.String(), private) {
			t.Errorf("%q is in the metrics", private)
		}
	}
}

func goVersion(t *testing.T, s *apitest.Server) string {
	t.Helper()
	for name := range scrape(t, s) {
		if rest, ok := strings.CutPrefix(name, "go_info{version=\""); ok {
			return strings.TrimSuffix(rest, "\"}")
		}
	}
	return ""
}

// What strangers send must not make series: not their paths, their methods, nor the
// codes that they close sockets with.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	_, project := s.Project(t)
	provoke := func(n int) {
		c := s.Client(t)
		c.Do(get, fmt.Sprintf("/nothing/%d", n), nil)
		c.Do(get, fmt.Sprintf("/w/pk_%d.js", n), nil)
		c.Do(get, fmt.Sprintf("/r/receipt%d", n), nil)
		c.Do(fmt.Sprintf("M%d", n), "/", nil)
		c.Do(post, fmt.Sprintf("/api/v1/projects/%d/feedback/bulk", n), "{}")
		ws, _ := visitorSocket(t, s, project, "")
		_ = ws.WriteControl(8, []byte{byte(3000 >> 8), byte((3000 + n) & 0xff)}, time.Now().Add(time.Second))
		_, _, _ = ws.ReadMessage() // Connected
		_, _, _ = ws.ReadMessage() // the answer to the close frame
		_ = ws.Close()
	}
	provoke(0)
	awaitSeries(t, s, `earshot_sockets_closed_total{code="other"}`, "1")
	before := len(scrape(t, s))
	for n := 1; n <= 20; n++ {
		provoke(n)
	}
	awaitSeries(t, s, `earshot_sockets_closed_total{code="other"}`, "21")
	if after := len(scrape(t, s)); after != before {
		t.Errorf("there are %d series, and were %d before more of the same came", after, before)
	}
}

func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	private, err := api.ListenPrivately("127.0.0.1:0", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	private.Serve(s.Server)
	metrics, debug := private.Addresses()
	for _, tc := range []struct {
		url, host string
		status    int
		want      string
	}{
		{"http://" + metrics + "/metrics", "", 200, "earshot_http_requests_total"},
		{"http://" + metrics + "/debug/pprof/goroutine?debug=1", "", 200, "goroutine profile"},
		{"http://" + metrics + "/api/v1/me", "", 404, ""},
		{"http://" + debug + "/debug/pprof/", "", 200, "heap"},
		{"http://" + debug + "/debug/pprof/heap?debug=1", "attacker.example:6060", 403, ""},
		{"http://" + debug + "/metrics", "", 404, ""},
		{s.URL + "/debug/pprof/", "", 404, ""},
	} {
		s.Client(t).Get("/healthz", 200)
		request, err := http.NewRequestWithContext(t.Context(), get, tc.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = tc.host
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != tc.status || !strings.Contains(string(body), tc.want) {
			t.Errorf("%s = %d %.100q, want %d and %q", tc.url, answer.StatusCode, body, tc.status, tc.want)
		}
	}
}

// Profiles tell what is in memory: metrics for a whole network bring none along.
func TestNoProfilesOnANetwork(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	private, err := api.ListenPrivately("0.0.0.0:0", "")
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	private.Serve(s.Server)
	metrics, _ := private.Addresses()
	_, port, _ := strings.Cut(metrics, "]:")
	if port == "" {
		_, port, _ = strings.Cut(metrics, ":")
	}
	for path, want := range map[string]int{"/metrics": 200, "/debug/pprof/": 404} {
		answer, err := http.Get("http://127.0.0.1:" + port + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s = %d, want %d", path, answer.StatusCode, want)
		}
	}
}

func TestReadyTellsWhy(t *testing.T) {
	t.Parallel()
	folder := ""
	s := apitest.Start(t, func(c *api.Config) { folder = c.DataDir })
	s.Client(t).Get("/readyz", 200)
	away := filepath.Join(filepath.Dir(folder), "away")
	if err := os.Rename(folder, away); err != nil {
		t.Fatal(err)
	}
	problem := s.Client(t).Get("/readyz", 503).Problem()
	if problem.Code != models.CodeUnavailable || len(problem.Errors) != 1 || problem.Errors[0].Path != "disk" {
		t.Errorf("problem = %+v, want unavailable for the disk", problem)
	}
	s.Client(t).Get("/healthz", 200) // a process that is restarted for that is no better
	if err := os.Rename(away, folder); err != nil {
		t.Fatal(err)
	}
	s.Client(t).Get("/readyz", 200)
}

func TestReadySaysThatItDrains(t *testing.T) {
	t.Parallel()
	reasons := make(chan []models.FieldError, 1)
	t.Run("serve", func(sub *testing.T) {
		s := apitest.Start(sub)
		_, project := s.Project(sub)
		visitorSocket(t, s, project, "") // does not answer, so the drain takes its time
		c := s.Client(t)
		go func() {
			for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if r := c.Do(get, "/readyz", nil); r.Status == 503 {
					reasons <- r.Problem().Errors
					return
				}
			}
			reasons <- nil
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		<-ctx.Done()
	})
	if got := <-reasons; len(got) != 1 || got[0].Path != "draining" {
		t.Errorf("reasons = %+v, want draining", got)
	}
}
