package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	fastws "github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/api/operator"
)

// tool finds a program that a test needs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		const required = "EARSHOT_TEST_TOOLS=required"
		if os.Getenv("EARSHOT_TEST_TOOLS") == "required" {
			t.Fatalf("%s is not installed, and %s", name, required)
		}
		t.Skipf("%s is not installed; %s makes this a failure", name, required)
	}
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startProxy starts a proxy and ends it with the test.
func startProxy(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Stdout, command.Stderr = dir, &said, &said
	command.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // ended by a signal, as was meant
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), said.String())
		}
	})
}

// freePort is one that nobody listens on just now.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// certificate makes one for this machine, into two files, and gives who trusts it.
func certificate(t *testing.T, dir string) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})))
	roots = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	return cert, key, roots
}

// behind makes a server that believes proxies on this machine, and the deployment
// that the printed files are for.
func behind(t *testing.T) (*apitest.Server, operator.Deployment) {
	t.Helper()
	s := apitest.Start(t, func(c *api.Config) { c.TrustedProxies = loopback() })
	d := example()
	d.Addr = s.Address
	return s, d
}

// startNginx runs one in front of a server, told as we print it but for what edit
// changes.
func startNginx(t *testing.T, d operator.Deployment, edit func(string) string) (base string, roots *x509.CertPool) {
	t.Helper()
	nginx := tool(t, "nginx")
	dir := t.TempDir()
	cert, key, roots := certificate(t, dir)
	port := freePort(t)
	config := strings.NewReplacer(
		"    listen [::]:80;\n", "", "    listen [::]:443 ssl http2;\n", "", "listen 80;", "listen 127.0.0.1:"+freePort(t)+";",
		"listen 443 ssl", "listen 127.0.0.1:"+port+" ssl", "/etc/ssl/earshot/fullchain.pem", cert, "/etc/ssl/earshot/privkey.pem", key,
		"server_name feedback.example.com", "server_name 127.0.0.1",
	).Replace(edit(printed(t, "nginx", d)))
	path := filepath.Join(dir, "nginx.conf")
	write(t, path, "pid "+dir+"/nginx.pid; error_log stderr; worker_processes 1; daemon off;\nevents {}\nhttp {\n  access_log off;\n"+
		"  client_body_temp_path "+dir+"; proxy_temp_path "+dir+"; fastcgi_temp_path "+dir+"; uwsgi_temp_path "+dir+"; scgi_temp_path "+dir+";\n"+config+"\n}\n")
	if out, err := exec.CommandContext(t.Context(), nginx, "-t", "-p", dir, "-c", path).CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	startProxy(t, dir, nginx, "-p", dir, "-c", path)
	return "https://127.0.0.1:" + port, roots
}

func asPrinted(config string) string { return config }

// Behind nginx, told as we print it, requests, sockets and streams arrive.
func TestNginxPassesOnWhatItIsToldTo(t *testing.T) {
	t.Parallel()
	s, d := behind(t)
	base, roots := startNginx(t, d, asPrinted)
	passes(t, s, base, roots)
}

func TestCaddyPassesOnWhatItIsToldTo(t *testing.T) {
	t.Parallel()
	caddy := tool(t, "caddy")
	s, d := behind(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "Caddyfile")
	write(t, path, printed(t, "caddy", d))
	validate := exec.CommandContext(t.Context(), caddy, "validate", "--config", path, "--adapter", "caddyfile")
	validate.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if out, err := validate.CombinedOutput(); err != nil {
		t.Fatalf("caddy validate: %v\n%s", err, out)
	}
	base := "http://127.0.0.1:" + freePort(t) // without TLS: nobody would sign for this machine
	write(t, path, "{\n\tadmin off\n}\n"+strings.Replace(printed(t, "caddy", d), "\nfeedback.example.com {", "\n"+base+" {", 1))
	startProxy(t, dir, caddy, "run", "--config", path, "--adapter", "caddyfile")
	passes(t, s, base, nil)
}

