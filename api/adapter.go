package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
)

// router is what huma registers its calls with. It takes the place of huma's
// own adapter, which needs two versions of Fiber, answers no HEAD, and has
// nowhere to put an error.
type router struct{ app *fiber.App }

// Handle implements huma.Adapter. Wherever there is GET there is HEAD.
func (r router) Handle(op *huma.Operation, handler func(huma.Context)) {
	path := strings.NewReplacer("{", ":", "}", "").Replace(op.Path)
	handle := func(c *fiber.Ctx) error {
		x := &humaCall{c: c, op: op, ctx: c.UserContext()}
		handler(x)
		return x.failed
	}
	if op.Method == fiber.MethodGet {
		r.app.Add(fiber.MethodHead, path, handle)
	}
	r.app.Add(op.Method, path, handle)
}

// ServeHTTP implements huma.Adapter.
func (r router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	adaptor.FiberApp(r.app)(w, request)
}

// humaCall is one request and its answer as huma sees them: the only kind of
// huma.Context here. It is good until its handler returns. Strings are copies
// (fiber.Config.Immutable); the body was read, and held to its bounds, before.
type humaCall struct {
	c    *fiber.Ctx
	op   *huma.Operation
	ctx  context.Context
	body []byte
	// failed is what the call is refused with, instead of what huma wrote.
	failed error
}

var _ huma.Context = (*humaCall)(nil)

// WithContext is found by huma.WithContext. There is one a request, so
// that a failure is never left behind on a copy.
func (x *humaCall) WithContext(ctx context.Context) huma.Context {
	x.ctx = ctx
	return x
}

// What huma reads.

func (x *humaCall) Operation() *huma.Operation { return x.op }
func (x *humaCall) Context() context.Context   { return x.ctx }
func (x *humaCall) TLS() *tls.ConnectionState  { return x.c.Context().TLSConnectionState() }
func (x *humaCall) Version() huma.ProtoVersion { return huma.ProtoVersion{Proto: x.c.Protocol()} }
func (x *humaCall) Method() string             { return x.c.Method() }
func (x *humaCall) Host() string               { return x.c.Hostname() }
func (x *humaCall) RemoteAddr() string         { return x.c.Context().RemoteAddr().String() }
func (x *humaCall) Param(name string) string   { return x.c.Params(name) }
func (x *humaCall) Query(name string) string   { return x.c.Query(name) }
func (x *humaCall) Header(name string) string  { return x.c.Get(name) }
func (x *humaCall) BodyReader() io.Reader      { return bytes.NewReader(x.body) }

// URL is empty where the address has no valid form.
func (x *humaCall) URL() url.URL {
	u, err := url.Parse(string(x.c.Request().RequestURI()))
	if err != nil {
		return url.URL{}
	}
	return *u
}

func (x *humaCall) EachHeader(each func(name, value string)) {
	for name, value := range x.c.Request().Header.All() {
		each(string(name), string(value))
	}
}

// GetMultipartForm is for uploads, which no call takes.
func (x *humaCall) GetMultipartForm() (*multipart.Form, error) { return nil, http.ErrNotMultipart }

// SetReadDeadline has nothing to do: the server's own timeout has read the body.
func (x *humaCall) SetReadDeadline(time.Time) error { return nil }

// What huma writes.

func (x *humaCall) SetStatus(code int)              { x.c.Status(code) }
func (x *humaCall) Status() int                     { return x.c.Response().StatusCode() }
func (x *humaCall) SetHeader(name, value string)    { x.c.Set(name, value) }
func (x *humaCall) AppendHeader(name, value string) { x.c.Response().Header.Add(name, value) }
func (x *humaCall) BodyWriter() io.Writer           { return x.c.Response().BodyWriter() }
