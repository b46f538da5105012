package cluster

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// Server is where one NATS server is.
type Server struct {
	// Name is the address as it may be shown: without user, password and token.
	Name    string
	address string
}

var errAddress = errors.New("must be addresses such as nats://user:password@nats.example.com:4222, separated by commas: " +
	"nats, tls, ws or wss, a host and a port from 1 to 65535; what is special in a password is percent-encoded")

// Servers reads a list of addresses, separated by commas. Its error does not repeat
// them: there are passwords in them.
func Servers(list string) (servers []Server, err error) {
	sockets := 0
	for raw := range strings.SplitSeq(list, ",") {
		if raw = strings.TrimSpace(raw); raw == "" {
			continue
		}
		u, err := url.Parse(raw)
		if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, errAddress
		}
		if port := u.Port(); port != "" {
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return nil, errAddress
			}
		}
		switch u.Scheme {
		case "ws", "wss":
			sockets++
		case "nats", "tls":
			if strings.Trim(u.Path, "/") != "" { // what a '/' in a password makes of it
				return nil, errAddress
			}
		default:
			return nil, errAddress
		}
		servers = append(servers, Server{Name: u.Scheme + "://" + u.Host, address: raw})
	}
	switch {
	case len(servers) == 0:
		return nil, errAddress
	case sockets > 0 && sockets < len(servers):
		return nil, errors.New("must be all of one kind: nats and tls, or ws and wss")
	}
	return servers, nil
}
