package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const someID = ID("01890a5d-ac96-774b-bcce-b302099a8057")

func validSubmission() Submission {
	return Submission{ID: someID, PageURL: "https://shop.example/cart", Message: "The total is wrong"}
}

func TestNormalizeSubmission(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Submission)
		code   Code
		paths  string
	}{
		{"smallest", func(*Submission) {}, "", ""},
		{"everything", func(s *Submission) {
			s.Kind, s.Rating, s.Email, s.Name, s.Context = KindIdea, 5, " A@B.Example ", " Ann ", json.RawMessage(` {"b":1, "a":[]} `)
		}, "", ""},
		{"no id", func(s *Submission) { s.ID = "" }, CodeInvalidField, "id"},
		{"upper-case id", func(s *Submission) { s.ID = ID(strings.ToUpper(string(someID))) }, CodeInvalidField, "id"},
		{"empty message", func(s *Submission) { s.Message = " \t\u00a0\n" }, CodeInvalidField, "message"},
		{"message of 5,000 code points", func(s *Submission) { s.Message = strings.Repeat("😀", 5000) }, "", ""},
		{"message of 5,000 and white space", func(s *Submission) { s.Message = "  " + strings.Repeat("ä", 5000) + "\n" }, "", ""},
		{"message of 5,001", func(s *Submission) { s.Message = strings.Repeat("a", 5001) }, CodeInvalidField, "message"},
		{"message with NUL", func(s *Submission) { s.Message = "a\x00b" }, CodeInvalidText, "message"},
		{"message with a line end", func(s *Submission) { s.Message = "a\r\nb\x1b" }, "", ""},
		{"message of invalid UTF-8", func(s *Submission) { s.Message = "a\xff" }, CodeInvalidText, "message"},
		{"unknown kind", func(s *Submission) { s.Kind = "rant" }, CodeInvalidField, "kind"},
		{"rating 6", func(s *Submission) { s.Rating = 6 }, CodeInvalidField, "rating"},
		{"rating 0, given", func(s *Submission) { zero := 0; s.Rating = GivenRating(&zero) }, CodeInvalidField, "rating"},
		{"rating -1", func(s *Submission) { s.Rating = -1 }, CodeInvalidField, "rating"},
		{"email of white space is none", func(s *Submission) { s.Email = "  " }, "", ""},
		{"email without @", func(s *Submission) { s.Email = "ann" }, CodeInvalidField, "email"},
		{"email with two @", func(s *Submission) { s.Email = "a@b@c" }, CodeInvalidField, "email"},
		{"email with a line end", func(s *Submission) { s.Email = "a@b.c\nBcc: d@e.f" }, CodeInvalidField, "email"},
		{"email of 255 bytes", func(s *Submission) { s.Email = strings.Repeat("a", 249) + "@b.com" }, CodeInvalidField, "email"},
		{"email of 254 bytes", func(s *Submission) { s.Email = strings.Repeat("a", 248) + "@b.com" }, "", ""},
		{"name of 201", func(s *Submission) { s.Name = strings.Repeat("ä", 201) }, CodeInvalidField, "name"},
		{"an attachment", func(s *Submission) { s.AttachmentIDs = []ID{someID} }, "", ""},
		{"an attachment twice", func(s *Submission) { s.AttachmentIDs = []ID{someID, someID} }, CodeInvalidField, "attachment_ids.1"},
		{"an attachment without an id", func(s *Submission) { s.AttachmentIDs = []ID{someID, "x"} }, CodeInvalidField, "attachment_ids.1"},
		{"context null is none", func(s *Submission) { s.Context = json.RawMessage(" null ") }, "", ""},
		{"context is a list", func(s *Submission) { s.Context = json.RawMessage(`[]`) }, CodeInvalidField, "context"},
		{"context is cut", func(s *Submission) { s.Context = json.RawMessage(`{"a":1`) }, CodeInvalidField, "context"},
		{"context with garbage behind", func(s *Submission) { s.Context = json.RawMessage(`{"a":1}}`) }, CodeInvalidField, "context"},
		{"context with another value behind", func(s *Submission) { s.Context = json.RawMessage(`{"a":1} {"b":2}`) }, CodeInvalidField, "context"},
		{"context of 16 KiB", func(s *Submission) { s.Context = contextOf(MaxContextBytes) }, "", ""},
		{"context past 16 KiB", func(s *Submission) { s.Context = contextOf(MaxContextBytes + 1) }, CodeInvalidField, "context"},
		{"all at once", func(s *Submission) { *s = Submission{Rating: 9, Kind: "x", Message: "\x00"} }, CodeInvalidText, "id page_url message kind rating"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := validSubmission()
			tc.change(&s)
			checkErr(t, s.Normalize(), tc.code, tc.paths)
		})
	}
}

