package api

import (
	_ "embed"
	"sync"

	"github.com/gofiber/fiber/v2"

	"earshot/widget"
)

//go:generate go run ./gen

//go:embed openapi.json
var openAPIDocument []byte

//go:embed asyncapi.json
var asyncAPIDocument []byte

//go:embed pages/docs.html
var docsPage []byte

// The renderer of the documents: RapiDoc, MIT, see docs/LICENSE-rapidoc.txt. Its
// name has its version, so that it may be kept for ever.
//
//go:embed docs/rapidoc-9.3.8.min.js
var docsRenderer []byte

// documents holds the files that are compressed at their first use.
type documents struct {
	openAPI, asyncAPI, renderer, receiptScript func() *packed
}

func newDocuments() documents {
	return documents{openAPI: lazily(openAPIDocument), asyncAPI: lazily(asyncAPIDocument), renderer: lazily(docsRenderer), receiptScript: lazily(receiptScript)}
}

func lazily(body []byte) func() *packed {
	return sync.OnceValue(func() *packed { return pack(body) })
}

// pinned is the widget's own files, likewise.
type pinned struct {
	// files by name.
	files     map[string]pinnedFile
	integrity func() string
}

type pinnedFile struct {
	content     func() *packed
	contentType string
}

func newPinned() pinned {
	p := pinned{integrity: sync.OnceValue(widget.Integrity), files: map[string]pinnedFile{"core.js": {lazily(widget.Core()), scriptType}}}
	for name, content := range widget.Chunks() {
		p.files[name] = pinnedFile{lazily(content), scriptType}
	}
	for _, locale := range locales() {
		if content, ok := widget.Locale(locale); ok {
			p.files[locale+".json"] = pinnedFile{lazily(content), jsonType}
		}
	}
	return p
}

// document serves one of the documents; any page may read them.
func document(file func() *packed) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
		return file().send(c, jsonType)
	}
}

func showDocs(c *fiber.Ctx) error {
	pageHeaders(c, policyDocs, "no-referrer")
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Send(docsPage)
}

func (s *Server) docsScript(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, cacheEver)
	return s.documents.renderer().send(c, scriptType)
}
