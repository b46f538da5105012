package api

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// address is the client's. X-Forwarded-For is believed only as far as trusted
// proxies wrote it, from the right: what stands left of the first stranger was
// written by anybody.
func (s *Server) address(c *fiber.Ctx) netip.Addr {
	peer := netip.Addr{}
	if tcp, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
		peer = tcp.AddrPort().Addr().Unmap()
	}
	if !s.trusted(peer) {
		return peer
	}
	var entries []string
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		entries = append(entries, strings.Split(string(line), ",")...)
	}
	for i := len(entries) - 1; i >= 0; i-- {
		hop, ok := parseHop(strings.TrimSpace(entries[i]))
		if !ok {
			break
		}
		peer = hop
		if !s.trusted(hop) {
			break
		}
	}
	return peer
}

// parseHop reads an address as proxies write it, with or without a port.
func parseHop(entry string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(entry); err == nil {
		return withPort.Addr().Unmap(), true
	}
	address, err := netip.ParseAddr(strings.Trim(entry, "[]"))
	return address.Unmap(), err == nil
}

func (s *Server) trusted(address netip.Addr) bool {
	for _, prefix := range s.config.TrustedProxies {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
