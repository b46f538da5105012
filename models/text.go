package models

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of texts, in Unicode code points unless the name says bytes.
const (
	MaxMessage      = 5000
	MaxDraft        = 5000
	MaxPageURL      = 2048
	MaxName         = 200
	MaxEmail        = 254 // RFC 5321 §4.5.3.1.3 less the angle brackets
	MaxContextBytes = 16 << 10
)

// checkText finds what no text of ours may hold: invalid UTF-8 and NUL. Other
// control characters are the visitor's business; they are shown as text.
func checkText(p *problems, path, s string) bool {
	switch {
	case !utf8.ValidString(s):
		p.addText(path, "is not valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		p.addText(path, "contains a NUL character")
	default:
		return true
	}
	return false
}

// checkLength holds s to min..max code points.
func checkLength(p *problems, path, s string, minimum, maximum int) bool {
	// A code point has at most 4 bytes, so most texts need no count.
	if len(s) >= minimum*utf8.UTFMax && len(s) <= maximum {
		return true
	}
	n := utf8.RuneCountInString(s)
	switch {
	case n < minimum && n == 0:
		p.add(path, "must not be empty")
	case n < minimum:
		p.add(path, "must have at least %d characters", minimum)
	case n > maximum:
		p.add(path, "must have at most %d characters", maximum)
	default:
		return true
	}
	return false
}

// checkPageURL admits http and https addresses only. Browsers drop tabs and
// line ends inside a scheme, so any control character is refused before the
// parser sees it: "java\nscript:" must not get past us. Only scheme and host are
// parsed: browsers leave a bare "%" in paths and fragments, net/url refuses it,
// and a visitor of such a page has something to say too.
func checkPageURL(p *problems, path, s string) {
	if !checkText(p, path, s) || !checkLength(p, path, s, 1, MaxPageURL) {
		return
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		p.add(path, "must not contain control characters")
		return
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	u, err := url.Parse(scheme + "://" + rest)
	if !ok || err != nil || u.Hostname() == "" || !isHTTP(scheme) {
		p.add(path, "must be an http or https address")
	}
}

func isHTTP(scheme string) bool {
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}

// normalizeEmail trims an address and lowers its case. Addresses are compared
// without case: no large mail provider tells "A@" from "a@".
func normalizeEmail(s string) string {
	return strings.ToLower(strings.TrimSpace(s))
}

// checkEmail asks for one "@" between two parts without white space. Whether
// the mailbox exists only a mail can tell.
func checkEmail(p *problems, s string) {
	const path = "email"
	if !checkText(p, path, s) {
		return
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || len(s) > MaxEmail || strings.Contains(domain, "@") ||
		strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		p.add(path, "must be an e-mail address")
	}
}

// CheckPageURL holds the address of a page to what checkPageURL admits.
func CheckPageURL(s string) error {
	var p problems
	checkPageURL(&p, "page_url", s)
	return p.err()
}
