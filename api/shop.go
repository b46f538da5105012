package api

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"

	"earshot/api/demo"
)

// shopPolicy is what the demo's shop may do: run the widget, which is ours, and
// be styled by itself. The widget calls by the base URL, also where the page was
// opened by another of this machine's names.
func (s *Server) shopPolicy() string {
	base := s.origin[0]
	return "default-src 'none'; script-src 'self' " + base + "; connect-src 'self' " + base + " ws" + strings.TrimPrefix(base, "http") +
		"; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func (s *Server) showShop(c *fiber.Ctx) error {
	var page bytes.Buffer
	if err := demo.Page(&page, s.config.DemoKey); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, s.shopPolicy())
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(page.Bytes())
}
