package api

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"earshot/models"
	"earshot/realtime"
)

const (
	// maxBody bounds a request's body.
	maxBody = 256 << 10
	// serverBody is where the server stops reading. Between the two a body is
	// read whole and refused on a connection that stays usable.
	serverBody = 1 << 20
	// headerBuffer bounds the request line with all headers.
	headerBuffer = 8 << 10
	// answerTime is what a client gets to take in one answer, from the moment it
	// is made: a long poll's wait comes before.
	answerTime = 30 * time.Second
)

func (s *Server) newApp() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName: "earshot",
		// Strings that outlive a request must not change under their holders.
		Immutable:             true,
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		ReduceMemoryUsage:     true,
		// Bodies are JSON; what says to be a form must not be parsed to be refused.
		DisablePreParseMultipartForm: true,
		BodyLimit:                    serverBody,
		ReadBufferSize:               headerBuffer,
		ReadTimeout:                  10 * time.Second,
		WriteTimeout:                 answerTime,
		IdleTimeout:                  time.Minute,
		ErrorHandler:                 s.fail,
	})
	// Fiber answers methods that it does not know by itself, as plain text.
	server := app.Server()
	realtime.Prepare(app)
	server.HeaderReceived = s.roomForUploads
	next := server.Handler
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
			next(ctx)
			return
		}
		c := app.AcquireCtx(ctx)
		defer app.ReleaseCtx(c)
		s.requests.next(c)
		c.Set(fiber.HeaderAllow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		if err := s.fail(c, fiber.ErrMethodNotAllowed); err != nil {
			s.log.Error("answer unknown method", "error", err)
		}
	}
	return app
}

// enter is around every request: it answers what goes wrong inside, so that the
// headers and the log know the status.
func (s *Server) enter(c *fiber.Ctx) (err error) {
	s.requests.next(c)
	began := time.Now()
	s.metrics.HTTP.InFlight.Inc()
	defer s.countRequest(c, began)
	if s.tracer != nil {
		defer s.endSpan(c, s.beginSpan(c, began))
	}
	if s.log.Enabled(c.UserContext(), slog.LevelDebug) {
		defer s.logRequest(c, s.now())
	}
	if err := s.guarded(c); err != nil {
		return s.fail(c, err)
	}
	return nil
}

// guarded turns a panic into an error: its value is ours alone to see.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n%s", value, debug.Stack())
		}
	}()
	s.commonHeaders(c)
	s.visitorHeaders(c)
	if isUpload(c.Method(), c.Path()) {
		defer s.uploads.end(&c.Context().Request.Header)
	}
	if err := s.checkRequest(c); err != nil {
		return err
	}
	return c.Next()
}

// checkRequest refuses what no address takes.
func (s *Server) checkRequest(c *fiber.Ctx) error {
	// The framework would inflate such a body past every limit.
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return models.Errorf(models.CodeUnsupportedMedia, "a body must not have a Content-Encoding")
	}
	if len(c.Request().Body()) <= maxBody {
		return checkQuery(c)
	}
	if !isUpload(c.Method(), c.Path()) {
		return errTooLarge()
	}
	if s.uploads.wasRefused(&c.Context().Request.Header) {
		return errNoRoom()
	}
	return checkQuery(c)
}

// credentialNames are query fields, in lower case without "-" and "_", in which
// a credential may be meant. Addresses end up in logs, histories and Referer
// headers, so one is refused rather than used, and its sender learns of it.
func credentialName(name string) bool {
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name)) {
	case "token", "accesstoken", "refreshtoken", "resumetoken", "idtoken", "authtoken", "bearer", "bearertoken",
		"authorization", "jwt", "ticket", "apikey", "secret", "clientsecret", "password", "passwd", "pwd",
		"passphrase", "credential", "credentials", "cookie", "earshotrefresh":
		return true
	}
	return false
}

// credentialValue knows credentials of ours by their form, whatever they are
// called: API keys and access tokens (base64url of {" is eyJ).
func credentialValue(value string) bool {
	if token, ok := bearerToken(value); ok {
		value = token
	}
	return strings.HasPrefix(value, "sk_") && len(value) > 40 || strings.HasPrefix(value, "eyJ") && strings.Count(value, ".") == 2
}

const ticketPath = "/api/v1/socket"

func checkQuery(c *fiber.Ctx) error {
	if len(c.Request().URI().QueryString()) == 0 {
		return nil
	}
	for name, value := range c.Request().URI().QueryArgs().All() {
		named := credentialName(string(name)) && (string(name) != "ticket" || c.Path() != ticketPath)
		if named || credentialValue(string(value)) {
			return models.Errorf(models.CodeBadRequest, "a credential must not be in the query: send it in the Authorization header or in the body")
		}
	}
	return nil
}

// logRequest names the route and never the address, which may hold a receipt or
// what a visitor typed.
func (s *Server) logRequest(c *fiber.Ctx, began time.Time) {
	s.log.Debug("request", "method", knownMethod(c), "route", c.Route().Path, "status", c.Response().StatusCode(),
		"took", s.now().Sub(began), "request_id", requestID(c))
}

// knownMethod is the method, unless a client made it up.
func knownMethod(c *fiber.Ctx) string {
	if method := c.Method(); slices.Contains(fiber.DefaultMethods, method) {
		return method
	}
	return "unknown"
}

// requestIDs names requests: the server's start and a count.
type requestIDs struct {
	prefix atomic.Pointer[string]
	count  atomic.Uint64
}

const requestIDHeader = "X-Request-Id"

func (r *requestIDs) next(c *fiber.Ctx) {
	prefix := r.prefix.Load()
	if prefix == nil {
		fresh := models.NewToken()[:8] + "-"
		r.prefix.CompareAndSwap(nil, &fresh)
		prefix = r.prefix.Load()
	}
	c.Response().Header.Set(requestIDHeader, *prefix+strconv.FormatUint(r.count.Add(1), 36))
}

func requestID(c *fiber.Ctx) string { return string(c.Response().Header.Peek(requestIDHeader)) }
