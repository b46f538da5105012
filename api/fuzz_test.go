package api

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/valyala/fasthttp"

	"earshot/models"
	"earshot/models/seal"
)

// FuzzAccessToken: a token that is taken was signed with our key by the one method, is
// for us, and has not ended.
func FuzzAccessToken(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	key := bytes.Repeat([]byte{1}, 32)
	ours := tokens{key: key, issuer: "https://earshot.example", now: func() time.Time { return now }}
	genuine, err := ours.make(models.Session{ID: models.NewID(), UserID: models.NewID(), OrganizationID: models.NewID()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genuine)
	head, rest, _ := strings.Cut(genuine, ".")
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.SplitN(rest, ".", 2)[0] + ".")
	f.Add(head + "." + rest[:len(rest)-1])
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
		for _, claims := range []jwt.MapClaims{
			{}, {"iss": ours.issuer, "aud": accessAudience}, {"iss": ours.issuer, "aud": accessAudience, "exp": now.Unix() - 1},
			{"iss": ours.issuer, "aud": []string{"x", accessAudience}, "exp": now.Unix() + 9}, {"iss": "https://other.example", "aud": accessAudience, "exp": now.Unix() + 9},
			{"iss": ours.issuer, "aud": accessAudience, "exp": now.Unix() + 9, "nbf": now.Unix() + 5},
		} {
			token, err := jwt.NewWithClaims(method, claims).SignedString(key)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(token)
		}
	}
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := ours.read(token)
		if err != nil {
			return
		}
		parts := strings.Split(token, ".")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(parts[0] + "." + parts[1]))
		if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != parts[2] {
			t.Fatalf("%q was taken without our signature", token)
		}
		var header struct{ Alg string }
		raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
		if json.Unmarshal(raw, &header) != nil || header.Alg != "HS256" {
			t.Fatalf("taken with the header %s", raw)
		}
		if claims.ExpiresAt == nil || !claims.ExpiresAt.After(now) || claims.Issuer != ours.issuer || !slices.Contains(claims.For, accessAudience) {
			t.Fatalf("taken with %+v", claims)
		}
	})
}

// FuzzLink: a link that is allowed is one that was made.
func FuzzLink(f *testing.F) {
	key, now := linkKey("0123456789abcdef"), time.Unix(1_800_000_000, 0)
	const to = models.ID("0195aaaa-0000-7000-8000-000000000001")
	good, over := key.token(to, now.Add(time.Minute)), key.token(to, now.Add(-time.Second))
	for _, token := range []string{good, over, good + "=", key.token("other", now.Add(time.Minute)), "", good[:31]} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if key.allows(to, token, now) && token != good {
			t.Fatalf("%q is allowed", token)
		}
	})
}

// FuzzUploadForm reads forms as the server does, and the one file that is found is what
// Go's own reader finds in the field.
func FuzzUploadForm(f *testing.F) {
	var got []byte
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/", func(c *fiber.Ctx) error {
		got = nil
		header, err := readUpload(c)
		if err != nil {
			return c.Status(models.CodeOf(err).HTTPStatus()).SendString(string(models.CodeOf(err)))
		}
		defer c.Request().RemoveMultipartFormFiles()
		file, err := header.Open()
		if err != nil {
			return err
		}
		got, err = io.ReadAll(file)
		return err
	})
	form := func(parts ...string) (string, string) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for _, field := range parts {
			part, _ := w.CreateFormFile(field, "a.txt")
			_, _ = part.Write([]byte("content of " + field))
		}
		_ = w.Close()
		return body.String(), w.FormDataContentType()
	}
	for _, fields := range [][]string{{"file"}, {"file", "file"}, {"other"}, {"other", "file"}, {}} {
		body, contentType := form(fields...)
		f.Add(body, contentType)
	}
	f.Add("--x\r\nContent-Disposition: form-data; name=file; filename=\"../../a\"\r\n\r\nx\r\n--x--\r\n", "multipart/form-data; boundary=x")
	f.Add("--x\r\n", "multipart/form-data; boundary=x")
	f.Add("{}", "application/json")
	f.Add("", "multipart/form-data")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		if strings.ContainsAny(contentType, "\r\n") {
			return
		}
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set("Content-Type", contentType)
		answer, err := app.Test(request, 5_000)
		if err != nil {
			return // no request that a server would read
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			if answer.StatusCode >= 500 {
				t.Fatalf("%s for %q as %q", answer.Status, body, contentType)
			}
			return
		}
		_, params, err := mime.ParseMediaType(contentType)
		if err != nil {
			t.Fatalf("taken as %q", contentType)
		}
		want, err := multipart.NewReader(strings.NewReader(body), params["boundary"]).ReadForm(1 << 20)
		if err != nil || len(want.File["file"]) != 1 {
			t.Fatalf("a file was found in %q as %q: %v", body, contentType, err)
		}
		file, err := want.File["file"][0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(file); err != nil || !bytes.Equal(content, got) {
			t.Fatalf("%q was read of %q, want %q", got, body, content)
		}
	})
}

