package config

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"earshot/models/trace"
)

// tracesPath is where a collector takes spans
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request).
const tracesPath = "/v1/traces"

// Tracing reads OpenTelemetry's own variables
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/):
// where they name no endpoint, nothing is traced and the answer is nil.
func Tracing(getenv func(string) string, version string) (*trace.Options, []error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	var problems []error
	bad := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...)))
	}
	o := &trace.Options{Headers: map[string]string{}, Resource: map[string]string{}, Ratio: 1}
	name := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	if o.Endpoint = getenv(name); o.Endpoint == "" {
		name = "OTEL_EXPORTER_OTLP_ENDPOINT"
		if base := getenv(name); base != "" {
			o.Endpoint = strings.TrimSuffix(base, "/") + tracesPath
		}
	}
	if o.Endpoint == "" || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	if u, err := url.Parse(o.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		bad(name, "must be an address such as http://localhost:4318")
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if protocol := getenv(name); protocol != "" && protocol != "http/protobuf" {
			bad(name, "must be http/protobuf, which is what this program speaks")
		}
	}
	for _, pairs := range []struct {
		name string
		into map[string]string
	}{
		{"OTEL_EXPORTER_OTLP_HEADERS", o.Headers}, {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", o.Headers}, {"OTEL_RESOURCE_ATTRIBUTES", o.Resource},
	} {
		read, ok := readPairs(getenv(pairs.name))
		if !ok {
			bad(pairs.name, "must be name=value, separated by commas, the values percent-encoded")
		}
		maps.Copy(pairs.into, read)
	}
	if o.Resource["service.name"] == "" {
		o.Resource["service.name"] = "earshot"
	}
	if service := getenv("OTEL_SERVICE_NAME"); service != "" {
		o.Resource["service.name"] = service
	}
	o.Resource["service.version"] = version
	o.Ratio = readSampler(getenv, bad)
	return o, problems
}

// readSampler gives the ratio of the traces that are kept.
func readSampler(getenv func(string) string, bad func(name, format string, args ...any)) float64 {
	const name, argument = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	switch strings.TrimPrefix(getenv(name), "parentbased_") {
	case "", "always_on":
		return 1
	case "always_off":
		return 0
	case "traceidratio":
		if getenv(argument) == "" {
			return 1
		}
		ratio, err := strconv.ParseFloat(getenv(argument), 64)
		if err != nil || !(ratio >= 0 && ratio <= 1) {
			bad(argument, "must be a number from 0 to 1")
		}
		return ratio
	}
	bad(name, "must be always_on, always_off or traceidratio, with parentbased_ before it or not")
	return 0
}

// readPairs reads a list of names and values. What it refuses it does not repeat:
// there may be a credential in it.
func readPairs(list string) (map[string]string, bool) {
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || err != nil || name == "" || strings.ContainsAny(name+decoded, "\r\n") {
			return nil, false
		}
		pairs[name] = decoded
	}
	return pairs, true
}
