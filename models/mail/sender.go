package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
)

const (
	// stepTimeout bounds a dial with its greeting, and a mail.
	stepTimeout = 20 * time.Second
	// stopGrace is what a mail that is on its way gets once the server leaves.
	stopGrace = 2 * time.Second
	// keepOpen is how long a connection waits for another mail.
	keepOpen = 15 * time.Second
)

// outcome is what became of an attempt.
type outcome int

const (
	delivered   outcome = iota
	unreachable         // nobody was there, or would have us: the mail's is not the fault
	retry               // not now
	rejected            // never, whoever it is for
	bounced             // never at this address
)

// sender holds the connection to the mail server. One goroutine uses it.
type sender struct {
	server Server
	roots  *x509.CertPool // nil: the system's
	client *gomail.Client
	count  func(outcome string)
	usedAt time.Time

	mu   sync.Mutex
	conn net.Conn // nil while there is none
}

func newSender(server Server, host string, roots *x509.CertPool, count func(outcome string)) (*sender, error) {
	s := &sender{server: server, roots: roots, count: count}
	options := []gomail.Option{
		gomail.WithPort(server.Port), gomail.WithTimeout(stepTimeout), gomail.WithHELO(helo(host)),
		gomail.WithDialContextFunc(s.dial), gomail.WithTLSConfig(s.tls()),
	}
	switch server.Security {
	case SecurityTLS:
		options = append(options, gomail.WithSSL())
	case SecurityStartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case SecurityOffered:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case SecurityNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if server.User != "" {
		options = append(options, gomail.WithUsername(server.User), gomail.WithPassword(server.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain,
				gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	var err error
	s.client, err = gomail.NewClient(server.Host, options...)
	return s, err
}

// helo is how we introduce ourselves: a name, or an address as a literal (RFC 5321
// §4.1.3).
func helo(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case addr.Is4():
		return "[" + host + "]"
	}
	return "[IPv6:" + host + "]"
}

// tls holds the server to its name, but where encryption is only taken if offered:
// whoever could pretend to be the server could as well not offer it (RFC 7435), and
// the certificate of a mail server on this machine is mostly nobody's.
func (s *sender) tls() *tls.Config {
	return &tls.Config{
		ServerName: s.server.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: s.server.Security == SecurityOffered, //nolint:gosec // as said above
	}
}

// dial keeps the connection, so that a mail server which stalls does not keep ours
// from leaving.
func (s *sender) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if s.server.Security == SecurityTLS {
		conn, err = (&tls.Dialer{Config: s.tls()}).DialContext(ctx, network, address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	return conn, nil
}

// cut ends the connection. Any goroutine may call it.
func (s *sender) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

func (s *sender) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// rest says goodbye where no mail has come for a while.
func (s *sender) rest(now time.Time, leaving bool) {
	if !s.connected() || !leaving && now.Sub(s.usedAt) < keepOpen && !now.Before(s.usedAt) {
		return
	}
	_ = s.client.Close() // or not: it is gone either way
	s.cut()
}

// send hands a mail over. It returns soon after the context's end.
func (s *sender) send(ctx context.Context, message *gomail.Msg, now time.Time) (outcome, error) {
	result, err := s.attempt(ctx, message, now)
	s.count(outcomes[result])
	return result, err
}

// outcomes are their names in the metrics.
var outcomes = map[outcome]string{
	delivered: "delivered", unreachable: "unreachable", retry: "put_off", rejected: "rejected", bounced: "rejected",
}

func (s *sender) attempt(ctx context.Context, message *gomail.Msg, now time.Time) (outcome, error) {
	stopping := context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, s.cut) })
	defer stopping()
	s.usedAt = now
	if s.connected() {
		err := s.client.Send(message)
		result, lost := judge(message, err)
		if !lost {
			return result, err
		}
		s.cut()
		if !isStale(err) {
			return result, err
		}
		// It was kept open for too long: that says nothing of the mail.
	}
	if err := s.client.DialWithContext(ctx); err != nil {
		s.cut()
		return unreachable, fmt.Errorf("reach the mail server: %w", err)
	}
	err := s.client.Send(message)
	result, lost := judge(message, err)
	if lost {
		s.cut()
	}
	return result, err
}

// isStale reports whether the connection was found dead before anything was sent.
func isStale(err error) bool {
	var refusal *gomail.SendError
	return errors.As(err, &refusal) && refusal.Reason == gomail.ErrConnCheck
}

// judge says what became of a mail, and whether the connection is lost with it.
func judge(message *gomail.Msg, err error) (result outcome, lost bool) {
	var refusal *gomail.SendError
	switch {
	case err == nil:
		return delivered, false
	case message.IsDelivered(): // what failed came after it
		return delivered, true
	case codeOf(err) == 0 || !errors.As(err, &refusal): // the connection broke, not a word of the server's
		return retry, true
	case refusal.Reason == gomail.ErrSMTPRcptTo && refusal.ErrorCode() >= 500:
		// A policy (RFC 3463 §3.8), as where we may not send to others at all, is not
		// the address's fault and may be mended.
		if strings.HasPrefix(refusal.EnhancedStatusCode(), "5.7.") || refusal.ErrorCode() == 530 {
			return retry, false
		}
		return bounced, false
	case (refusal.Reason == gomail.ErrSMTPData || refusal.Reason == gomail.ErrSMTPDataClose) && refusal.ErrorCode() >= 500:
		return rejected, false
	}
	return retry, false
}
