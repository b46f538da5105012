package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
)

// The content security policies. Answers that are no page may do nothing at
// all, should a browser ever show one as a page.
const (
	policyNothing   = "default-src 'none'; frame-ancestors 'none'"
	policyDashboard = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	// The renderer of the documents writes its styles into the page.
	policyDocs = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

	permissions = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), " +
		"microphone=(), midi=(), payment=(), usb=()"
	// One year.
	transportSecurity = "max-age=31536000"
)

// commonHeaders are on every answer; handlers of pages replace some.
func (s *Server) commonHeaders(c *fiber.Ctx) {
	h := &c.Response().Header
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	h.Set(fiber.HeaderContentSecurityPolicy, policyNothing)
	if s.secure {
		h.Set(fiber.HeaderStrictTransportSecurity, transportSecurity)
	}
	if strings.HasPrefix(c.Path(), "/api/") {
		h.Set(fiber.HeaderCacheControl, "no-store")
	}
}

// pageHeaders are for answers that people see.
func pageHeaders(c *fiber.Ctx, policy, referrer string) {
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderReferrerPolicy, referrer)
	c.Set(fiber.HeaderPermissionsPolicy, permissions)
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// visitorKey is the project key in a visitor's address "/w/{key}/…", "" for
// any other address. The script's own address is not one: it is for everybody.
func visitorKey(path string) string {
	rest, ok := strings.CutPrefix(path, "/w/")
	if !ok {
		return ""
	}
	key, _, ok := strings.Cut(rest, "/")
	if !ok || !strings.HasPrefix(key, "pk_") {
		return ""
	}
	return key
}

// visitorHeaders lets pages of admitted origins read the answer, refusals too:
// the widget could not tell a final one from a broken network otherwise. It does
// not authorise anything; visitorProject does.
func (s *Server) visitorHeaders(c *fiber.Ctx) {
	key := visitorKey(c.Path())
	if key == "" {
		return
	}
	c.Response().Header.Set(fiber.HeaderVary, fiber.HeaderOrigin)
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return
	}
	project, err := s.projectByKey(c, key)
	switch {
	case models.CodeOf(err) == models.CodeNotFound:
		// Nobody's project: the refusal is the same for all and no secret.
		origin = "*"
	case err != nil || !project.AllowedOrigins.Allows(origin):
		return
	}
	c.Response().Header.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	c.Response().Header.Set(fiber.HeaderAccessControlExposeHeaders, "Retry-After")
}

// sameOrigin reports whether a browser's request comes from our own pages, or
// not from a browser at all. Sec-Fetch-Site cannot be forged by a page; Origin is
// for browsers that do not send it. The Host header is not asked: whoever has a
// name lead here chooses it.
func (s *Server) sameOrigin(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	return s.origin.Allows(c.Get(fiber.HeaderOrigin)) // also where there is none
}