func contextOf(size int) json.RawMessage {
	return json.RawMessage(`{"a":"` + strings.Repeat("<", size-len(`{"a":""}`)) + `"}`)
}

// checkErr holds an error to a code and to the paths it blames, in order.
func checkErr(t *testing.T, err error, code Code, paths string) {
	t.Helper()
	if CodeOf(err) != code {
		t.Fatalf("error is %v, want code %q", err, code)
	}
	var got []string
	if e := (*Error)(nil); errors.As(err, &e) {
		for _, f := range e.Fields {
			got = append(got, f.Path)
		}
	}
	if strings.Join(got, " ") != paths {
		t.Errorf("error blames %q, want %q", got, paths)
	}
}

func TestNormalizedContextDoesNotGrow(t *testing.T) {
	s := validSubmission()
	s.Context = contextOf(MaxContextBytes)
	if err := s.Normalize(); err != nil {
		t.Fatal(err)
	}
	if len(s.Context) > MaxContextBytes {
		t.Errorf("the context has %d bytes once normalised, at most %d were admitted", len(s.Context), MaxContextBytes)
	}
}

// contexts draws an object together with its members in an order of their own.
func contexts(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 4
		if depth > 0 {
			kinds = 6
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "sort") {
		case 0:
			return rapid.String().Draw(t, "text")
		case 1:
			return json.Number(fmt.Sprint(rapid.Int64().Draw(t, "number")))
		case 2:
			return rapid.Bool().Draw(t, "truth")
		case 3:
			return nil
		case 4:
			return rapid.SliceOfN(contexts(depth-1), 0, 4).Draw(t, "list")
		}
		return rapid.MapOfN(rapid.String(), contexts(depth-1), 0, 4).Draw(t, "object")
	})
}

// scrambled writes a value with its members in any order and white space
// anywhere.
func scrambled(t *rapid.T, value any) string {
	space := rapid.SampledFrom([]string{"", " ", "\n\t", "\r\n"}).Draw(t, "space")
	switch v := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		parts := make([]string, 0, len(v))
		for _, name := range rapid.Permutation(names).Draw(t, "order") {
			parts = append(parts, space+quote(name)+space+":"+scrambled(t, v[name]))
		}
		return space + "{" + strings.Join(parts, space+",") + space + "}" + space
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = scrambled(t, v[i])
		}
		return space + "[" + strings.Join(parts, ",") + "]" + space
	default:
		return space + quote(v) + space
	}
}

func quote(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func TestSamePayloadHasSameFingerprint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOfN(rapid.String(), contexts(2), 0, 5).Draw(t, "context")
		pad := rapid.SampledFrom([]string{"", " ", "\n", "\t\u00a0"})
		message := rapid.StringMatching(`[a-zäß😀]{1,20}`).Draw(t, "message")
		one, two := validSubmission(), validSubmission()
		one.Message, two.Message = message, pad.Draw(t, "before")+message+pad.Draw(t, "after")
		one.Email, two.Email = "ann@example.com", pad.Draw(t, "email")+"Ann@EXAMPLE.com"
		one.Context, two.Context = json.RawMessage(scrambled(t, object)), json.RawMessage(scrambled(t, object))
		for _, s := range []*Submission{&one, &two} {
			if err := s.Normalize(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(one.Fingerprint(), two.Fingerprint()) {
			t.Fatalf("%s and %s have different fingerprints", one.Context, two.Context)
		}
		again := two
		if err := again.Normalize(); err != nil || !bytes.Equal(again.Fingerprint(), two.Fingerprint()) {
			t.Fatalf("normalising twice changes %s to %s (%v)", two.Context, again.Context, err)
		}
	})
}

