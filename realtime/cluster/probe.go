package cluster

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/nats-io/nats.go"
)

// probeTimeout bounds a Probe: half of it dialling, half of it the rest.
const probeTimeout = 5 * time.Second

// Probed is what one server said.
type Probed struct {
	Version   string
	RoundTrip time.Duration
}

// Probe connects to one server as a node does, and leaves again, within five seconds.
func Probe(ctx context.Context, server Server) (found Probed, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	dialer := &dialer{Dialer: net.Dialer{Timeout: probeTimeout / 2}}
	conn, err := nats.Connect(server.address, nats.Name("earshot doctor"), nats.Timeout(probeTimeout/2), nats.SetCustomDialer(dialer),
		nats.NoReconnect(), nats.IgnoreDiscoveredServers())
	if err != nil {
		return found, dialer.cause(err)
	}
	defer conn.Close()
	began := time.Now()
	if err := conn.FlushWithContext(ctx); err != nil {
		return found, err
	}
	return Probed{conn.ConnectedServerVersion(), time.Since(began)}, nil
}

// IsRefusal reports whether a server was reached and takes neither user nor password.
func IsRefusal(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked)
}
