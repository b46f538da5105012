package api

import (
	"net"
	"strings"

	"github.com/gofiber/fiber/v2"

	"earshot/api/operator"
)

// showArrival tells the operator's doctor how its request arrived. To all others
// there is nothing here.
func (s *Server) showArrival(c *fiber.Ctx) error {
	token, _ := bearer(c)
	if !operator.ValidArrivalToken(s.config.Secret, token, s.now()) {
		return fiber.ErrNotFound
	}
	arrival := operator.Arrival{
		Version: s.config.Version, Commit: s.config.Commit, At: s.now(), Forwarded: []string{}, Address: s.address(c).String(),
		Upgrade: strings.EqualFold(c.Get(fiber.HeaderUpgrade), "websocket") && hasToken(c.Get(fiber.HeaderConnection), "upgrade"),
	}
	if tcp, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
		peer := tcp.AddrPort().Addr().Unmap()
		arrival.Peer, arrival.Trusted = peer.String(), s.trusted(peer)
	}
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		for entry := range strings.SplitSeq(string(line), ",") {
			arrival.Forwarded = append(arrival.Forwarded, strings.TrimSpace(entry))
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(arrival)
}

// hasToken looks for one of a header's tokens, which have no case.
func hasToken(header, token string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if strings.EqualFold(strings.TrimSpace(part), token) {
			return true
		}
	}
	return false
}
