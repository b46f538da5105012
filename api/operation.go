package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/realtime/protocol"
)

// access is who may make a call.
type access int

const (
	// accessMember needs an access token. It is the zero value: who forgets to
	// think about it gets the closed door.
	accessMember access = iota
	accessOpen
	// accessCookie is for calls that act on the refresh cookie, which browsers
	// send along by themselves: JSON from our own pages only.
	accessCookie
	// accessSignIn is for calls that set the cookie, likewise: another site could
	// sign its visitors in as somebody of its choice. Programs are admitted.
	accessSignIn
)

// operation is one line of the route table for a staff call.
type operation struct {
	method, path, id, summary string
	tag                       string
	access                    access
	status                    int
	// scope is what an API key needs for the call; without one it is people's alone.
	scope models.KeyScope
	// before is asked first, before anything of the body is read.
	before func() error
}

// asker is who makes a request. Handlers get it from their context.
type asker struct {
	claims  models.Claims
	address netip.Addr
	agent   string // as the browser calls itself
}

// by is the asker for the record of what they do.
func (a asker) by() models.By {
	by := models.By{Kind: models.ActorUser, ID: a.claims.UserID, Address: models.TruncateAddress(a.address)}
	switch {
	case a.claims.Key != nil:
		by.Kind = models.ActorKey
	case by.ID == "":
		by.Kind = models.ActorSystem
	}
	return by
}

type askerKey struct{}

func askerOf(ctx context.Context) asker {
	a, _ := ctx.Value(askerKey{}).(asker)
	return a
}

// failure carries a handler's error past huma, which would otherwise write it in
// its own words.
type failure struct{ err error }

// withheld is an error without what the asker may not read.
func withheld(claims models.Claims, err error) error {
	var readable *models.Error
	if !errors.As(err, &readable) {
		return err
	}
	current, ok := readable.Current.(*models.Feedback)
	if !ok {
		return err
	}
	shown := *readable
	shown.Current = readableFor(claims, current)
	return &shown
}

func (f *failure) Error() string  { return f.err.Error() }
func (f *failure) GetStatus() int { return http.StatusInternalServerError }

// collect is huma's transformer of answers. It takes errors out, huma's own and
// ours, so that they are answered like all others. This spares replacing
// huma.NewError, a variable that all of a process shares.
func collect(ctx huma.Context, _ string, value any) (any, error) {
	switch value := value.(type) {
	case *failure:
		ctx.(*humaCall).failed = value.err
		return struct{}{}, nil
	case *huma.ErrorModel:
		ctx.(*humaCall).failed = humaProblem(value)
		return struct{}{}, nil
	}
	return value, nil
}

// register adds a staff call. Before huma decodes anything the request has
// passed: who asks, the query's names, and the body's form.
func register[I, O any](s *Server, op operation, act func(context.Context, *I) (*O, error)) {
	documented := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Tags: []string{op.tag},
		DefaultStatus: op.status, Responses: map[string]*huma.Response{"default": problemResponse(s.huma.OpenAPI())},
	}
	if op.access == accessMember {
		documented.Security = []map[string][]string{{"bearer": {}}}
	}
	if op.access == accessCookie {
		documented.Security = []map[string][]string{{"cookie": {}}}
	}
	var body reflect.Type
	if field, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		body = field.Type
	}
	var queries []string
	documented.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		x := ctx.(*humaCall)
		who, err := s.admit(x.c, op)
		if err == nil && strings.HasPrefix(op.path, "/api/v1/") { // probes may add what they like
			err = checkStaffQuery(x.c, queries)
		}
		if err == nil {
			x.body, err = checkStaffBody(x.c, body)
		}
		if err != nil {
			x.failed = err
			return
		}
		ctx = huma.WithContext(ctx, models.WithBy(ctx.Context(), who.by()))
		next(huma.WithValue(ctx, askerKey{}, who))
	}}
	huma.Register(s.huma, documented, func(ctx context.Context, in *I) (*O, error) {
		out, err := act(ctx, in)
		if err != nil {
			return nil, &failure{err: withheld(askerOf(ctx).claims, err)}
		}
		return out, nil
	})
	for _, param := range s.operation(op).Parameters {
		if param.In == "query" {
			queries = append(queries, param.Name)
		}
	}
}

