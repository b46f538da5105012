//go:build unix

package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models/blob/blobtest"
	"earshot/models/store/postgrestest"
	"earshot/realtime/cluster/natstest"
)

func ask(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func moduleVersion(t *testing.T, module string) string {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(module) + ` v(\S+)`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("go.mod has no %s", module)
	}
	return string(found[1])
}

// node is one server of compose.yaml, as a process.
type node struct {
	address string
	binary  string
	env     []string
	command *exec.Cmd
	said    *bytes.Buffer
}

// start returns once the node takes requests. It may be called by any goroutine.
func (n *node) start(ctx context.Context) error {
	n.said = &bytes.Buffer{}
	command := exec.Command(n.binary)
	command.Env, command.Stdout, command.Stderr = n.env, n.said, n.said
	if err := command.Start(); err != nil {
		return err
	}
	n.command = command
	return answers(ctx, "http://"+n.address+"/readyz", 30*time.Second)
}

// stop is what Docker does, with the time that compose.yaml gives.
func (n *node) stop(t *testing.T, grace time.Duration) {
	t.Helper()
	if err := n.command.Process.Signal(syscall.SIGTERM); err != nil { // how it ended, Wait says
		t.Errorf("end the node: %v", err)
	}
	late := time.AfterFunc(grace, func() { _ = n.command.Process.Kill() })
	defer late.Stop()
	if err := n.command.Wait(); err != nil {
		t.Errorf("the node ended with %v:\n%s", err, n.said)
	}
}

// cluster is what compose.yaml starts with the profile nodes, on this machine.
type cluster struct {
	*apitest.Server // by way of the proxy; there is no api.Server in it
	nodes           []*node
	grace           time.Duration
}

const clusterOwner, clusterPassword = "owner@example.com", "correct horse battery staple"

// startCluster runs the servers with the environment and the proxy with the
// configuration of compose.yaml. What differs is where each is to be found, and that
// there is an owner.
func startCluster(t *testing.T, further map[string]string) *cluster {
	t.Helper()
	if wanted, _, err := postgrestest.Wanted(); err != nil || !wanted {
		if err != nil {
			t.Fatal(err)
		}
		t.Skip("there is no PostgreSQL; EARSHOT_TEST_POSTGRES=required makes this a failure")
	}
	caddy := tool(t, "caddy")
	dir := t.TempDir()
	binary := filepath.Join(dir, "earshot")
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	broker := natstest.New(t)
	files := blobtest.Start(t)
	database := postgrestest.Database(t, "", nil)
	address := "127.0.0.1:" + freePort(t)
	project := severalNodes(t, "http://"+address)
	c := &cluster{Server: &apitest.Server{URL: "http://" + address, Address: address}}
	caddyfile := project.Configs["caddyfile"].Content
	for i, name := range nodesOf {
		n := &node{address: "127.0.0.1:" + freePort(t), binary: binary}
		here := map[string]string{
			"EARSHOT_ADDR": n.address, "EARSHOT_DATA": filepath.Join(dir, name), "EARSHOT_METRICS_ADDR": "", "EARSHOT_TRUSTED_PROXIES": "127.0.0.1",
			"EARSHOT_DATABASE_URL": database, "EARSHOT_NATS_URL": broker.ClientURL(), "EARSHOT_BLOB_URL": files.URL,
			"AWS_ACCESS_KEY_ID": blobtest.Credentials.AccessKey, "AWS_SECRET_ACCESS_KEY": blobtest.Credentials.SecretKey,
		}
		if i == 0 {
			here["EARSHOT_ADMIN_EMAIL"], here["EARSHOT_ADMIN_PASSWORD"] = clusterOwner, clusterPassword
		}
		for name, value := range further {
			here[name] = value
		}
		n.env = settingsOf(t, project.Services[name], here)
		c.grace = time.Duration(*project.Services[name].StopGracePeriod)
		caddyfile = strings.Replace(caddyfile, name+":8080", n.address, 1)
		c.nodes = append(c.nodes, n)
	}
	var starting sync.WaitGroup
	started := make([]error, len(c.nodes))
	for i, n := range c.nodes { // as Compose starts them: all at once, on an empty database
		starting.Go(func() { started[i] = n.start(t.Context()) })
		t.Cleanup(func() {
			if n.command != nil && n.command.ProcessState == nil {
				n.stop(t, c.grace)
			}
			if t.Failed() {
				t.Logf("%s said:\n%s", n.address, n.said)
			}
		})
	}
	starting.Wait()
	if err := errors.Join(started...); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "Caddyfile")
	write(t, path, caddyfile)
	validate := exec.CommandContext(t.Context(), caddy, "validate", "--config", path, "--adapter", "caddyfile")
	validate.Env = append(os.Environ(), "HOME="+dir)
	if said, err := validate.CombinedOutput(); err != nil {
		t.Fatalf("caddy validate: %v\n%s", err, said)
	}
	write(t, path, "{\n\tadmin off\n}\n"+caddyfile) // its port may be another's here
	startProxy(t, dir, caddy, "run", "--config", path, "--adapter", "caddyfile")
	if err := answers(t.Context(), c.URL+"/readyz", 20*time.Second); err != nil {
		t.Fatal(err)
	}
	return c
}

