package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// stripper is a proxy before the server, as there are in many offices: while strict, it lets no Upgrade through. While
// slow, it passes on a file for each value in uploads.
type stripper struct {
	strict, slow atomic.Bool
	uploads      chan struct{}
	*httptest.Server
}

// newStripped starts a strict proxy and a server that is known by the proxy's address.
func newStripped(t *testing.T) (*server, *stripper) {
	t.Helper()
	p := &stripper{uploads: make(chan struct{}, 1)}
	p.strict.Store(true)
	p.Server = httptest.NewUnstartedServer(nil)
	address := "http://" + p.Listener.Addr().String()
	s := freshServer(t, "--base-url="+address, "--admin-email="+ownerEmail, "--admin-password="+ownerPassword)
	target, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			if p.strict.Load() {
				r.Out.Header.Del("Connection")
				r.Out.Header.Del("Upgrade")
			}
		},
		// A server that was killed is one of the tests' cases.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.slow.Load() && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/attachments") {
			select {
			case <-p.uploads:
			case <-r.Context().Done():
			case <-t.Context().Done():
			}
		}
		proxy.ServeHTTP(w, r)
	})
	p.Start()
	t.Cleanup(p.Close)
	s.base, s.owner, s.password = address, ownerEmail, ownerPassword
	s.signIn()
	return s, p
}

// detoured waits until the dashboard is live without a socket.
func (w *window) detoured() {
	w.t.Helper()
	await(w, "the connection goes round", "['streaming','polling'].includes(document.querySelector('[data-testid=connection]')?.dataset.state)", true)
}

func TestDashboardGoesRoundAProxyWithoutSockets(t *testing.T) {
	t.Parallel()
	s, proxy := newStripped(t)
	p := s.project(nil)
	s.submit(p, "Before", nil)
	staff := s.dashboard(s.inbox(p))
	staff.detoured()
	staff.rows("Before")
	staff.miss("[data-testid=try-now]")
	s.submit(p, "Round", nil)
	staff.rows("Round | Before")
	s.submit(p, "Again", nil)
	staff.rows("Again | Round | Before")

	proxy.strict.Store(false)
	staff.connected("connected")
	s.submit(p, "Straight", nil)
	staff.rows("Straight | Again | Round | Before")

	// The socket is lost where no other is to be had, and what comes meanwhile is neither lost nor doubled.
	proxy.strict.Store(true)
	s.kill()
	staff.connected("reconnecting")
	staff.see("[data-testid=try-now]")
	s.start()
	s.submit(p, "Meanwhile", nil)
	staff.detoured()
	staff.rows("Meanwhile | Straight | Again | Round | Before")
	proxy.strict.Store(false)
	s.submit(p, "Last", nil)
	staff.connected("connected")
	staff.rows("Last | Meanwhile | Straight | Again | Round | Before")
}

func TestTryNowDoesNotWait(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	staff := s.inboxWindow(s.project(nil))
	staff.run("Math.random=()=>0.999") // the longest waits that there are
	s.kill()
	staff.connected("reconnecting")
	const long = "/in [5-9]s/.test(document.querySelector('[data-testid=countdown]')?.innerText)"
	await(staff, "the next attempt is seconds away", long, true)
	s.start()
	start := time.Now()
	staff.click("[data-testid=try-now]")
	staff.connected("connected")
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("connected %v after the click, want at once", took)
	}
	staff.miss("[data-testid=try-now]")
}