// operation finds what huma made of a registered call.
func (s *Server) operation(op operation) *huma.Operation {
	item := s.huma.OpenAPI().Paths[op.path]
	switch op.method {
	case http.MethodGet:
		return item.Get
	case http.MethodPost:
		return item.Post
	case http.MethodPatch:
		return item.Patch
	case http.MethodPut:
		return item.Put
	default:
		return item.Delete
	}
}

// admit says who asks, and refuses who may not ask at all.
func (s *Server) admit(c *fiber.Ctx, op operation) (asker, error) {
	who := asker{address: s.address(c), agent: c.Get(fiber.HeaderUserAgent)}
	if (op.access == accessCookie || op.access == accessSignIn) && !s.sameOrigin(c) {
		return who, models.Errorf(models.CodeForbidden, "this call is for the dashboard's own pages, which are at %s", s.config.BaseURL)
	}
	if op.access == accessMember {
		token, ok := bearer(c)
		if !ok {
			return who, errUnauthorized()
		}
		var err error
		if who.claims, err = s.authenticateFor(c.UserContext(), token, op.scope); err != nil {
			return who, err
		}
		c.SetUserContext(models.WithBy(c.UserContext(), who.by()))
	}
	if op.before != nil {
		return who, op.before()
	}
	return who, nil
}

// bearer is the credential of the Authorization header (RFC 6750 §2.1).
func bearer(c *fiber.Ctx) (string, bool) {
	return bearerToken(c.Get(fiber.HeaderAuthorization))
}

func bearerToken(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	if token = strings.TrimSpace(token); !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", false
	}
	return token, true
}

// checkStaffQuery holds the query to the names that the call has, each once.
func checkStaffQuery(c *fiber.Ctx, names []string) error {
	seen := make(map[string]bool, len(names))
	for rawName, rawValue := range c.Request().URI().QueryArgs().All() {
		name, value := string(rawName), string(rawValue)
		switch {
		case !slices.Contains(names, name):
			return models.Errorf(models.CodeBadRequest, "the query has a field that this call does not know")
		case seen[name]:
			return models.Errorf(models.CodeBadRequest, "the query has a field twice: %s", name)
		case !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0:
			return models.InvalidText(name, "is not valid UTF-8")
		case name == "limit":
			if n, err := strconv.Atoi(value); err != nil || n < 1 {
				return models.Errorf(models.CodeBadRequest, "limit must be a whole number from 1")
			}
		}
		seen[name] = true
	}
	return nil
}

// checkStaffBody reads what huma and encoding/json would be lenient about, and
// gives the body as they are to read it.
func checkStaffBody(c *fiber.Ctx, body reflect.Type) ([]byte, error) {
	raw := c.Body()
	contentType := c.Get(fiber.HeaderContentType)
	if body == nil {
		return raw, nil
	}
	optional := body.Kind() == reflect.Pointer
	if optional && len(raw) == 0 && contentType == "" {
		return raw, nil
	}
	if len(raw) == 0 && contentType == "" {
		return nil, models.Errorf(models.CodeBadJSON, "a JSON body is needed")
	}
	if !isMedia(contentType, fiber.MIMEApplicationJSON) {
		return nil, models.Errorf(models.CodeUnsupportedMedia, "the body must be application/json in UTF-8")
	}
	if len(raw) == 0 && optional {
		return raw, nil
	}
	return protocol.CheckJSON(raw, body)
}

// isMedia reports whether a Content-Type is the one given, in UTF-8 if it says.
func isMedia(contentType, want string) bool {
	media, params, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(media), want) {
		return false
	}
	for param := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(param), "=")
		if ok && strings.EqualFold(name, "charset") && !strings.EqualFold(strings.Trim(value, `"`), "utf-8") {
			return false
		}
	}
	return true
}

func problemResponse(doc *huma.OpenAPI) *huma.Response {
	schema := doc.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{
		Description: "The call was refused; code says why",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
	}
}
