package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"earshot/models"
)

const problemType = "application/problem+json"

// Problem is an error as clients read it (RFC 9457).
type Problem struct {
	Type   string              `json:"type" doc:"about:blank: the code says it all"`
	Title  string              `json:"title" doc:"The status in words"`
	Status int                 `json:"status"`
	Detail string              `json:"detail" doc:"For people; may change"`
	Code   models.Code         `json:"code" doc:"For programs; never changes"`
	Errors []models.FieldError `json:"errors,omitempty" doc:"The fields that are not valid"`
	// RetryAfterMS says what the header Retry-After says in whole seconds, as the
	// sockets' errors do.
	RetryAfterMS int64 `json:"retry_after_ms,omitempty" doc:"Milliseconds after which to try again"`
	// Current is set by a conflict of revisions.
	Current *Feedback `json:"current,omitempty" doc:"With code conflict: the object as it is now"`
}

// retryUnavailable is what clients wait where nothing better is known.
const retryUnavailable = time.Second

// fail answers a request with an error: the only place that does. It is Fiber's
// ErrorHandler too, for what the server refuses before any handler.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	// Also where a body broke off: nothing but its place in memory tells then what the
	// request was.
	if s.uploads.end(&c.Context().Request.Header) {
		err = errNoRoom()
		discardBody(c)
	}
	problem, retry := s.problem(c, err)
	if problem.Status == fiber.StatusRequestEntityTooLarge {
		if isUpload(c.Method(), c.Path()) {
			problem.Detail = errFileTooLarge(c.Path()).Message
		}
		discardBody(c)
	}
	body, err := json.Marshal(problem)
	if err != nil {
		return err
	}
	c.Response().ResetBody()
	for _, name := range []string{fiber.HeaderContentEncoding, fiber.HeaderETag, fiber.HeaderCacheControl} {
		c.Response().Header.Del(name)
	}
	s.commonHeaders(c)
	s.visitorHeaders(c)
	if requestID(c) == "" { // the server could not read the request
		s.metrics.HTTP.Unread(problem.Status)
		// Whose page it came from is not known. The refusal holds nothing; any page
		// may learn of it.
		if c.Response().Header.Peek(fiber.HeaderAccessControlAllowOrigin) == nil {
			c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, problemType)
	if problem.Status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
	}
	if retry > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(retry.Seconds()))))
	}
	return c.Status(problem.Status).Send(body)
}

// problem is the one translation of errors. What is not meant for clients is
// logged here, once, with its cause.
func (s *Server) problem(c *fiber.Ctx, err error) (problem Problem, retry time.Duration) {
	var readable *models.Error
	if fromFiber := (*fiber.Error)(nil); errors.As(err, &fromFiber) {
		readable, problem.Status = serverProblem(fromFiber)
	} else if !errors.As(err, &readable) {
		s.log.Error("request failed", "method", knownMethod(c), "route", c.Route().Path, "request_id", requestID(c), "error", err)
		readable = models.Errorf(models.CodeInternal, "something went wrong on our side")
	}
	if problem.Status == 0 {
		problem.Status = readable.Code.HTTPStatus()
	}
	s.metrics.Refused("http", string(readable.Code))
	problem.Type, problem.Title = "about:blank", http.StatusText(problem.Status)
	problem.Code, problem.Detail, problem.Errors = readable.Code, readable.Message, readable.Fields
	if current, ok := readable.Current.(*models.Feedback); ok {
		if err := s.store.FillFiles(c.UserContext(), current); err != nil {
			s.log.Error("read the files of what is in conflict", "error", err)
		}
		body := s.feedbackBody(current)
		problem.Current = &body
	}
	if retry = readable.RetryAfter; retry <= 0 && (problem.Status == fiber.StatusServiceUnavailable || problem.Status == fiber.StatusTooManyRequests) {
		retry = retryUnavailable
	}
	problem.RetryAfterMS = retry.Milliseconds()
	return problem, retry
}

// serverProblem gives the errors of the router and of the HTTP server our codes.
// Their own texts repeat what the client sent, so they are not passed on; those
// for 426 are written in this program.
func serverProblem(err *fiber.Error) (readable *models.Error, status int) {
	switch err.Code {
	case fiber.StatusNotFound:
		return models.Errorf(models.CodeNotFound, "there is nothing at this address"), 0
	case fiber.StatusMethodNotAllowed:
		return models.Errorf(models.CodeMethodNotAllowed, "this address does not know the method"), 0
	case fiber.StatusRequestEntityTooLarge:
		return errTooLarge(), 0
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return models.Errorf(models.CodeTooLarge, "the headers are too large"), err.Code
	case fiber.StatusRequestTimeout:
		return models.Errorf(models.CodeBadRequest, "the request did not arrive in time"), err.Code
	case fiber.StatusUpgradeRequired:
		return models.Errorf(models.CodeBadRequest, "%s", err.Message), err.Code
	}
	return models.Errorf(models.CodeBadRequest, "this is not a valid request"), 0
}

func errTooLarge() *models.Error {
	return models.Errorf(models.CodeTooLarge, "the body is larger than %d KiB", maxBody>>10)
}

// humaProblem gives huma's own refusals our form. It names fields and drops the
// values that huma repeats: a password may be among them.
func humaProblem(model *huma.ErrorModel) error {
	refused := models.InvalidFields()
	switch model.Status {
	case http.StatusUnprocessableEntity:
	case http.StatusBadRequest:
		refused = models.Errorf(models.CodeBadRequest, "this is not a valid request")
	case http.StatusRequestEntityTooLarge:
		return errTooLarge()
	default:
		return errors.New(model.Detail)
	}
	for _, detail := range model.Errors {
		path := detail.Location
		for _, prefix := range []string{"body", "query", "path", "header", "cookie"} {
			if rest, ok := strings.CutPrefix(path, prefix); ok && (rest == "" || rest[0] == '.') {
				path = strings.TrimPrefix(rest, ".")
				break
			}
		}
		path = strings.NewReplacer("[", ".", "]", "").Replace(path) // as everywhere else
		message := detail.Message
		if name, ok := strings.CutPrefix(message, "expected required property "); ok {
			name, _, _ = strings.Cut(name, " ")
			path, message = strings.TrimPrefix(path+"."+name, "."), "is required"
		} else if !strings.HasPrefix(message, "expected") && message != "unexpected property" {
			message = "is not valid"
		}
		refused.Fields = append(refused.Fields, models.FieldError{Path: path, Message: message})
	}
	return refused
}

// discardBody takes in what is left of a body that was refused, for a moment:
// closing a connection with unread data resets it, and the client would never
// read why.
func discardBody(c *fiber.Ctx) {
	const idle, longest, most = 2 * time.Second, 6 * time.Second, 32 << 20
	conn := c.Context().Conn()
	// The server gives either the whole body or, where it stopped reading, none of
	// it; what a request in chunks declared is then gone as well.
	if conn == nil || len(c.Request().Body()) > 0 {
		return
	}
	end := time.Now().Add(longest)
	buf := make([]byte, 64<<10)
	for total := 0; total < most && time.Now().Before(end); {
		if conn.SetReadDeadline(time.Now().Add(idle)) != nil {
			return
		}
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}
