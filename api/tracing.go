package api

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models/metrics"
	"earshot/models/trace"
)

func (s *Server) startTracing() {
	if s.config.Tracing == nil {
		return
	}
	options := *s.config.Tracing
	options.Exported = s.metrics.Traced
	options.Failed = func(err error) { s.config.Log.Warn("traces could not be handed over", "error", err) }
	s.tracer = trace.Start(options)
}

// probes are asked every few seconds, and nobody wants to know how that went.
var probes = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

// beginSpan begins a request's span, as a part of the trace that the request says it
// comes from; nil where that is not kept.
func (s *Server) beginSpan(c *fiber.Ctx, at time.Time) *trace.Span {
	if probes[c.Path()] {
		return nil
	}
	span := s.tracer.Begin(trace.ReadParent(c.Get("Traceparent")), knownMethod(c), trace.Server, at)
	c.SetUserContext(trace.With(c.UserContext(), span))
	return span
}

// endSpan names the route and never the address, which may hold a receipt
// (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
func (s *Server) endSpan(c *fiber.Ctx, span *trace.Span) {
	if span == nil {
		return
	}
	method, status := knownMethod(c), c.Response().StatusCode()
	span.Set(
		trace.Attribute{Name: "http.request.method", Value: method},
		trace.Attribute{Name: "http.response.status_code", Value: int64(status)},
	)
	if route := routeOf(c); route != metrics.NoRoute {
		span.Rename(method + " " + route)
		span.Set(trace.Attribute{Name: "http.route", Value: route})
	}
	if status >= fiber.StatusInternalServerError {
		span.Fail(http.StatusText(status))
	}
	span.End(time.Now())
}
