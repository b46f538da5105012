package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"

	"earshot/models"
)

const (
	fuzzID    = models.ID("0190a5e0-0000-7000-8000-000000000000")
	fuzzOther = models.ID("0190a5e0-0000-7000-8000-000000000001")
)

func fuzzNow() time.Time { return time.Unix(1_800_000_000, 0) }

func fuzzTokens() tokens {
	return tokens{key: []byte("0123456789abcdef0123456789abcdef"), issuer: "https://earshot.example", now: fuzzNow}
}

// signed is a token of any header and claims, signed in one of several ways.
func signed(header, claims string, how byte, key []byte) string {
	text := base64.RawURLEncoding.EncodeToString
	content := text([]byte(header)) + "." + text([]byte(claims))
	methods := []*jwt.SigningMethodHMAC{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512}
	switch {
	case int(how) < len(methods):
		mac, _ := methods[how].Sign(content, key) // of a key of bytes
		return content + "." + text(mac)
	case int(how) == len(methods):
		mac, _ := jwt.SigningMethodHS256.Sign(content, []byte("another key, of nobody we know.."))
		return content + "." + text(mac)
	}
	return content + "."
}

// Whatever the token, it is taken only with our signature over it by HS256, said in
// its header, for us, and for a time that is not over.
func FuzzAccessToken(f *testing.F) {
	access := fuzzTokens()
	ours, err := access.make(models.Session{ID: fuzzID, UserID: fuzzOther, OrganizationID: fuzzID})
	if err != nil {
		f.Fatal(err)
	}
	const header = `{"alg":"HS256","typ":"JWT"}`
	const claims = `{"iss":"https://earshot.example","aud":"earshot-admin","exp":1800000060,"iat":1800000000,"sub":"x"}`
	parts := strings.Split(ours, ".")
	for _, token := range []string{
		ours, ours + "\n", parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1], ours + ".", parts[0] + "." + parts[0] + "." + parts[2],
		parts[0] + "." + parts[1] + "." + parts[2][:20] + "\r\n" + parts[2][20:], parts[0] + "." + parts[1] + "." + parts[2] + "=", "..", "",
	} {
		f.Add(token, header, claims, byte(0))
	}
	for _, other := range []string{
		`{"alg":"none"}`, `{"alg":"None"}`, `{"alg":"HS384"}`, `{"alg":"hs256"}`, `{"alg":"RS256"}`, `{"alg":"HS256","alg":"none"}`, `{"ALG":"HS256"}`, `{}`, `null`,
	} {
		for how := range byte(5) {
			f.Add("", other, claims, how)
		}
	}
	for _, other := range []string{
		`{"iss":"https://earshot.example","aud":"earshot-admin"}`, strings.Replace(claims, "1800000060", "1799999999", 1), strings.Replace(claims, "1800000060", "1e300", 1),
		strings.Replace(claims, "earshot-admin", "another", 1), strings.Replace(claims, `"earshot-admin"`, `["another","earshot-admin"]`, 1),
		strings.Replace(claims, "https", "http", 1), strings.Replace(claims, `"exp"`, `"EXP"`, 1), `null`, `[]`, `{`,
	} {
		f.Add("", header, other, byte(0))
	}
	f.Fuzz(func(t *testing.T, token, header, claims string, how byte) {
		for _, token := range []string{token, signed(header, claims, how, access.key)} {
			if read, err := access.read(token); err == nil {
				checkToken(t, access, token, read)
			}
		}
	})
}

// checkToken reads a token that was taken as if there were no library for it.
func checkToken(t *testing.T, access tokens, token string, read accessClaims) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is taken", token)
	}
	mac := hmac.New(sha256.New, access.key)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if parts[2] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
		t.Fatalf("%q is taken without our signature", token)
	}
	head, _ := base64.RawURLEncoding.DecodeString(parts[0])
	var said map[string]any
	if err := json.Unmarshal(head, &said); err != nil || said["alg"] != "HS256" {
		t.Fatalf("%q is taken with the header %s", token, head)
	}
	if read.Issuer != access.issuer || !slices.Contains(read.For, accessAudience) || read.ExpiresAt == nil || !read.ExpiresAt.After(access.now()) {
		t.Fatalf("%q is taken with %+v", token, read)
	}
}

