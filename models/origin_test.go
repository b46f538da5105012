package models

import (
	"slices"
	"strings"
	"testing"
)

func TestOriginsAllow(t *testing.T) {
	for _, tc := range []struct {
		entry  string
		origin string
		want   bool
	}{
		{"https://example.com", "https://example.com", true},
		{"https://example.com", "HTTPS://Example.COM", true},
		{"HTTPS://Example.COM/", "https://example.com", true},
		{"https://example.com:443", "https://example.com", true},
		{"https://example.com", "https://example.com:443", true},
		{"http://example.com:80", "http://example.com", true},
		{"http://example.com:443", "http://example.com", false},
		{"https://example.com", "", true}, // programs send none
		{"https://example.com", "null", false},
		{"https://example.com", "http://example.com", false},
		{"https://example.com", "https://example.com:8443", false},
		{"https://example.com", "https://www.example.com", false},
		{"https://example.com", "https://evil-example.com", false},
		{"https://example.com", "https://example.com.evil.test", false},
		{"https://example.com", "https://example.comevil.test", false},
		{"https://example.com", "https://example.com@evil.test", false},
		{"https://example.com", "https://evil.test/https://example.com", false},
		{"https://example.com", "https://evil.test?https://example.com", false},
		{"https://example.com", "https://evil.test#https://example.com", false},
		{"https://example.com", "https://example.com, https://evil.test", false},
		{"https://example.com", "https://example.com\n", false},
		{"https://example.com", "example.com", false},
		{"https://example.com", "file://example.com", false},
		{"https://example.com", "https://", false},
		{"https://example.com", "\xff", false},

		{"https://Bücher.example", "https://xn--bcher-kva.example", true}, // browsers write it so
		{"https://*.bücher.example", "https://shop.xn--bcher-kva.example", true},
		{"https://example.com", "https://example%2ecom", false},
		{"https://k.example", "https://\u212a.example", false}, // no browser sends it

		{"https://*.example.com", "https://www.example.com", true},
		{"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.Example.com", "https://WWW.example.com:443", true},
		{"https://*.example.com", "https://example.com", false},
		{"https://*.example.com", "http://www.example.com", false},
		{"https://*.example.com", "https://evil-example.com", false},
		{"https://*.example.com", "https://www.example.com.evil.test", false},
		{"https://*.example.com", "https://www.example.com:8443", false},
		{"https://*.example.com", "https://.example.com.evil.test", false},
		{"https://*.example.com", "https://evil.test/.example.com", false},
		{"https://*.example.com:8443", "https://www.example.com:8443", true},
		{"https://*.example.com:8443", "https://www.example.com", false},

		{"http://localhost:*", "http://localhost", true},
		{"http://localhost:*", "http://localhost:3000", true},
		{"http://localhost:*", "http://LOCALHOST:65535", true},
		{"http://localhost:*", "https://localhost:3000", false},
		{"http://localhost:*", "http://localhost.evil.test:3000", false},
		{"http://localhost:*", "http://localhost:3000@evil.test", false},
		{"http://localhost:*", "http://localhost:3000.evil.test", false},
		{"http://127.0.0.1:*", "http://127.0.0.1:8000", true},
		{"http://127.0.0.1:*", "http://127.0.0.11:8000", false},
		{"http://[::1]:*", "http://[::1]:8000", true},
		{"http://[::1]:*", "http://[::1]", true},
		{"http://[::1]:*", "http://[::12]:8000", false},
		{"http://[2001:DB8::1]:8000", "http://[2001:db8::1]:8000", true},
		{"https://[2001:db8::443]", "https://[2001:db8::443]", true},
	} {
		project := Project{Name: "Web", AllowedOrigins: Origins{tc.entry}, Settings: DefaultSettings()}
		if err := project.Normalize(); err != nil {
			t.Errorf("%q is refused as an entry: %v", tc.entry, err)
			continue
		}
		if got := project.AllowedOrigins.Allows(tc.origin); got != tc.want {
			t.Errorf("%q admits %q: %v, want %v", tc.entry, tc.origin, got, tc.want)
		}
	}
}

func TestNoOriginsAdmitAll(t *testing.T) {
	for _, origin := range []string{"", "null", "https://example.com", "junk"} {
		if !(Origins{}).Allows(origin) {
			t.Errorf("the empty list refuses %q", origin)
		}
	}
}

