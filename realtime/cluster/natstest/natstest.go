// Package natstest runs real NATS servers inside a test's process, on ports of
// 127.0.0.1 that nobody else uses.
package natstest

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience bounds a server's start.
const patience = 10 * time.Second

// Server is a NATS server that can be away and come back at its address.
type Server struct {
	*server.Server
	options *server.Options
}

// New starts a server that ends with the test. A setup may change its options first,
// such as its port or who is let in.
func New(t testing.TB, setups ...func(*server.Options)) *Server {
	t.Helper()
	s, err := Start(setups...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Start is New for who has no test. The caller ends it with Stop.
func Start(setups ...func(*server.Options)) (*Server, error) {
	s := &Server{options: &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true}}
	for _, setup := range setups {
		setup(s.options)
	}
	if err := s.Run(); err != nil {
		return nil, err
	}
	address, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.New("NATS listens nowhere")
	}
	s.options.Port = address.Port
	return s, nil
}

// Run starts it, after a Stop at the address that it had, and waits until it answers.
func (s *Server) Run() (err error) {
	if s.Server, err = server.NewServer(s.options.Clone()); err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		s.Shutdown()
		return errors.New("NATS does not start")
	}
	return nil
}

// Stop ends it, also when it has ended.
func (s *Server) Stop() {
	s.Shutdown()
	s.WaitForShutdown()
}
