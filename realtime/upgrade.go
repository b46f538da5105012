package realtime

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"earshot/models"
	"earshot/realtime/protocol"
)

// taggingQuery asks for serde's tagging of events; see protocol.Negotiate.
const taggingQuery = "tagging"

// Prepare makes app's server leave upgraded connections to us: their requests,
// some kilobytes each, are released while the sockets live. It is to be called
// before the server runs.
func Prepare(app *fiber.App) { app.Server().KeepHijackedConns = true }

// checkHandshake refuses what the library would take or answer wrongly: a wrong
// version (426), a malformed key, and sub-protocols of which we speak none. It
// answers with the sub-protocol of the encoding that it chose; tagging is the
// client's query parameter of that name, where it may have one.
func checkHandshake(c *fiber.Ctx, tagging string) (protocol.Encoding, error) {
	joinLines(c, fiber.HeaderConnection)
	joinLines(c, fiber.HeaderUpgrade)
	joinLines(c, fiber.HeaderSecWebSocketProtocol)
	if err := checkUpgrade(c); err != nil {
		return protocol.JSON, err
	}
	offered := c.Get(fiber.HeaderSecWebSocketProtocol)
	encoding, err := protocol.Negotiate(offered, tagging)
	if err == nil && offered != "" {
		c.Set(fiber.HeaderSecWebSocketProtocol, encoding.Subprotocol())
	}
	return encoding, err
}

// joinLines makes one line of a header that may come in several (RFC 9110 §5.3):
// the library reads only the first.
func joinLines(c *fiber.Ctx, name string) {
	if lines := c.Context().Request.Header.PeekAll(name); len(lines) > 1 {
		c.Context().Request.Header.SetBytesV(name, bytes.Join(lines, []byte(", ")))
	}
}

func checkUpgrade(c *fiber.Ctx) error {
	if !c.App().Server().KeepHijackedConns {
		return errors.New("realtime: the server was not prepared for sockets")
	}
	if c.Method() != fiber.MethodGet || !websocket.IsWebSocketUpgrade(c) {
		c.Set(fiber.HeaderUpgrade, "websocket")
		c.Set(fiber.HeaderConnection, "Upgrade")
		return fiber.NewError(fiber.StatusUpgradeRequired, "this address speaks WebSocket only")
	}
	// The server would close such a connection after its answer.
	if c.Context().Request.Header.ConnectionClose() {
		return models.Errorf(models.CodeBadRequest, "a connection that is to be closed cannot be upgraded")
	}
	header := &c.Context().Request.Header
	if len(header.PeekAll("Sec-WebSocket-Version")) > 1 || c.Get("Sec-WebSocket-Version") != "13" {
		c.Set("Sec-WebSocket-Version", "13")
		return fiber.NewError(fiber.StatusUpgradeRequired, "WebSocket version 13 is needed")
	}
	key, err := base64.StdEncoding.DecodeString(c.Get("Sec-WebSocket-Key"))
	if err != nil || len(key) != 16 || len(header.PeekAll("Sec-WebSocket-Key")) > 1 {
		return models.Errorf(models.CodeBadRequest, "Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return nil
}

// UpgradeVisitor upgrades a visitor's request whose key and origin were
// checked. Refusals come back as errors before the upgrade.
func (s *Server) UpgradeVisitor(c *fiber.Ctx, project *models.Project, address netip.Addr) error {
	encoding, err := checkHandshake(c, c.Query(taggingQuery))
	if err != nil {
		return err
	}
	return s.upgradeAdmitted(c, address, func(conn net.Conn, release func()) {
		s.serveVisitor(conn, encoding, project, address, release)
	})
}

// UpgradeDashboard upgrades a member's request. name is how the member is shown
// to others.
func (s *Server) UpgradeDashboard(c *fiber.Ctx, claims models.Claims, name string, address netip.Addr) error {
	encoding, err := checkHandshake(c, "")
	if err != nil {
		return err
	}
	return s.upgradeAdmitted(c, address, func(conn net.Conn, release func()) {
		s.serveDashboard(conn, encoding, claims, name, release)
	})
}

// upgradeAdmitted counts the connection; whoever gets it calls release at its end.
func (s *Server) upgradeAdmitted(c *fiber.Ctx, address netip.Addr, open func(conn net.Conn, release func())) error {
	slot, err := s.admit(address)
	if err != nil {
		return err
	}
	err = s.transport.upgrade(c, func(conn net.Conn) {
		if slot.claim() {
			open(conn, slot.release)
		} else {
			_ = conn.Close()
		}
	})
	if err != nil && slot.claim() {
		slot.release()
	}
	return err
}

// limit holds a client to the contract's rates.
func (s *Socket[In, Out]) limit() {
	s.frames = rate.NewLimiter(framesPerSecond, framesPerSecond)
	s.excess = rate.NewLimiter(framesPerSecond, excessFrames)
}

func newSocket[In, Out any](t *Transport, c net.Conn, encoding protocol.Encoding, in *protocol.Sum[In], out *protocol.Sum[Out]) *Socket[In, Out] {
	return &Socket[In, Out]{conn: newConn(c, t, encoding), in: in, out: out}
}
