package models

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Origins is the list of web origins whose pages may embed a project's widget.
// An entry is an exact origin, "https://*.example.com" (any subdomain, not the
// domain itself) or "http://localhost:*" (any port). The empty list admits all.
type Origins []string

// maxOrigins bounds what each visitor's request is compared with.
const maxOrigins = 100

// Allows reports whether a request with this Origin header may proceed. An
// absent header is admitted: programs send none, and it proves nothing either
// way. "null" comes from sandboxed frames and files of anybody.
func (o Origins) Allows(origin string) bool {
	if len(o) == 0 || origin == "" {
		return true
	}
	got, ok := normalizeOrigin(origin)
	if !ok {
		return false
	}
	for _, entry := range o {
		if originMatches(entry, got) {
			return true
		}
	}
	return false
}

func originMatches(entry, got string) bool {
	if scheme, domain, ok := strings.Cut(entry, "://*."); ok {
		gotScheme, host, _ := strings.Cut(got, "://")
		return gotScheme == scheme && strings.HasSuffix(host, "."+domain)
	}
	if prefix, ok := strings.CutSuffix(entry, ":*"); ok {
		return got == prefix || strings.HasPrefix(got, prefix+":")
	}
	return entry == got
}

// plainOrigin reports whether s is in the letters in which browsers write origins:
// ASCII, others as "xn--…", and IPv6 without a zone. Anything else would match no page,
// or in lower case be another host.
func plainOrigin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || r == '%' })
}

// normalizeOrigin lowers case and drops default ports, as browsers do.
func normalizeOrigin(s string) (string, bool) {
	if !plainOrigin(s) {
		return "", false
	}
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" ||
		u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") || !isHTTP(u.Scheme) {
		return "", false
	}
	if port := u.Port(); port != "" && !validPort(port) {
		return "", false
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	host = strings.TrimSuffix(host, ":")
	return u.Scheme + "://" + host, u.Hostname() != ""
}

// asciiHost writes the name in an origin as browsers send it (RFC 5891).
func asciiHost(origin string) (string, bool) {
	scheme, rest, ok := strings.Cut(origin, "://")
	if !ok || plainOrigin(rest) {
		return origin, true
	}
	end := strings.IndexAny(rest, ":/?#")
	if end < 0 {
		end = len(rest)
	}
	any, host := "", rest[:end]
	if name, ok := strings.CutPrefix(host, "*."); ok {
		any, host = "*.", name
	}
	host, err := idna.Lookup.ToASCII(host)
	return scheme + "://" + any + host + rest[end:], err == nil
}

// validPort admits the ports that a browser can name, as it writes them.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '0'
}

// normalizeOriginEntry checks one entry of a project's list.
func normalizeOriginEntry(s string) (string, bool) {
	s, ok := asciiHost(strings.TrimSpace(s))
	if !ok || !plainOrigin(s) {
		return "", false
	}
	lower := strings.ToLower(s)
	if base, ok := strings.CutSuffix(lower, ":*"); ok {
		origin, ok := normalizeOrigin(base)
		host := origin[strings.LastIndex(origin, "/")+1:]
		loopback := host == "localhost"
		if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
			loopback = addr.IsLoopback()
		}
		return origin + ":*", ok && loopback
	}
	if scheme, domain, ok := strings.Cut(lower, "://*."); ok {
		origin, ok := normalizeOrigin(scheme + "://" + domain)
		rest := strings.TrimPrefix(origin, scheme+"://")
		return scheme + "://*." + rest, ok && strings.Contains(rest, ".") && !strings.Contains(rest, "*")
	}
	origin, ok := normalizeOrigin(lower)
	return origin, ok && !strings.Contains(origin, "*")
}

// AllowsPage reports whether a page's address is of one of the origins. The empty
// list admits all.
func (o Origins) AllowsPage(address string) bool {
	scheme, rest, _ := strings.Cut(address, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	origin := address[:min(len(scheme)+len("://")+len(rest), len(address))]
	for _, entry := range o { // as nearly all are written
		if originMatches(entry, origin) {
			return true
		}
	}
	return len(o) == 0 || o.Allows(origin)
}
