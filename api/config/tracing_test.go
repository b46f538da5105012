package config

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestTracing(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, tc := range []struct {
		name string
		env  map[string]string
		// want is the endpoint, "" for no tracing; refused is what problems must name.
		want, refused string
		ratio         float64
	}{
		{"nothing", nil, "", "", 0},
		{"a collector", map[string]string{endpoint: "http://localhost:4318/"}, "http://localhost:4318/v1/traces", "", 1},
		{"an address of its own", map[string]string{endpoint: "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://b/x"}, "https://b/x", "", 1},
		{"disabled", map[string]string{endpoint: "http://localhost:4318", "OTEL_SDK_DISABLED": "true"}, "", "", 0},
		{"no exporter", map[string]string{endpoint: "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"}, "", "", 0},
		{"a ratio", map[string]string{endpoint: "http://a:1", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}, "http://a:1/v1/traces", "", 0.25},
		{"a ratio that is none", map[string]string{endpoint: "http://a:1", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "NaN"}, "-", "OTEL_TRACES_SAMPLER_ARG", 0},
		{"another sampler", map[string]string{endpoint: "http://a:1", "OTEL_TRACES_SAMPLER": "jaeger_remote"}, "-", "OTEL_TRACES_SAMPLER", 0},
		{"gRPC", map[string]string{endpoint: "http://a:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "-", "OTEL_EXPORTER_OTLP_PROTOCOL", 0},
		{"no address", map[string]string{endpoint: "localhost:4318"}, "-", endpoint, 0},
		{"headers that are none", map[string]string{endpoint: "http://a:1", "OTEL_EXPORTER_OTLP_HEADERS": "sEcret"}, "-", "OTEL_EXPORTER_OTLP_HEADERS", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			options, problems := Tracing(func(name string) string { return tc.env[name] }, "1.2.3")
			if tc.refused != "" {
				if err := errors.Join(problems...); err == nil || !strings.HasPrefix(err.Error(), tc.refused+": ") || strings.Contains(err.Error(), "sEcret") {
					t.Errorf("problems = %v, want one of %s", problems, tc.refused)
				}
				return
			}
			switch {
			case len(problems) > 0 || (options != nil) != (tc.want != ""):
				t.Errorf("options = %+v, problems %v", options, problems)
			case options != nil && (options.Endpoint != tc.want || options.Ratio != tc.ratio):
				t.Errorf("options = %+v, want %s and %v", options, tc.want, tc.ratio)
			}
		})
	}
	options, _ := Tracing(func(name string) string {
		return map[string]string{
			endpoint: "http://a:1", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x = y", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test", "OTEL_SERVICE_NAME": "feedback",
		}[name]
	}, "1.2.3")
	wantHeaders := map[string]string{"api-key": "a b", "x": "y"}
	wantResource := map[string]string{"deployment.environment": "test", "service.name": "feedback", "service.version": "1.2.3"}
	if !maps.Equal(options.Headers, wantHeaders) || !maps.Equal(options.Resource, wantResource) {
		t.Errorf("headers %v and resource %v, want %v and %v", options.Headers, options.Resource, wantHeaders, wantResource)
	}
}