func TestOriginEntries(t *testing.T) {
	for in, want := range map[string]string{
		" https://Example.com:443/ ": "https://example.com",
		"http://localhost:*":         "http://localhost:*",
		"https://*.EXAMPLE.com":      "https://*.example.com",
		"":                           "",
		"*":                          "",
		"null":                       "",
		"example.com":                "",
		"https://*":                  "",
		"https://*.":                 "",
		"https://*.com":              "",
		"https://*.*.com":            "",
		"https://www.*.com":          "",
		"https://a*.example.com":     "",
		"https://example.com/shop":   "",
		"https://example.com?a":      "",
		"https://example.com#a":      "",
		"https://user@example.com":   "",
		"https://example.com:*":      "",
		"https://*.example.com:*":    "",
		"http://192.168.0.1:*":       "",
		"http://localhost:3000:*":    "",
		"ftp://example.com":          "",
		"javascript:alert(1)":        "",
		"https://:443":               "",
		"https://example.com:65535":  "https://example.com:65535",
		"https://example.com:65536":  "",
		"https://example.com:99999":  "",
		"https://example.com:0":      "",
		"https://example.com:0443":   "",
		"https://*.example.com:0":    "",
		"http://:8080":               "",
		"https://exa mple.com":       "",
		"https://a/://*.example.com": "",
		// As browsers make names of letters beyond ASCII; what they never send is refused.
		"https://bücher.example":        "https://xn--bcher-kva.example",
		"https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
		"https://\u212a.example":        "https://k.example", // the sign of kelvin
		"https://%c3%84.example":        "",
		"http://[fe80::1%25eth0]":       "",
		"http://[fe80::1%25eth0]:*":     "",
	} {
		got, ok := normalizeOriginEntry(in)
		if ok != (want != "") || (ok && got != want) {
			t.Errorf("normalizeOriginEntry(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestNormalizeProject(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Project)
		paths  string
	}{
		{"as it is made", func(*Project) {}, ""},
		{"no name", func(p *Project) { p.Name = "" }, "name"},
		{"name of white space", func(p *Project) { p.Name = " \t" }, "name"},
		{"name of 201", func(p *Project) { p.Name = strings.Repeat("ä", 201) }, "name"},
		{"bad entries", func(p *Project) { p.AllowedOrigins = Origins{"https://a.example", "b", "c"} }, "allowed_origins.1 allowed_origins.2"},
		{"too many entries", func(p *Project) { p.AllowedOrigins = slices.Repeat(Origins{"https://a.example"}, 101) }, "allowed_origins"},
		{"bad accent", func(p *Project) { p.Settings.Accent = "#12345g" }, "settings.accent"},
		{"accent with more behind", func(p *Project) { p.Settings.Accent = "#123456\n;" }, "settings.accent"},
		{"bad choices", func(p *Project) {
			p.Settings.Theme, p.Settings.Position, p.Settings.Locale, p.Settings.Trigger = "x", "x", "x", "x"
		}, "settings.theme settings.position settings.locale settings.trigger"},
		{"kind twice", func(p *Project) { p.Settings.Kinds = []Kind{KindBug, KindBug} }, "settings.kinds.1"},
		{"long text", func(p *Project) { p.Settings.Texts.Thanks = strings.Repeat("a", 201) }, "settings.texts.thanks"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := Project{Name: "Web", Settings: DefaultSettings()}
			tc.change(&p)
			code := CodeInvalidField
			if tc.paths == "" {
				code = ""
			}
			checkErr(t, p.Normalize(), code, tc.paths)
		})
	}
	p := Project{Name: " Web ", AllowedOrigins: Origins{"https://A.example", "https://a.example:443"}, Settings: DefaultSettings()}
	p.Settings.Kinds = nil
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	if p.Name != "Web" || !slices.Equal(p.AllowedOrigins, Origins{"https://a.example"}) || p.Settings.Kinds == nil {
		t.Errorf("got %+v, want the name trimmed, the origin once and no nil list", p)
	}
}

func TestSnippetIsEscaped(t *testing.T) {
	p := Project{Key: "pk_x"}
	want := `<script async src="https://a.example/&#34;&gt;/w/pk_x.js"></script>`
	if got := p.Snippet(`https://a.example/">`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAllowsPage(t *testing.T) {
	for _, tc := range []struct {
		origins Origins
		page    string
		want    bool
	}{
		{nil, "https://anywhere.example/", true},
		{Origins{"https://shop.example"}, "https://shop.example/cart?a=https://other.example", true},
		{Origins{"https://shop.example"}, "https://shop.example", true},
		{Origins{"https://shop.example"}, "HTTPS://Shop.Example:443#top", true},
		{Origins{"https://shop.example"}, "https://shop.example.evil.example/", false},
		{Origins{"https://shop.example"}, "https://evil.example/https://shop.example", false},
		{Origins{"https://shop.example"}, "http://shop.example/", false},
		{Origins{"https://shop.example"}, "https://shop.example@evil.example/", false},
		{Origins{"https://*.shop.example"}, "https://www.shop.example/%", true},
		{Origins{"https://*.shop.example"}, "https://shop.example/", false},
		{Origins{"http://localhost:*"}, "http://localhost:3000/a", true},
	} {
		if got := tc.origins.AllowsPage(tc.page); got != tc.want {
			t.Errorf("%v allows the page %s: %v, want %v", tc.origins, tc.page, got, tc.want)
		}
	}
}