// passes tries what has to get through a proxy.
func passes(t *testing.T, s *apitest.Server, base string, roots *x509.CertPool) {
	t.Helper()
	owner, project := s.Project(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	var answer *http.Response
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) { // it starts
		if answer, err = client.Get(base + "/readyz"); err == nil {
			break
		}
	}
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("through the proxy: %v, %+v", err, answer)
	}
	_ = answer.Body.Close()

	dialer := fastws.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}, HandshakeTimeout: 10 * time.Second}
	ws, _, err := dialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/w/"+project.Key+"/socket", nil)
	if err != nil {
		t.Fatalf("a socket: %v", err)
	}
	defer func() { _ = ws.Close() }()
	await(t, ws, "Connected")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/projects/"+string(project.ID)+"/events?since=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+owner.Token)
	request.Header.Set("Accept", "text/event-stream")
	stream, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Body.Close() }()
	s.Submit(t, project, "Through the proxy")
	read := make([]byte, 1<<12)
	heard := ""
	for !strings.Contains(heard, "Through the proxy") { // at once, and not when some buffer is full
		n, err := stream.Body.Read(read)
		heard += string(read[:n])
		if err != nil {
			t.Fatalf("a stream: %v after %q", err, heard)
		}
	}
}

// The unit is one that systemd understands, and closed as far as the server allows.
func TestSystemdTakesTheUnit(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze")
	dir := t.TempDir()
	for _, d := range []operator.Deployment{
		example(), {BaseURL: "http://localhost:8080", Addr: ":8080", Data: "/srv/earshot", Drain: time.Minute},
		{
			BaseURL: "http://localhost:8080", Addr: ":8080", Data: "/var/lib/earshot", Drain: time.Minute, Folders: []string{"/srv/files", "/srv/backups"},
			Elsewhere: []string{"EARSHOT_DATABASE_URL"},
		},
	} {
		path := filepath.Join(dir, "earshot.service")
		text := printed(t, "systemd", d)
		write(t, path, strings.NewReplacer("/usr/local/bin/earshot", "/bin/true").Replace(text))
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--recursive-errors=no", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), "earshot.service") {
			t.Errorf("systemd-analyze verify: %v\n%s\n%s", err, out, text)
		}
		// Exposure 1.5 of 10: the network is what it is for.
		out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=15", "--no-pager", path).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security: %v\n%s", err, out)
		}
	}
}

// What is printed follows the settings.
func TestPrintedFilesFollowTheSettings(t *testing.T) {
	t.Parallel()
	other := operator.Deployment{BaseURL: "https://ears.example.org:8443", Addr: "0.0.0.0:9000", Data: "/srv/ears", Drain: 30 * time.Second}
	nothing := operator.Deployment{BaseURL: "http://localhost:8080", Addr: ":8080", Data: "./data", Drain: 10 * time.Second}
	folders := nothing
	folders.Folders = []string{"/var/lib/earshot/files", "/srv/files", "/srv/backups", "/srv/files"}
	for _, tc := range []struct {
		name string
		d    operator.Deployment
		want []string
	}{
		{"systemd", other, []string{"EARSHOT_DATA=/srv/ears\n", "ReadWritePaths=/srv/ears\n", "EARSHOT_ADDR=127.0.0.1:9000\n", "TimeoutStopSec=35s"}},
		{"systemd", nothing, []string{"EARSHOT_DATA=/var/lib/earshot\n", "StateDirectory=earshot\n", "EARSHOT_BASE_URL=https://feedback.example.com\n"}},
		{"systemd", folders, []string{
			"StateDirectory=earshot\n", "\nReadWritePaths=/srv/files /srv/backups\n", "\nRequiresMountsFor=/srv/files /srv/backups\n", "-m 0700 /srv/files /srv/backups\n",
		}},
		{"nginx", other, []string{"server 127.0.0.1:9000;", "server_name ears.example.org;"}},
		{"caddy", other, []string{"\nears.example.org {", "reverse_proxy 127.0.0.1:9000"}},
		{"prometheus", other, []string{"scheme: https", "'ears.example.org:8443'", "credentials_file"}},
		{"prometheus", example(), []string{"'127.0.0.1:9090'"}},
	} {
		text := printed(t, tc.name, tc.d)
		for _, want := range tc.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s for %+v lacks %q:\n%s", tc.name, tc.d, want, text)
			}
		}
	}
}
