package api

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"earshot/admin"
	"earshot/widget"
)

// page answers with the dashboard, which finds out by itself what its address
// means. It is for whoever takes HTML, curl and link checkers too; what has the
// name of a file is one that is not there.
func page(c *fiber.Ctx) error {
	if !takesHTML(c) || strings.Contains(c.Path(), ".") {
		return fiber.ErrNotFound
	}
	return sendPage(c)
}

// withoutSlash leads from a page's address with a slash at its end to the page.
func withoutSlash(c *fiber.Ctx) error {
	to := strings.TrimSuffix(c.Path(), "/")
	if query := c.Request().URI().QueryString(); len(query) > 0 {
		to += "?" + string(query)
	}
	return c.Redirect(to, fiber.StatusPermanentRedirect)
}

func sendPage(c *fiber.Ctx) error {
	index := admin.Index()
	pageHeaders(c, policyDashboard, "same-origin")
	c.Append(fiber.HeaderVary, fiber.HeaderAccept)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	tag := widget.ETag(index)
	c.Set(fiber.HeaderETag, tag)
	if c.Response().StatusCode() == fiber.StatusOK && matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(index)
}

// takesHTML reports whether a request is content with a page.
func takesHTML(c *fiber.Ctx) bool {
	for name, quality := range preferences(c.Get(fiber.HeaderAccept, "*/*")) {
		switch strings.ToLower(name) {
		case fiber.MIMETextHTML, "text/*", "*/*":
			if quality > 0 {
				return true
			}
		}
	}
	return false
}

// asksForHTML tells a person's browser from a script or a program: only the
// former names HTML.
func asksForHTML(c *fiber.Ctx) bool {
	return strings.Contains(strings.ToLower(c.Get(fiber.HeaderAccept)), fiber.MIMETextHTML)
}

// asset is one of the dashboard's files. Their names change with their content.
func asset(c *fiber.Ctx) error {
	file, ok := admin.Lookup(c.Params("name"))
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, cacheEver)
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	body := &packed{body: file.Body, gzip: file.Gzip, tag: strings.Trim(widget.ETag(file.Body), `"`)}
	return body.send(c, file.ContentType)
}

// missing answers what no route took. A person who mistyped an address gets the
// dashboard's own page for that, with the status that belongs to it.
func missing(c *fiber.Ctx) error {
	c.Locals(missingLocal, true)
	err := c.Next()
	if !errors.Is(err, fiber.ErrNotFound) && !isNotFound(err) || !asksForHTML(c) {
		return err
	}
	if c.Method() != fiber.MethodGet && c.Method() != fiber.MethodHead {
		return err
	}
	for _, prefix := range []string{"/api/", "/w/", "/r/", "/assets/", "/docs/"} {
		if strings.HasPrefix(c.Path(), prefix) {
			return err
		}
	}
	if strings.Contains(c.Path(), ".") {
		return err
	}
	c.Status(fiber.StatusNotFound)
	return sendPage(c)
}

func isNotFound(err error) bool {
	fromRouter, ok := err.(*fiber.Error) //nolint:errorlint // the router's own, never wrapped
	return ok && fromRouter.Code == fiber.StatusNotFound
}