// Whatever the link, it leads where it was made for, in the form in which it was made,
// until it ends.
func FuzzLink(f *testing.F) {
	key, ends := linkKey("0123456789abcdef0123456789abcdef"), fuzzNow().Add(time.Minute)
	made := key.token(fuzzID, ends)
	for _, seed := range []string{made, made + "\n", made[:31], made + "A", strings.Repeat("_", len(made)), linkKey("another").token(fuzzID, ends), ""} {
		f.Add(seed, string(fuzzID), fuzzNow().Unix())
	}
	f.Add(made, string(fuzzOther), fuzzNow().Unix())
	f.Add(made, string(fuzzID), ends.Unix())
	f.Add(made, string(fuzzID), ends.Unix()+1)
	f.Add(made, string(fuzzID), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, token, to string, now int64) {
		want := token == made && to == string(fuzzID) && now <= ends.Unix()
		if got := key.allows(models.ID(to), token, time.Unix(now, 0)); got != want {
			t.Fatalf("%q to %q at %d: %v, want %v", token, to, now, got, want)
		}
	})
}

// requestOf is a request's context, from peer, with headers in name, value pairs.
func requestOf(app *fiber.App, peer netip.AddrPort, headers ...string) *fiber.Ctx {
	request := &fasthttp.Request{}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(request, net.TCPAddrFromAddrPort(peer), nil)
	return app.AcquireCtx(ctx)
}

// Whatever stands in X-Forwarded-For, a stranger cannot say where they come from: only
// what our own proxies wrote counts, and what is left of it changes nothing.
func FuzzForwardedFor(f *testing.F) {
	app := fiber.New(fiber.Config{Immutable: true})
	s := &Server{config: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}}
	for _, seed := range []string{
		"203.0.113.1", "198.51.100.1, 203.0.113.1", "203.0.113.1, 10.1.2.3", "203.0.113.1:80,[::1]:443", "[2001:db8::1]", "2001:db8::1%eth0",
		"::ffff:10.0.0.1", "unknown", "_hidden", "10.0.0.1,", ",", "10.0.0.1, x, 10.0.0.2", "\t203.0.113.1 ", "0300.0.0.1", "10.1", "",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, header string, behind bool) {
		peer := netip.MustParseAddrPort("192.0.2.1:1234")
		if behind {
			peer = netip.MustParseAddrPort("[::ffff:10.0.0.1]:1234")
		}
		from := func(lines ...string) netip.Addr {
			var headers []string
			for _, line := range lines {
				headers = append(headers, fiber.HeaderXForwardedFor, line)
			}
			c := requestOf(app, peer, headers...)
			defer app.ReleaseCtx(c)
			return s.address(c)
		}
		got := from(header)
		if direct := peer.Addr().Unmap(); !behind && got != direct {
			t.Fatalf("%q of a stranger is believed: %v", header, got)
		}
		if !got.IsValid() || got.Is4In6() {
			t.Fatalf("%q gives %v", header, got)
		}
		if again := from("198.51.100.9, nonsense", header); !s.trusted(got) && again != got {
			t.Fatalf("%q gives %v, and with more before it %v", header, got, again)
		}
		left, right, several := strings.Cut(header, ",")
		if split := from(left, right); several && split != got {
			t.Fatalf("%q gives %v, and in two lines %v", header, got, split)
		}
		entries := strings.Split(strings.NewReplacer("\r", " ", "\n", " ").Replace(header), ",")
		for i := len(entries) - 1; i >= 0; i-- {
			hop, ok := parseHop(strings.TrimSpace(entries[i]))
			if ok && hop == got {
				return
			}
			if !ok || !s.trusted(hop) {
				break
			}
		}
		if got != peer.Addr().Unmap() && !s.trusted(got) {
			t.Fatalf("%q gives %v, which no proxy of ours wrote", header, got)
		}
	})
}

