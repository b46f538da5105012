package models

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Whatever the entry and the header, an origin has one form, and an entry admits
// nothing but what it names, as another reader of addresses has it.
func FuzzOrigins(f *testing.F) {
	for _, seed := range [][2]string{
		{"https://example.com", "HTTPS://Example.COM:443/"}, {"http://example.com:80", "http://example.com:"},
		{"https://*.example.com", "https://a.b.example.com"}, {"https://*.example.com:8443", "https://www.example.com:8443"},
		{"http://localhost:*", "http://localhost:3000"}, {"http://[::1]:*", "http://[::1]"}, {"http://127.0.0.2:*", "http://127.0.0.2:80"},
		{"https://[2001:db8::443]", "https://[2001:DB8::443]"}, {"http://[fe80::1%25eth0]", "http://[fe80::1%25ETH0]"},
		{"https://bücher.example", "https://xn--bcher-kva.example"}, {"https://%c3%84.example", "https://%e4.example"},
		{"https://K.example", "null"}, {"https://a@b.example", "https://example.com@evil.test"}, {"https://*.example.com", "https://*.example.com"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, entry, origin string) {
		normal, valid := normalizeOrigin(origin)
		if valid {
			if again, ok := normalizeOrigin(normal); !ok || again != normal {
				t.Fatalf("%q is brought to %q, and that to %q, %v", origin, normal, again, ok)
			}
		}
		rule, ok := normalizeOriginEntry(entry)
		if !ok {
			return
		}
		if again, ok := normalizeOriginEntry(rule); !ok || again != rule {
			t.Fatalf("the entry %q is brought to %q, and that to %q, %v", entry, rule, again, ok)
		}
		list := Origins{rule}
		admitted := origin != "" && list.Allows(origin)
		if admitted && !valid || valid && admitted != list.Allows(normal) {
			t.Fatalf("%q admits %q: %v, and not so its normal form %q", rule, origin, admitted, normal)
		}
		if admitted && !names(rule, normal) {
			t.Fatalf("%q admits %q", rule, normal)
		}
		if address := normal + "/path"; valid && list.AllowsPage(address) != list.Allows(normal) {
			t.Fatalf("%q has the origin %s and the page %s apart", rule, normal, address)
		}
	})
}

// names reports whether an entry means an origin, by the parts of both.
func names(entry, origin string) bool {
	scheme, rest, _ := strings.Cut(entry, "://")
	domain, anySub := strings.CutPrefix(rest, "*.")
	domain, anyPort := strings.CutSuffix(domain, ":*")
	want, err := url.Parse(scheme + "://" + domain)
	if err != nil {
		return false
	}
	got, err := url.Parse(origin)
	if err != nil || got.Scheme != want.Scheme || got.User != nil || got.Path != "" || !anyPort && got.Port() != want.Port() {
		return false
	}
	if anySub {
		return len(got.Hostname()) > len(want.Hostname())+1 && strings.HasSuffix(got.Hostname(), "."+want.Hostname())
	}
	return got.Hostname() == want.Hostname()
}

// What passes as a page's address is one of http or https with a host, for any
// reader, and runs nothing where somebody follows it.
func FuzzPageURL(f *testing.F) {
	for _, seed := range []string{
		"https://shop.example/cart?a=%#top", "HTTP://[::1]:8080", "javascript:alert(1)", "java\nscript://x/%0aalert(1)", "https://",
		"https:///x", "https://evil.test\\.shop.example/", "https://u:p@shop.example", " https://shop.example", "//shop.example",
		"https://shop.example\x00", "https://\xff", "data:text/html,x", "https://a:b/", "https://?#", "http://a b/",
	} {
		f.Add(seed)
	}
	shop := Origins{"https://shop.example", "https://*.shop.example"}
	f.Fuzz(func(t *testing.T, address string) {
		if CheckPageURL(address) != nil {
			return
		}
		if !regexp.MustCompile(`^(?i:https?)://[^/?#\\\x00-\x20\x7f]+([/?#]|$)`).MatchString(address) {
			t.Fatalf("%q passes", address)
		}
		authority, _, _ := strings.Cut(strings.NewReplacer("?", "/", "#", "/").Replace(address[strings.Index(address, "//")+2:]), "/")
		u, err := url.Parse("https://" + authority)
		if err != nil || u.Hostname() == "" {
			t.Fatalf("%q has no host: %v", address, err)
		}
		if host := strings.ToLower(u.Hostname()); shop.AllowsPage(address) && host != "shop.example" && !strings.HasSuffix(host, ".shop.example") {
			t.Fatalf("%q passes for a page of the shop", address)
		}
	})
}