func TestOtherPayloadHasAnotherFingerprint(t *testing.T) {
	base := validSubmission()
	base.Name, base.Email = "ab", "c@d"
	seen := map[string]string{string(base.Fingerprint()): "base"}
	for name, change := range map[string]func(*Submission){
		"message":              func(s *Submission) { s.Message += "!" },
		"page":                 func(s *Submission) { s.PageURL += "?" },
		"kind":                 func(s *Submission) { s.Kind = KindBug },
		"rating":               func(s *Submission) { s.Rating = 1 },
		"name":                 func(s *Submission) { s.Name = "" },
		"context":              func(s *Submission) { s.Context = json.RawMessage(`{}`) },
		"a letter moves over":  func(s *Submission) { s.Email, s.Name = "c@da", "b" },
		"a field moves over":   func(s *Submission) { s.Email, s.Name = "ab", "c@d" },
		"digits of a number":   func(s *Submission) { s.Context = json.RawMessage(`{"n":1.0}`) },
		"digits of another":    func(s *Submission) { s.Context = json.RawMessage(`{"n":1}`) },
		"large whole numbers":  func(s *Submission) { s.Context = json.RawMessage(`{"n":9007199254740993}`) },
		"larger whole numbers": func(s *Submission) { s.Context = json.RawMessage(`{"n":9007199254740992}`) },
	} {
		s := base
		change(&s)
		print := string(s.Fingerprint())
		if other, taken := seen[print]; taken {
			t.Errorf("%q has the fingerprint of %q", name, other)
		}
		seen[print] = name
	}
	same := base
	same.ID = "another"
	if !bytes.Equal(same.Fingerprint(), base.Fingerprint()) {
		t.Error("the id is part of the fingerprint; it is what fingerprints are compared for")
	}
}

func TestPageURL(t *testing.T) {
	for in, valid := range map[string]bool{
		"https://shop.example/":                      true,
		"http://shop.example":                        true,
		"HTTPS://Shop.Example/A?b=c#d":               true,
		"https://shop.example:8443/x":                true,
		"http://[::1]:3000/":                         true,
		"http://localhost:3000":                      true,
		"https://müller.example/straße":              true,
		"https://user:pass@shop.example/":            true, // shown as text, never followed
		"https://shop.example/100%":                  true, // browsers leave it as it is
		"https://shop.example/?q=50%&x#%zz":          true,
		"https://shop.example?next=javascript:1":     true,
		"https://shop.example/a b":                   true,
		"https://shop.example/" + long(2048-21):      true,
		"https://shop.example/" + long(2048-20):      false,
		"https://shop.example/" + wide(2048-21):      true, // code points, not bytes
		"":                                           false,
		" https://shop.example/":                     false,
		"shop.example":                               false,
		"//shop.example/":                            false,
		"/cart":                                      false,
		"https://":                                   false,
		"https:///cart":                              false,
		"https://:443/":                              false,
		"https:shop.example":                         false,
		"https:\\\\shop.example":                     false,
		"https://shop.example\\@evil.test/":          false,
		"https://sh op.example/":                     false,
		"https://[::1/":                              false,
		"https://shop.example:port/":                 false,
		"https://%zz/":                               false,
		"javascript:alert(1)":                        false,
		"JaVaScRiPt:alert(1)":                        false,
		"java\nscript:alert(1)":                      false,
		"javascript://shop.example/%0aalert(1)":      false,
		"\x01javascript:alert(1)":                    false,
		"java\tscript://https://shop.example":        false,
		"https://shop.example/\x00":                  false,
		"https://shop.example/\n":                    false,
		"https://shop.example/\u0085":                false,
		"https://shop.example/\xff":                  false,
		"data:text/html,<script>alert(1)</script>":   false,
		"data://https://shop.example":                false,
		"vbscript:x":                                 false,
		"file:///etc/passwd":                         false,
		"ftp://shop.example/":                        false,
		"blob:https://shop.example/0195":             false,
		"about:blank":                                false,
		"chrome-extension://abcdefghijklmnop/a.html": false,
		"httpss://shop.example/":                     false,
	} {
		if got := CheckPageURL(in) == nil; got != valid {
			t.Errorf("CheckPageURL(%.60q): admitted %v, want %v", in, got, valid)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }
func wide(n int) string { return strings.Repeat("ä", n) }
