package api

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"earshot/api/demo"
)

// shopPolicy is what the demo's shop may do: run the widget, which is ours, and
// be styled by itself.
const shopPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Server) showShop(c *fiber.Ctx) error {
	var page bytes.Buffer
	if err := demo.Page(&page, s.config.DemoKey); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, shopPolicy)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(page.Bytes())
}