// FuzzForwarded: who is no trusted proxy is taken for nobody else, and from those only
// what a trusted one wrote is believed.
func FuzzForwarded(f *testing.F) {
	proxy, stranger := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.9")
	s := &Server{config: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	app := fiber.New()
	read := func(peer netip.Addr, header string) netip.Addr {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, net.TCPAddrFromAddrPort(netip.AddrPortFrom(peer, 1)), nil)
		ctx.Request.Header.Set(fiber.HeaderXForwardedFor, header)
		c := app.AcquireCtx(&ctx)
		defer app.ReleaseCtx(c)
		return s.address(c)
	}
	for _, header := range []string{"198.51.100.7", "1.1.1.1, 198.51.100.7", "198.51.100.7, 10.0.0.2", "unknown", "[2001:db8::1]:443, 10.1.1.1", "", ",", "::ffff:10.0.0.3, x"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if got := read(stranger, header); got != stranger {
			t.Fatalf("a stranger was taken for %s by %q", got, header)
		}
		if strings.ContainsAny(header, "\r\n") {
			return
		}
		got := read(proxy, header)
		entries := strings.Split(header, ",")
		for i := len(entries) - 1; i >= 0; i-- {
			hop, ok := parseHop(strings.TrimSpace(entries[i]))
			if ok && hop == got {
				return // all that stand right of it were trusted, or we would have returned
			}
			if !ok || !s.trusted(hop) {
				break
			}
		}
		if !s.trusted(got) {
			t.Fatalf("%q makes it %s", header, got)
		}
	})
}

// FuzzPreferences reads Accept headers; what comes out is something that we have.
func FuzzPreferences(f *testing.F) {
	for _, header := range []string{"de-DE,de;q=0.9,en;q=0.8", "ar;q=NaN", "*;q=0", "gzip, br;q=1.0", ";;;,", "en;q=-1", "br;q=0,gzip;q=0", "identity"} {
		f.Add(header)
	}
	settings := models.ProjectSettings{Locale: "auto"}
	f.Fuzz(func(t *testing.T, header string) {
		if got := localeFor(settings, header); !slices.Contains(locales(), got) {
			t.Fatalf("%q asks for the language %q", header, got)
		}
		if got := acceptedEncoding(header, true); !slices.Contains([]string{"", "br", "gzip"}, got) || got != "" && !strings.Contains(strings.ToLower(header), got) && !strings.Contains(header, "*") {
			t.Fatalf("%q asks for %q", header, got)
		}
	})
}

// FuzzPendingSignIn: a sign-in goes on only from the cookie that began it.
func FuzzPendingSignIn(f *testing.F) {
	box, err := seal.New(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	s := &Server{provider: &provider{box: box}, now: func() time.Time { return now }}
	cookie := func(p pending, of string) string {
		plain, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(box.Seal(plain, of))
	}
	genuine := cookie(pending{State: "state", Expires: now.Add(time.Minute)}, oidcCookie)
	f.Add(genuine, "state")
	f.Add(genuine, "other")
	f.Add(cookie(pending{State: "state", Expires: now}, oidcCookie), "state")
	f.Add(cookie(pending{State: "state", Expires: now.Add(time.Minute)}, "else"), "state")
	f.Add("", "")
	app := fiber.New()
	f.Fuzz(func(t *testing.T, value, state string) {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetCookie(oidcCookie, value)
		ctx.QueryArgs().Set("state", state)
		c := app.AcquireCtx(&ctx)
		defer app.ReleaseCtx(c)
		p, ok := s.readPending(c)
		// The seeds of another process were sealed there, so their bytes are not known here.
		if ok && (state != "state" || p.State != "state" || !p.Expires.Equal(now.Add(time.Minute))) {
			t.Fatalf("the cookie %q goes on with %+v", value, p)
		}
	})
}
