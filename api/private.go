package api

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"sync"
	"time"

	"earshot/models/metrics"
)

const (
	// privateTimeout bounds reading a request's head on a private address.
	privateTimeout = 5 * time.Second
	// privateGrace is what a scrape that is under way gets at the end. Profiles take
	// longer and are cut off.
	privateGrace = time.Second
)

// Private is the operator's own addresses. Nobody is asked there who they are.
type Private struct {
	metrics, debug net.Listener // nil: there is none
	servers        []*http.Server
	serving        sync.WaitGroup
}

// ListenPrivately opens the private addresses, "" for none: one for the metrics, one
// for profiles. Close ends them.
func ListenPrivately(metricsAddr, debugAddr string) (*Private, error) {
	p := &Private{}
	for _, address := range []struct {
		setting, addr string
		into          *net.Listener
	}{{"EARSHOT_METRICS_ADDR", metricsAddr, &p.metrics}, {"EARSHOT_DEBUG_ADDR", debugAddr, &p.debug}} {
		if address.addr == "" {
			continue
		}
		listener, err := net.Listen("tcp", address.addr)
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("%s: %w", address.setting, err)
		}
		*address.into = listener
	}
	return p, nil
}

// Addresses are those that are listened on, "" for one that is not.
func (p *Private) Addresses() (metricsAddr, debugAddr string) {
	if p.metrics != nil {
		metricsAddr = p.metrics.Addr().String()
	}
	if p.debug != nil {
		debugAddr = p.debug.Addr().String()
	}
	return metricsAddr, debugAddr
}

// Serve shows a server there. Profiles tell what is in memory, so they are on a
// machine's own address alone: also beside the metrics, where those are on one.
func (p *Private) Serve(s *Server) {
	if p.metrics != nil {
		mux := http.NewServeMux()
		s.showMetrics(mux)
		if isLoopback(p.metrics.Addr()) {
			showProfiles(mux)
		}
		p.serve(p.metrics, mux)
	}
	if p.debug != nil {
		mux := http.NewServeMux()
		showProfiles(mux)
		p.serve(p.debug, mux)
	}
}

func (p *Private) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: privateTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: headerBuffer}
	p.servers = append(p.servers, server)
	p.serving.Go(func() { _ = server.Serve(listener) })
}

// Close ends the private addresses. It is the last that a server does: a scrape may
// come while it drains.
func (p *Private) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), privateGrace)
	defer cancel()
	for _, server := range p.servers {
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}
	p.serving.Wait()
	for _, listener := range []net.Listener{p.metrics, p.debug} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

func isLoopback(address net.Addr) bool {
	listening, err := netip.ParseAddrPort(address.String())
	return err == nil && listening.Addr().IsLoopback()
}

func (s *Server) showMetrics(mux *http.ServeMux) {
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var text bytes.Buffer
		if err := s.metrics.Write(&text); err != nil {
			s.log.Error("write metrics", "error", err)
			http.Error(w, "the metrics could not be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", metrics.ContentType)
		_, _ = w.Write(text.Bytes())
	})
}

// showProfiles adds the profiles of the Go runtime (https://pkg.go.dev/net/http/pprof),
// on a mux of our own: the package's own is that of the whole process.
func showProfiles(mux *http.ServeMux) {
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline, "/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		mux.HandleFunc(path, byNumber(handler))
	}
}

// byNumber admits requests that name this machine as such: a web page whose own name
// was made to lead here (DNS rebinding) names itself.
func byNumber(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && host != "localhost" {
			http.Error(w, "profiles are at this machine's address", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
