package widget

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func compressed(t *testing.T, content []byte) int {
	t.Helper()
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

func TestBudget(t *testing.T) {
	files := map[string]int{
		"core": 8 << 10, "live.js": 6 << 10, "talk.js": 6 << 10, "mend.js": 2 << 10, "shot.js": 6 << 10, "en": 1 << 10, "de": 1 << 10, "ar": 1 << 10,
	}
	for name, limit := range files {
		content, ok := Core(), true
		switch {
		case strings.HasSuffix(name, ".js"):
			content, ok = Chunks()[name]
		case name != "core":
			content, ok = Locale(name)
		}
		if !ok {
			t.Errorf("%q is missing", name)
			continue
		}
		size := compressed(t, content)
		t.Logf("%s: %d bytes brotli of %d allowed, %d raw", name, size, limit, len(content))
		if size > limit {
			t.Errorf("%s: got %d bytes brotli, want at most %d", name, size, limit)
		}
	}
}

// baked undoes what Script does, as a browser would: a JavaScript string, then JSON.
func baked(t *testing.T, script []byte) map[string]any {
	t.Helper()
	prefix := core[:len(core)-len(suffix)] + "(JSON.parse('"
	text, ok := strings.CutPrefix(string(script), prefix)
	if !ok {
		t.Fatal("the script does not begin with the core")
	}
	text, ok = strings.CutSuffix(text, "'));\n")
	if !ok {
		t.Fatalf("the script ends in %q", script[len(script)-20:])
	}
	var unescaped strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\'', '\n', '\r':
			t.Fatalf("unescaped %q ends the string at %d", c, i)
		case '\\':
			i++
			if text[i] != '\\' && text[i] != '\'' {
				t.Fatalf("the escape \\%c means something else in JavaScript", text[i])
			}
			unescaped.WriteByte(text[i])
		default:
			unescaped.WriteByte(c)
		}
	}
	var config map[string]any
	if err := json.Unmarshal([]byte(unescaped.String()), &config); err != nil {
		t.Fatalf("baked configuration: %v", err)
	}
	return config
}

func TestScriptRoundTrips(t *testing.T) {
	for name, value := range map[string]string{
		"plain":           "Acme",
		"quotes":          `it's "quoted" \ and \\ slashed`,
		"end of script":   "</script><script>alert(1)</script><!--",
		"end of string":   "'));alert(1);//",
		"line separators": "a\u2028b\u2029c\nd\re\x00",
		"not latin":       "ملاحظات 🙂",
	} {
		t.Run(name, func(t *testing.T) {
			config, err := json.Marshal(map[string]string{"name": value, "__proto__": value})
			if err != nil {
				t.Fatal(err)
			}
			script, err := Script(config)
			if err != nil {
				t.Fatal(err)
			}
			got := baked(t, script)
			if got["name"] != value || got["__proto__"] != value {
				t.Errorf("got %q, want %q twice", got, value)
			}
			tail := script[len(core)-len(suffix):]
			for _, bad := range []string{"<", "\u2028", "\u2029"} {
				if bytes.Contains(tail, []byte(bad)) {
					t.Errorf("%q is not escaped", bad)
				}
			}
		})
	}
}

func TestScriptRefusesWhatIsNoObject(t *testing.T) {
	for _, config := range []string{"", "null", "[]", `"x"`, "{", `{"a":1}{}`, `{"a":1});alert(1);({}`} {
		if _, err := Script([]byte(config)); !errors.Is(err, ErrConfig) {
			t.Errorf("Script(%q): got %v, want ErrConfig", config, err)
		}
	}
}

func TestScriptReplacesInvalidUTF8(t *testing.T) {
	script, err := Script([]byte("{\"name\":\"a\xffb\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := baked(t, script)["name"]; got != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
}

func TestCoreNamesItsVersion(t *testing.T) {
	if len(Version()) != 16 || !strings.Contains(core, Version()) {
		t.Errorf("the core does not contain its version %q", Version())
	}
	for name, content := range Chunks() {
		if bytes.Contains(content, []byte("@earshot-version@")) {
			t.Errorf("the version's placeholder is left in %s", name)
		}
	}
	if strings.Contains(core, "@earshot-version@") {
		t.Error("the version's placeholder is left in the core")
	}
	if !strings.HasSuffix(core, suffix) {
		t.Errorf("the core ends in %q, want %q", core[len(core)-20:], suffix)
	}
	if got := Integrity(); !strings.HasPrefix(got, "sha384-") || len(got) != len("sha384-")+64 {
		t.Errorf("Integrity() = %q", got)
	}
}

func TestLocale(t *testing.T) {
	english := map[string]string{}
	content, _ := Locale("en")
	if err := json.Unmarshal(content, &english); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"de", "ar"} {
		var other map[string]string
		content, _ := Locale(name)
		if err := json.Unmarshal(content, &other); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other["lang"] != name || len(other) != len(english) {
			t.Errorf("%s: lang %q and %d strings, want %d", name, other["lang"], len(other), len(english))
		}
		for key := range english {
			if other[key] == "" {
				t.Errorf("%s: %q is missing", name, key)
			}
		}
	}
	// A string whose name the build has shortened in the code would show as nothing. Kinds and hints are read by their codes.
	for key := range english {
		if !strings.Contains(core, "."+key) && !strings.Contains(core, key+":\"M") && !strings.HasPrefix(key, "hint_") {
			t.Errorf("the core does not read %q", key)
		}
	}
	for _, name := range []string{"", "auto", "fr", "EN", "../version", "core.js"} {
		if _, ok := Locale(name); ok {
			t.Errorf("Locale(%q) exists", name)
		}
	}
}

func TestETag(t *testing.T) {
	if ETag([]byte("a")) == ETag([]byte("b")) || ETag([]byte("a")) != ETag([]byte{'a'}) {
		t.Error("ETag does not follow the content")
	}
	if tag := ETag(nil); tag[0] != '"' || tag[len(tag)-1] != '"' {
		t.Errorf("ETag = %s, want it quoted", tag)
	}
}
