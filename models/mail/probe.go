package mail

import (
	"context"
	"crypto/x509"
)

// Probe reaches a mail server as mails do: it connects, encrypts and signs in as far
// as the settings say, and sends nothing. from is whom mails are from; roots vouch for
// the server, the system's where nil.
func Probe(ctx context.Context, server Server, fromHost string, roots *x509.CertPool) error {
	s, err := newSender(server, fromHost, roots, func(string) {})
	if err != nil {
		return err
	}
	defer s.cut()
	if err := s.client.DialWithContext(ctx); err != nil {
		return err
	}
	return s.client.Close()
}
