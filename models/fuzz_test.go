package models

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// FuzzOrigin holds the comparison of origins against what net/url reads in them: what
// is admitted is on a host that the entry names.
func FuzzOrigin(f *testing.F) {
	for _, entry := range []string{"https://shop.example", "https://*.shop.example", "http://localhost:*", "https://shop.example:8443", "HTTPS://Shop.Example:443", "http://[::1]:*", "https://*.co", "null"} {
		for _, origin := range []string{"https://shop.example", "https://a.shop.example", "https://shop.example.evil.example", "http://localhost:3000", "https://shop.example@evil.example", "https://evilshop.example", "null", "http://[::1]:1", "https://shop.example:443/"} {
			f.Add(entry, origin)
		}
	}
	f.Fuzz(func(t *testing.T, entry, origin string) {
		normal, ok := normalizeOriginEntry(entry)
		if !ok {
			return
		}
		if again, ok := normalizeOriginEntry(normal); !ok || again != normal {
			t.Fatalf("%q is kept as %q, which is kept as %q", entry, normal, again)
		}
		if origin == "" || !(Origins{normal}).Allows(origin) {
			return
		}
		u, err := url.Parse(strings.ToLower(origin))
		if err != nil || u.User != nil {
			t.Fatalf("%q admits %q, which is no origin", normal, origin)
		}
		scheme, rest, _ := strings.Cut(normal, "://")
		if u.Scheme != scheme {
			t.Fatalf("%q admits %q", normal, origin)
		}
		switch domain, any := strings.CutPrefix(rest, "*."); {
		case any:
			if !strings.HasSuffix(u.Host, "."+domain) && !strings.HasSuffix(u.Hostname(), "."+domain) {
				t.Fatalf("%q admits %q", normal, origin)
			}
		case strings.HasSuffix(rest, ":*"):
			if want := strings.Trim(strings.TrimSuffix(rest, ":*"), "[]"); u.Hostname() != want {
				t.Fatalf("%q admits %q", normal, origin)
			}
		default:
			want, err := url.Parse(normal)
			if err != nil || u.Hostname() != want.Hostname() {
				t.Fatalf("%q admits %q", normal, origin)
			}
		}
	})
}

// FuzzPageURL: what is taken for the address of a page is one that can be shown as a
// link, and is on an origin that admits it.
func FuzzPageURL(f *testing.F) {
	for _, address := range []string{
		"https://shop.example/cart?a=1#top", "javascript:alert(1)", "java\nscript:alert(1)", "https://user:pass@shop.example/", "HTTP://SHOP.EXAMPLE",
		"https:///nowhere", "data:text/html,x", "https://[::1]:80/", "https://shop.example\u202e/", "//shop.example", "https://shop.example:99999/",
	} {
		f.Add(address)
	}
	entry := Origins{"https://shop.example"}
	f.Fuzz(func(t *testing.T, address string) {
		if CheckPageURL(address) != nil {
			return
		}
		if !strings.HasPrefix(strings.ToLower(address), "http://") && !strings.HasPrefix(strings.ToLower(address), "https://") {
			t.Fatalf("%q was taken", address)
		}
		if strings.ContainsFunc(address, unicode.IsControl) {
			t.Fatalf("%q was taken with a control character", address)
		}
		_, rest, _ := strings.Cut(address, "://")
		rest = rest[:len(rest)-len(strings.TrimLeftFunc(rest, func(r rune) bool { return !strings.ContainsRune("/?#", r) }))]
		u, err := url.Parse("https://" + rest)
		if err != nil || u.Hostname() == "" {
			t.Fatalf("%q was taken, whose host is %q", address, rest)
		}
		if entry.AllowsPage(address) && !strings.EqualFold(u.Hostname(), "shop.example") {
			t.Fatalf("%q is not of %v", address, entry)
		}
	})
}

// FuzzSubmission: what Normalize has taken, it takes again and leaves as it is.
func FuzzSubmission(f *testing.F) {
	f.Add("https://shop.example/", " The total is wrong ", "Ann@Shop.Example ", " Ann ", `{"b":1,"a":[1.0,2e3,"<"]}`, "bug", 5)
	f.Add("https://shop.example/", "\x00", "a@b@c", "\u202e", `{"a":{"a":null}}`, "", 0)
	f.Add("https://shop.example/", "x", "", "", `[]`, "other", -1)
	f.Add("https://shop.example/", "x", "", "", `{"a":1}{}`, "idea", 6)
	f.Fuzz(func(t *testing.T, page, message, email, name, context, kind string, rating int) {
		s := Submission{ID: "0195aaaa-0000-7000-8000-000000000001", PageURL: page, Message: message, Email: email, Name: name, Context: []byte(context), Kind: Kind(kind), Rating: rating}
		if s.Normalize() != nil {
			return
		}
		again := s
		if err := again.Normalize(); err != nil {
			t.Fatalf("what was taken is refused: %v", err)
		}
		if string(again.Fingerprint()) != string(s.Fingerprint()) {
			t.Fatalf("taken again it is another: %+v, %+v", again, s)
		}
	})
}
