package cluster

import (
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// writeTimeout bounds a write to NATS.
const writeTimeout = 2 * time.Second

// connect gives a connection that is made again and again, and the log a word of what
// becomes of it.
func connect(url string, log *slog.Logger) (*nats.Conn, error) {
	dialer := &dialer{Dialer: net.Dialer{Timeout: connectTimeout}}
	says := &says{log: log, dialer: dialer}
	return nats.Connect(url,
		nats.Name("earshot"), nats.Timeout(connectTimeout), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(500*time.Millisecond), nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2), nats.NoEcho(),
		// What is told while nobody listens is old when somebody does.
		nats.ReconnectBufSize(-1),
		// A write that hangs holds up everything else that is asked of the connection, whether
		// it is there included; by itself the library waits for a minute.
		nats.FlusherTimeout(writeTimeout),
		// Without it, a password that is refused twice ends the connection for good, also
		// where it is put right at NATS.
		nats.IgnoreAuthErrorAbort(),
		nats.SetCustomDialer(dialer),
		nats.ConnectHandler(says.reached), nats.ReconnectErrHandler(says.failed),
		nats.DisconnectErrHandler(says.lost), nats.ReconnectHandler(says.back), nats.ErrorHandler(says.complained),
	)
}

// dialer keeps why nobody could be dialled: of connections that are refused the library
// says that there are no servers.
type dialer struct {
	net.Dialer
	failure atomic.Pointer[error]
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := d.Dialer.Dial(network, address) // within its Timeout
	if err != nil {
		d.failure.Store(&err)
	}
	return conn, err
}

// cause is what is behind an error of the library's.
func (d *dialer) cause(err error) error {
	if failure := d.failure.Load(); failure != nil && errors.Is(err, nats.ErrNoServers) {
		return *failure
	}
	return err
}

// says tells the log of the connection: each change once, however often it is tried.
// The library calls its handlers one after another. No error has the address in it, in
// which there is a password.
type says struct {
	log    *slog.Logger
	dialer *dialer
	// away and refused: it was said.
	away, refused bool
}

func (s *says) reached(conn *nats.Conn) {
	s.away, s.refused = false, false
	s.log.Info("NATS is connected", "server", conn.ConnectedAddr(), "version", conn.ConnectedServerVersion())
}

// failed is told of the first attempt, too.
func (s *says) failed(_ *nats.Conn, err error) {
	if !s.away {
		s.away = true
		s.log.Warn("NATS cannot be reached; other nodes are heard of by their log", "error", s.dialer.cause(err))
	}
}

func (s *says) lost(_ *nats.Conn, err error) {
	if err != nil { // nil where it is we who leave
		s.away = true
		s.log.Warn("NATS is away; other nodes are heard of by their log", "error", err)
	}
}

func (s *says) back(*nats.Conn) {
	s.away, s.refused = false, false
	s.log.Info("NATS is back")
}

func (s *says) complained(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) { // the log has what was dropped
		return
	}
	if s.away { // each attempt to come back is refused
		if s.refused {
			return
		}
		s.refused = true
	}
	s.log.Warn("NATS", "error", err)
}