// Whatever is preferred, what is answered is something that we have and that the
// client takes, and what is worth nothing changes nothing.
func FuzzPreferences(f *testing.F) {
	for _, seed := range []string{
		"de-AT,de;q=0.9,en;q=0.8", "ar", "fr, *;q=0.5", "de;q=NaN, ar;q=Inf", "br;q=0x1p-2", "gzip, deflate, br", "gzip;q=0", "br;q=-1", "br;q=1e-400",
		"br ; q=0.5", "BR;Q=0", "text/html;level=1;q=0", ";q=1", ",,,", "de;q=", "de;q=1.0001", "de;q=+1", "de;q=0.1234", "de;q=1_0",
	} {
		f.Add(seed)
	}
	settings := models.DefaultSettings()
	settings.Locale = "auto"
	f.Fuzz(func(t *testing.T, header string) {
		for name, quality := range preferences(header) {
			if name == "" || name != strings.TrimSpace(name) || strings.ContainsAny(name, ",;") || !strings.Contains(header, name) {
				t.Fatalf("%q has the name %q", header, name)
			}
			if !(quality >= 0 && quality <= 1) { // NaN is to fail, too
				t.Fatalf("%q gives %q the quality %v", header, name, quality)
			}
		}
		if !slices.Contains(locales(), localeFor(settings, header)) {
			t.Fatalf("%q gives the language %q", header, localeFor(settings, header))
		}
		if again := localeFor(settings, header+",de;q=0,ar;q=0.000"); again != localeFor(settings, header) {
			t.Fatalf("%q gives %q, and what is worth nothing %q", header, localeFor(settings, header), again)
		}
		switch encoding := acceptedEncoding(header, true); encoding {
		case "br", "gzip":
			if !strings.Contains(strings.ToLower(header), encoding) {
				t.Fatalf("%q is answered in %s", header, encoding)
			}
		default:
			if encoding != "" || acceptedEncoding(header+",br", true) != "br" || acceptedEncoding(header+",gzip;q=0.001", false) != "gzip" {
				t.Fatalf("%q is answered in %q", header, encoding)
			}
		}
		if acceptedEncoding(header, false) == "br" {
			t.Fatalf("%q is answered in br, which there is not", header)
		}
	})
}

// Whatever the cookie and the state, only the browser that began a sign-in at the
// other provider ends it, in time.
func FuzzOIDCCookie(f *testing.F) {
	provider, err := newProvider(OIDCConfig{}, "https://earshot.example", []byte("0123456789abcdef"))
	if err != nil {
		f.Fatal(err)
	}
	app := fiber.New(fiber.Config{Immutable: true})
	s := &Server{provider: provider, now: fuzzNow}
	begun := pending{State: "state", Nonce: "nonce", Verifier: "verifier", Expires: fuzzNow().Add(time.Minute)}
	sealed := func(p pending, of string) string {
		plain, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(provider.box.Seal(plain, of))
	}
	good, late := sealed(begun, oidcCookie), begun
	late.Expires = fuzzNow()
	for _, cookie := range []string{good, good + "=", good[:len(good)-1], sealed(late, oidcCookie), sealed(begun, "another"), "e30", ""} {
		f.Add(cookie, begun.State)
		f.Add(cookie, "")
	}
	f.Fuzz(func(t *testing.T, cookie, state string) {
		c := requestOf(app, netip.MustParseAddrPort("192.0.2.1:1234"), fiber.HeaderCookie, oidcCookie+"="+cookie)
		defer app.ReleaseCtx(c)
		c.Context().URI().SetQueryString("state=" + url.QueryEscape(state))
		p, ok := s.readPending(c)
		if ok && (state != begun.State || !p.Expires.Equal(begun.Expires) || p.Nonce != begun.Nonce || p.Verifier != begun.Verifier) {
			t.Fatalf("%q with the state %q is taken for %+v", cookie, state, p)
		}
		if _, read := models.ReadBase64(c.Cookies(oidcCookie)); ok && !read {
			t.Fatalf("%q is taken", cookie)
		}
	})
}
