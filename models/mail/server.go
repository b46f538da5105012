// Package mail composes and sends e-mail. What is to be sent waits in the
// database, so neither a restart nor a mail server that is away loses any: it comes
// later. It comes at least once, and a repetition has the Message-ID of the first.
package mail

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
)

// Security is whether the way to the mail server is encrypted.
type Security string

// The ways. A password goes over the last two only to this machine itself.
const (
	SecurityTLS      Security = "tls"      // from the first byte (smtps)
	SecurityStartTLS Security = "required" // after STARTTLS, or nothing is sent
	SecurityOffered  Security = "offered"  // after STARTTLS where the server has it
	SecurityNone     Security = "none"
)

// Server is a mail server that takes mail from us.
type Server struct {
	Host     string
	Port     int
	User     string // "" where it asks for none
	Password string
	Security Security
}

// The ports where the address names none: submission (RFC 6409) and the same over
// TLS (RFC 8314).
const (
	portSubmission  = 587
	portSubmissions = 465
)

// ParseServer reads an address: smtp://user:password@host:587, with ?tls=offered or
// ?tls=none for a network of one's own, or smtps://user:password@host:465. What it
// says of a bad one holds nothing of it.
func ParseServer(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Server{}, errors.New("must be an address such as smtp://user:password@mail.example.com:587, the password percent-encoded")
	}
	s := Server{Host: u.Hostname(), Security: SecurityStartTLS, Port: portSubmission}
	switch u.Scheme {
	case "smtp":
		if isLoopback(s.Host) {
			s.Security = SecurityOffered
		}
	case "smtps":
		s.Security, s.Port = SecurityTLS, portSubmissions
	default:
		return Server{}, errors.New("must begin with smtp:// or smtps://")
	}
	if port := u.Port(); port != "" {
		if s.Port, err = strconv.Atoi(port); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, errors.New("has no valid port")
		}
	}
	if u.User != nil {
		s.User = u.User.Username()
		s.Password, _ = u.User.Password()
		if s.User == "" || s.Password == "" {
			return Server{}, errors.New("must have a user and a password, or neither")
		}
	}
	return s.choose(u.Query())
}

// choose reads the query: tls, once.
func (s Server) choose(query url.Values) (Server, error) {
	for name, values := range query {
		if name != "tls" || len(values) != 1 || s.Security == SecurityTLS {
			return Server{}, errors.New("may have ?tls=required, offered or none behind smtp://, and nothing else")
		}
		switch choice := Security(values[0]); choice {
		case SecurityStartTLS, SecurityOffered, SecurityNone:
			s.Security = choice
		default:
			return Server{}, errors.New("tls must be required, offered or none")
		}
	}
	if s.Security != SecurityTLS && s.Security != SecurityStartTLS && s.User != "" && !isLoopback(s.Host) {
		return Server{}, errors.New("sends a password, which needs tls=required")
	}
	return s, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
