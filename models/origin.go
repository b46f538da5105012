package models

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

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

// normalizeOrigin lowers case, drops default ports and writes names in ASCII (RFC
// 5891), as browsers do.
func normalizeOrigin(s string) (string, bool) {
	s, ok := asciiHost(strings.ToLower(s))
	if !ok {
		return "", false
	}
	u, err := url.Parse(s)
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

// asciiHost writes the name in an origin as browsers send it. What would be decoded
// in it is refused: no browser writes one so.
func asciiHost(origin string) (string, bool) {
	if strings.Contains(origin, "%") {
		return "", false
	}
	if !strings.ContainsFunc(origin, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return origin, true
	}
	scheme, rest, ok := strings.Cut(origin, "://")
	end := strings.IndexAny(rest, ":/?#")
	if end < 0 {
		end = len(rest)
	}
	host, err := idna.Lookup.ToASCII(rest[:end])
	return scheme + "://" + host + rest[end:], ok && err == nil
}

// validPort admits the ports that a browser can name, as it writes them.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && port[0] != '0'
}

// normalizeOriginEntry checks one entry of a project's list.
func normalizeOriginEntry(s string) (string, bool) {
	s = strings.TrimSpace(s)
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