// What compose.yaml starts is one Earshot: what is submitted by way of the proxy is told
// to dashboards there, files are found whichever node is asked, and limits are by the
// visitor's address.
func TestComposedNodesAreOneServer(t *testing.T) {
	t.Parallel()
	c := startCluster(t, nil)
	owner := c.Login(t, clusterOwner, clusterPassword)
	project := owner.Project()
	var sockets []func() []int64
	const count = 12
	for range len(c.nodes) {
		sockets = append(sockets, listen(t, c.Server, owner, project, count))
	}
	var file struct{ ID string }
	body := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nin a file\r\n--x--\r\n"
	c.Client(t).Do(post, "/w/"+project.Key+"/attachments", body, "Content-Type", "multipart/form-data; boundary=x").Want(201).JSON(&file)
	var receipt api.Receipt
	for i := range count {
		fields := map[string]any{"page_url": "https://shop.example/", "message": fmt.Sprintf("Number %d, by way of the proxy", i)}
		if i == 0 {
			fields["attachment_ids"] = []string{file.ID}
		}
		c.Client(t).Post("/w/"+project.Key+"/feedback", fields, 201).JSON(&receipt)
	}
	for i, heard := range sockets {
		if seqs := heard(); len(seqs) != count {
			t.Errorf("dashboard %d heard %v", i, seqs)
		}
	}
	for range 2 * len(c.nodes) {
		if got := owner.Do(http.MethodGet, "/api/v1/attachments/"+file.ID, nil); got.Status != 200 && got.Status != 302 && got.Status != 307 {
			t.Errorf("the file: %d %s", got.Status, got.Body)
		}
	}
	visitorsAreToldApart(t, c, project)
}

// visitorsAreToldApart has one address reach its limit of sockets, which keeps no other
// one from opening one.
func visitorsAreToldApart(t *testing.T, c *cluster, project api.Project) {
	t.Helper()
	open := func(from string) int {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
		conn, err := dialer.DialContext(t.Context(), "tcp", c.Address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = fmt.Fprintf(conn, "GET /w/%s/socket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Forwarded-For: 192.0.2.1\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", project.Key, c.Address)
		head := make([]byte, len("HTTP/1.1 101"))
		if _, readErr := io.ReadFull(conn, head); errors.Join(err, readErr) != nil {
			t.Fatal(err, readErr)
		}
		var status int
		_, _ = fmt.Sscanf(string(head), "HTTP/1.1 %d", &status)
		return status
	}
	refused := false
	for range 20*len(c.nodes) + 3 { // each node counts for itself
		refused = refused || open("127.0.0.5") == http.StatusTooManyRequests
	}
	if !refused {
		t.Error("one address opened as many sockets as it liked")
	}
	if status := open("127.0.0.6"); status != http.StatusSwitchingProtocols {
		t.Errorf("another address is answered %d", status)
	}
}
