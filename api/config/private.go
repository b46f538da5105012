package config

import "net"

// checkPrivate wants a host for the metrics: without one they would be on every
// network that the machine has.
func checkPrivate(s Settings, bad complain) {
	for _, address := range []struct{ flag, value, example string }{
		{"metrics-addr", s.MetricsAddr, "127.0.0.1:9090"}, {"debug-addr", s.DebugAddr, "127.0.0.1:6060"},
	} {
		if address.value == "" {
			continue
		}
		host, port, err := net.SplitHostPort(address.value)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		switch {
		case err != nil || host == "":
			bad(address.flag, "must be an address with its host, such as %s", address.example)
		case address.flag == "debug-addr" && !isLoopback(host):
			bad(address.flag, "must be a loopback address, such as %s: profiles tell what is in memory", address.example)
		}
	}
}