// The forms of keys, ids and tokens are what their grammars say, and nothing is of
// two kinds.
func FuzzCredentials(f *testing.F) {
	for _, seed := range []string{
		NewAPIKeySecret(), NewProjectKey(), NewToken(), NewResumeToken(), string(NewID()), "sk_", "pk_", "", strings.Repeat("A", TokenLength),
		strings.Repeat("_", TokenLength), "sk_" + strings.Repeat("ä", 22), strings.ToUpper(string(NewID())), "00000000-0000-7000-8000-000000000000\n", "QUJ\nD", "QUI", "QUJ",
	} {
		f.Add(seed)
	}
	grammars := []struct {
		name    string
		valid   func(string) bool
		grammar func(string) bool
	}{
		{"an API key", ValidAPIKey, regexp.MustCompile(`^sk_[0-9A-Za-z]{43}\z`).MatchString},
		{"a project's key", ValidProjectKey, regexp.MustCompile(`^pk_[0-9A-Za-z]{22}\z`).MatchString},
		{"a token", ValidToken, func(s string) bool {
			raw, err := base64.RawURLEncoding.DecodeString(s)
			return err == nil && len(raw) == 32 && base64.RawURLEncoding.EncodeToString(raw) == s
		}},
		{"an id", func(s string) bool { return ID(s).Valid() }, func(s string) bool {
			id, err := uuid.Parse(s)
			return err == nil && id.Version() == 7 && id.Variant() == uuid.RFC4122 && id.String() == s
		}},
	}
	f.Fuzz(func(t *testing.T, s string) {
		kinds := 0
		for _, kind := range grammars {
			got, want := kind.valid(s), kind.grammar(s)
			if got != want {
				t.Fatalf("%q is %s: %v, want %v", s, kind.name, got, want)
			}
			if got {
				kinds++
			}
		}
		if kinds > 1 || ValidAPIKey(s) && (!IsAPIKey(s) || !strings.HasSuffix(s, APIKeyHint(s))) {
			t.Fatalf("%q is of %d kinds", s, kinds)
		}
		if raw, ok := ReadBase64(s); ok && base64.RawURLEncoding.EncodeToString(raw) != s {
			t.Fatalf("%q is read as base64url, and written otherwise", s)
		}
	})
}

// Nobody is who the site has not said they are.
func FuzzIdentityClaim(f *testing.F) {
	now, secret := time.Unix(1_800_000_000, 0), IdentitySecret([]byte("key"), "0190a5e0-0000-7000-8000-000000000000", 1)
	const signedID, signedExp = "customer:7", 1_800_000_060
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("customer:7:1800000060"))
	signed := hex.EncodeToString(mac.Sum(nil))
	f.Add(signedID, signed, int64(signedExp))
	f.Add("customer", signed, int64(signedExp))
	f.Add(signedID, strings.ToUpper(signed), int64(signedExp))
	f.Add(signedID, signed[:62], int64(signedExp))
	f.Add(signedID, signed, int64(-1))
	f.Add("", "", int64(0))
	f.Fuzz(func(t *testing.T, id, hash string, exp int64) {
		claim := &IdentityClaim{ID: id, Hash: hash, Exp: exp}
		if claim.Verified(secret, now) && (id != signedID || !strings.EqualFold(hash, signed) || exp != signedExp || claim.Check() != nil) {
			t.Fatalf("%+v is believed", claim)
		}
		if claim.Verified(secret, time.Unix(signedExp+1, 0)) && exp <= signedExp {
			t.Fatalf("%+v is believed after its end", claim)
		}
	})
}

// An address that staff may block is one that they can name again.
func FuzzReadAddress(f *testing.F) {
	for _, seed := range []string{
		"203.0.113.7", " 2001:db8::1 ", "2001:db8::/64", "::ffff:203.0.113.7", "::ffff:203.0.113.7/128", "203.0.113.7/32", "fe80::1%eth0", "0.0.0.0/0", "::/64", "x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := ReadAddress(text)
		if err != nil {
			return
		}
		if again, err := ReadAddress(address.String()); err != nil || again != address || address.Is4In6() {
			t.Fatalf("%q is read as %v, and that as %v, %v", text, address, again, err)
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
