package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	ownerEmail    = "owner@example.com"
	ownerPassword = "a long password of the owner"
)

// server is the real program as a child process. It can be killed and started again on the same port and data.
type server struct {
	t     *testing.T
	dir   string
	addr  string
	base  string
	args  []string
	cmd   *exec.Cmd
	out   *output
	http  *http.Client
	token string

	owner, password string
}

// output collects what a process writes while others read it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// setupLink finds the one-time link that a server without an owner prints.
func (s *server) setupLink() string {
	s.t.Helper()
	return s.printed(`(http://\S+/setup#\S+)`)
}

// printed finds what the first group of a pattern matches in the server's output. The server prints when it is ready,
// which is no later than a moment after its address answers.
func (s *server) printed(pattern string) (found string) {
	s.t.Helper()
	eventually(s.t, "the server prints "+pattern, func() (bool, string) {
		match := regexp.MustCompile(pattern).FindStringSubmatch(s.out.String())
		if match != nil {
			found = match[1]
		}
		return match != nil, s.out.String()
	})
	return found
}

// newDemo starts a server with the demo's shop and feedback, its owner signed in.
func newDemo(t *testing.T) *server {
	t.Helper()
	s := freshServer(t, "--demo")
	s.owner, s.password = "demo@example.com", s.printed(`Password +(\S+)`)
	s.signIn()
	return s
}

func (s *server) demoProject() project {
	s.t.Helper()
	var list struct {
		Items []project `json:"items"`
	}
	s.call("GET", "/api/v1/projects", nil, &list)
	return list.Items[0]
}

// newServer starts a server that has an owner, who is signed in at its API.
func newServer(t *testing.T) *server {
	t.Helper()
	s := freshServer(t, "--admin-email="+ownerEmail, "--admin-password="+ownerPassword)
	s.owner, s.password = ownerEmail, ownerPassword
	s.signIn()
	return s
}

// freshServer starts a server on an empty folder.
func freshServer(t *testing.T, args ...string) *server {
	t.Helper()
	if chromium() == "" {
		unavailable(t, "there is no Chromium")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := freeAddress(t)
	s := &server{
		t: t, dir: t.TempDir(), addr: addr, base: "http://" + addr,
		// A test sends more in a second than a person in an hour.
		args: append(args, "--limits=off"),
		http: &http.Client{Jar: jar, Timeout: patience},
	}
	s.start()
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
		if t.Failed() {
			t.Logf("the server wrote:\n%s", s.out)
		}
	})
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *server) start() {
	s.t.Helper()
	s.out = &output{}
	s.cmd = exec.Command(binary, s.args...)
	s.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir,
		"EARSHOT_ADDR=" + s.addr, "EARSHOT_BASE_URL=" + s.base, "EARSHOT_DATA=" + s.dir,
	}
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the server is ready", func() (bool, string) {
		answer, err := s.http.Get(s.base + "/readyz")
		if err != nil {
			return false, err.Error() + "\n" + s.out.String()
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK, answer.Status
	})
}

// kill ends the process as a power cut would.
func (s *server) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Errorf("kill the server: %v", err)
	}
	_ = s.cmd.Wait() // "signal: killed" is what was asked for
	s.cmd = nil
}

// eventually polls until the condition holds; the text it returns says what was there instead.
func eventually(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, got := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v until %s; got %s", patience, what, got)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// call sends a request as the signed-in owner and decodes the answer.
func (s *server) call(method, path string, body, into any) {
	s.t.Helper()
	status, answer := s.try(method, path, body)
	if status >= 300 {
		s.t.Fatalf("%s %s: got %d %s, want success", method, path, status, answer)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer, into); err != nil {
		s.t.Fatalf("%s %s: decode %s: %v", method, path, answer, err)
	}
}

func (s *server) try(method, path string, body any) (status int, answer []byte) {
	s.t.Helper()
	payload, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequest(method, s.base+path, bytes.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	if body == nil {
		request.Body, request.ContentLength = http.NoBody, 0
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.http.Do(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (s *server) signIn() {
	s.t.Helper()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	s.call("POST", "/api/v1/auth/login", map[string]string{"email": s.owner, "password": s.password}, &answer)
	s.token = answer.AccessToken
}

type project struct {
	ID      string `json:"id"`
	Key     string `json:"key"`
	Snippet string `json:"snippet"`
}

type settings map[string]any

// project creates a project that the origins may use, with settings other than the usual ones.
func (s *server) project(changes settings, origins ...string) project {
	s.t.Helper()
	var p project
	s.call("POST", "/api/v1/projects", map[string]any{"name": "Test shop", "allowed_origins": origins}, &p)
	if changes != nil {
		s.call("PATCH", "/api/v1/projects/"+p.ID, map[string]any{"settings": changes}, &p)
	}
	return p
}

type feedback struct {
	ID      string         `json:"id"`
	Message string         `json:"message"`
	PageURL string         `json:"page_url"`
	Status  string         `json:"status"`
	Kind    string         `json:"kind"`
	Rev     int            `json:"rev"`
	Context map[string]any `json:"context"`
}

// feedback lists what the server has, oldest first.
func (s *server) feedback(p project) []feedback {
	s.t.Helper()
	var list struct {
		Items []feedback `json:"items"`
	}
	s.call("GET", "/api/v1/projects/"+p.ID+"/feedback?limit=200&sort=created_at", nil, &list)
	return list.Items
}

// messages lists the texts that the server has, oldest first.
func (s *server) messages(p project) string {
	s.t.Helper()
	var texts []string
	for _, item := range s.feedback(p) {
		texts = append(texts, item.Message)
	}
	return strings.Join(texts, " | ")
}

// item reads one item in full.
func (s *server) item(id string) (item feedback) {
	s.t.Helper()
	s.call("GET", "/api/v1/feedback/"+id, nil, &item)
	return item
}

// submit sends feedback as a visitor without a browser would.
func (s *server) submit(p project, message string, more map[string]any) string {
	s.t.Helper()
	body := map[string]any{"message": message, "page_url": "https://shop.example/cart"}
	for name, value := range more {
		body[name] = value
	}
	var answer struct {
		ID string `json:"id"`
	}
	s.call("POST", "/w/"+p.Key+"/feedback", body, &answer)
	return answer.ID
}

func (s *server) inbox(p project) string { return fmt.Sprintf("%s/projects/%s/inbox", s.base, p.ID) }
