package protocol

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

// thing has one member of each sort that events are made of.
type thing struct {
	Name   string          `json:"name"`
	Count  int             `json:"count,omitempty"`
	Ratio  *float64        `json:"ratio"`
	Part   part            `json:"part,omitzero"`
	Parts  []part          `json:"parts,omitempty"`
	At     time.Time       `json:"at,omitzero"`
	Flag   bool            `json:"flag,omitempty"`
	Raw    json.RawMessage `json:"raw,omitempty"`
	Plain  *string
	Hidden string `json:"-"`
	embedded
}

type part struct {
	Inner string   `json:"inner"`
	List  []string `json:"list,omitempty"`
}

type embedded struct {
	Deep *string `json:"deep"`
}

func nested(depth int) string {
	return strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
}

func TestDecoderIsStrict(t *testing.T) {
	decoder := NewDecoder[thing]()
	for _, tc := range []struct {
		name  string
		in    string
		code  models.Code
		paths string
	}{
		{name: "smallest", in: `{"name":""}`},
		{name: "white space everywhere", in: " \t\r\n{ \"name\" : \"a\" , \"count\" : 1 } \n"},
		{name: "all members", in: `{"name":"a","count":-2,"ratio":1.5e-3,"part":{"inner":"x","list":["y"]},"parts":[{"inner":""}],
			"at":"2026-01-02T03:04:05Z","flag":true,"raw":[1,{"a":null}],"deep":"d","Plain":"p"}`},
		{name: "unknown members", in: `{"name":"a","later":{"name":1,"NAME":2},"more":[]}`},
		{name: "unknown escaped member", in: `{"name":"a","\u0062":1}`},
		{name: "hidden member is unknown", in: `{"name":"a","Hidden":5}`},
		{name: "known member, escaped", in: `{"\u006eame":"a"}`},
		{name: "optional null", in: `{"name":"a","ratio":null,"count":null,"deep":null}`},
		{name: "surrogate pair", in: `{"name":"\ud83d\ude00"}`},
		{name: "escapes", in: `{"name":"\"\\\/\b\f\n\r\t\u00e4"}`},
		{name: "depth 16", in: `{"name":"a","raw":` + nested(15) + `}`},

		{name: "empty", in: ``, code: models.CodeBadJSON},
		{name: "white space alone", in: "  ", code: models.CodeBadJSON},
		{name: "byte order mark", in: "\ufeff{\"name\":\"a\"}", code: models.CodeBadJSON},
		{name: "trailing garbage", in: `{"name":"a"} x`, code: models.CodeBadJSON},
		{name: "second value", in: `{"name":"a"}{}`, code: models.CodeBadJSON},
		{name: "trailing NUL", in: "{\"name\":\"a\"}\x00", code: models.CodeBadJSON},
		{name: "trailing comma", in: `{"name":"a",}`, code: models.CodeBadJSON},
		{name: "leading comma", in: `{,"name":"a"}`, code: models.CodeBadJSON},
		{name: "trailing comma in a list", in: `{"name":"a","raw":[1,]}`, code: models.CodeBadJSON},
		{name: "no colon", in: `{"name" "a"}`, code: models.CodeBadJSON},
		{name: "comment", in: `{"name":"a"/**/}`, code: models.CodeBadJSON},
		{name: "single quotes", in: `{'name':'a'}`, code: models.CodeBadJSON},
		{name: "unquoted member", in: `{name:"a"}`, code: models.CodeBadJSON},
		{name: "unterminated object", in: `{"name":"a"`, code: models.CodeBadJSON},
		{name: "unterminated string", in: `{"name":"a`, code: models.CodeBadJSON},
		{name: "cut after an escape", in: `{"name":"\`, code: models.CodeBadJSON},
		{name: "cut in a \\u escape", in: `{"name":"\u00`, code: models.CodeBadJSON},
		{name: "unknown escape", in: `{"name":"\x41"}`, code: models.CodeBadJSON},
		{name: "bad hex", in: `{"name":"\u00g0"}`, code: models.CodeBadJSON},
		{name: "bad hex in the second half", in: `{"name":"\ud83d\uzzzz"}`, code: models.CodeBadJSON},
		{name: "line end in a string", in: "{\"name\":\"a\nb\"}", code: models.CodeBadJSON},
		{name: "depth 17", in: `{"name":"a","raw":` + nested(16) + `}`, code: models.CodeBadJSON},
		{name: "depth 17 of lists", in: `{"name":"a","raw":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, code: models.CodeBadJSON},
		{name: "depth 9,999", in: strings.Repeat("[", 9999) + strings.Repeat("]", 9999), code: models.CodeBadJSON},

		{name: "repeated", in: `{"name":"a","name":"a"}`, code: models.CodeBadJSON},
		{name: "repeated, one escaped", in: `{"name":"a","\u006eame":"b"}`, code: models.CodeBadJSON},
		{name: "repeated unknown", in: `{"name":"a","x":1,"x":2}`, code: models.CodeBadJSON},
		{name: "repeated null", in: `{"name":null,"name":"b"}`, code: models.CodeBadJSON},
		{name: "repeated in a part", in: `{"name":"a","part":{"inner":"x","inner":"y"}}`, code: models.CodeBadJSON},
		{name: "repeated in a list's entry", in: `{"name":"a","parts":[{"inner":"x"},{"inner":"x","inner":"y"}]}`, code: models.CodeBadJSON},
		{name: "repeated below an unknown member", in: `{"name":"a","later":[{"x":{"y":1,"y":1}}]}`, code: models.CodeBadJSON},
		{name: "another case", in: `{"Name":"a"}`, code: models.CodeBadJSON},
		{name: "another case beside the right one", in: `{"name":"a","NAME":"b"}`, code: models.CodeBadJSON},
		{name: "another case, escaped", in: `{"\u004eame":"a"}`, code: models.CodeBadJSON},
		{name: "another case by the long s", in: `{"name":"a","part\u017f":[]}`, code: models.CodeBadJSON},
		{name: "another case by the Kelvin sign", in: `{"name":"a","\u212a":1}`},
		{name: "another case of an embedded one", in: `{"name":"a","DEEP":"b"}`, code: models.CodeBadJSON},
		{name: "another case of an untagged one", in: `{"name":"a","plain":"b"}`, code: models.CodeBadJSON},
		{name: "another case in a part", in: `{"name":"a","part":{"Inner":"x"}}`, code: models.CodeBadJSON},
		{name: "cases of unknown members are two", in: `{"name":"a","x":1,"X":2}`},

		{name: "escaped NUL", in: `{"name":"a\u0000b"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "escaped NUL in a member", in: `{"name":"a","x\u0000":1}`, code: models.CodeInvalidText},
		{name: "raw NUL", in: "{\"name\":\"a\x00b\"}", code: models.CodeBadJSON},
		{name: "high half alone", in: `{"name":"\ud83d"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "high half before a letter", in: `{"name":"\ud83da"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "high half twice", in: `{"name":"\ud83d\ud83d\ude00"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "high half before another escape", in: `{"name":"\ud83d\n"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "low half alone", in: `{"name":"\ude00"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "halves in the wrong order", in: `{"name":"\ude00\ud83d"}`, code: models.CodeInvalidText, paths: "name"},
		{name: "lone half below an unknown member", in: `{"name":"a","later":["\ud800"]}`, code: models.CodeInvalidText},
		{name: "invalid UTF-8", in: "{\"name\":\"\xff\"}", code: models.CodeInvalidText, paths: "name"},
		{name: "overlong UTF-8", in: "{\"name\":\"\xc0\xaf\"}", code: models.CodeInvalidText, paths: "name"},
		{name: "surrogate in UTF-8", in: "{\"name\":\"\xed\xa0\x80\"}", code: models.CodeInvalidText, paths: "name"},
		{name: "truncated UTF-8", in: "{\"name\":\"\xe2\x82\"}", code: models.CodeInvalidText, paths: "name"},
		{name: "invalid UTF-8 in a part", in: "{\"name\":\"a\",\"part\":{\"inner\":\"\xff\"}}", code: models.CodeInvalidText, paths: "part.inner"},
		{name: "the replacement character itself", in: `{"name":"` + "\ufffd" + `"}`},

		{name: "missing", in: `{}`, code: models.CodeInvalidField, paths: "name"},
		{name: "null for a required one", in: `{"name":null}`, code: models.CodeInvalidField, paths: "name"},
		{name: "not null but n", in: `{"name":nil}`, code: models.CodeBadJSON},
		{name: "missing in parts", in: `{"name":"a","part":{},"parts":[{"inner":"x"},{}]}`, code: models.CodeInvalidField, paths: "part.inner parts.inner"},
		{name: "wrong type", in: `{"name":5}`, code: models.CodeInvalidField, paths: "name"},
		{name: "text for a number", in: `{"name":"a","count":"5"}`, code: models.CodeInvalidField, paths: "count"},
		{name: "fraction for a whole number", in: `{"name":"a","count":1.5}`, code: models.CodeInvalidField, paths: "count"},
		{name: "number out of range", in: `{"name":"a","count":9223372036854775808}`, code: models.CodeInvalidField, paths: "count"},
		{name: "wrong type in a part", in: `{"name":"a","part":{"inner":[]}}`, code: models.CodeInvalidField, paths: "part.inner"},
		{name: "list for an object", in: `{"name":"a","part":[]}`, code: models.CodeInvalidField, paths: "part"},
		{name: "object for a list", in: `{"name":"a","parts":{"inner":""}}`, code: models.CodeInvalidField, paths: "parts"},
		{name: "a list", in: `[{"name":"a"}]`, code: models.CodeBadJSON},
		{name: "a text", in: `"name"`, code: models.CodeBadJSON},
		{name: "null", in: strings.Repeat(" ", 100) + `null`, code: models.CodeBadJSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decoder.Decode([]byte(tc.in))
			if models.CodeOf(err) != tc.code {
				t.Fatalf("Decode(%q) = %+v, %v; want code %q", tc.in, got, err, tc.code)
			}
			if paths := pathsOf(err); paths != tc.paths {
				t.Errorf("Decode(%q) blames %q, want %q", tc.in, paths, tc.paths)
			}
		})
	}
}

func pathsOf(err error) string {
	wrong, ok := err.(*models.Error) //nolint:errorlint // the decoder promises this very type
	if !ok {
		return ""
	}
	paths := make([]string, len(wrong.Fields))
	for i, f := range wrong.Fields {
		paths[i] = f.Path
	}
	return strings.Join(paths, " ")
}

func TestNumbersFollowTheGrammar(t *testing.T) {
	for in, valid := range map[string]bool{
		"0": true, "-0": true, "10": true, "-1": true, "0.0": true, "1.25": true, "1e5": true, "1E+5": true, "1e-05": true,
		"-0.5e0": true, "123456789012345678901234567890": true,
		"": false, "-": false, "+1": false, "01": false, "-01": false, "00": false, "1.": false, ".5": false, "-.5": false,
		"1e": false, "1e+": false, "1.e5": false, "0x10": false, "1_000": false, "NaN": false, "Infinity": false, "1 2": false, "--1": false,
	} {
		if got := scanned([]byte(in), nil) == nil; got != valid {
			t.Errorf("scan(%q): accepted %v, want %v", in, got, valid)
		}
		if got := json.Valid([]byte(in)); got != valid {
			t.Errorf("encoding/json on %q: accepted %v; the table is wrong", in, got)
		}
	}
}

// An object of 40,000 members must not cost 40,000² comparisons. Time is a bad
// witness on a busy machine, so the ratio of two sizes is taken, generously.
func TestHugeObjectsStayLinear(t *testing.T) {
	object := func(members int) []byte {
		var b strings.Builder
		b.WriteByte('{')
		for i := range members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strings.Repeat("m", 3) + string(rune('a'+i%26)) + strings.Repeat("0", 1+i/26%7) + jsonNumber(i) + `":0`)
		}
		b.WriteByte('}')
		return []byte(b.String())
	}
	best := func(data []byte) time.Duration {
		least := time.Hour
		for range 5 {
			start := time.Now()
			if err := scanned(data, shapeOf(reflect.TypeFor[thing]()).optional()); err != nil {
				t.Fatal(err)
			}
			least = min(least, time.Since(start))
		}
		return least
	}
	small, large := best(object(2_500)), best(object(40_000))
	if large > 16*8*small {
		t.Errorf("40,000 members took %v and 2,500 took %v: %d times as long, want about 16", large, small, large/max(small, 1))
	}
}

func scanned(data []byte, s *shape) error {
	_, err := scan(data, s, 0)
	return err
}

func TestValueAndNotSpellingMakesANumberWhole(t *testing.T) {
	decoder := NewDecoder[thing]()
	zeros := strings.Repeat("0", 60_000)
	for in, want := range map[string]int{
		"5": 5, "5.0": 5, "5e0": 5, "50E-1": 5, "0.5e+1": 5, "0.05e2": 5, "-0": 0, "-0.0": 0, "0e400": 0, "0e99999999999999999999": 0, "-5.00": -5,
		"1.5e1": 15, "9223372036854775807.0": 1<<63 - 1, "-9223372036854775808.0": -1 << 63, "5." + zeros: 5, "0." + zeros + "5e60001": 5,
	} {
		if got, err := decoder.Decode([]byte(`{"name":"a","count":` + in + `,"flag":true}`)); err != nil || got.Count != want || !got.Flag {
			t.Errorf("%.40s is %d (%v), want %d", in, got.Count, err, want)
		}
	}
	for _, in := range []string{
		"5.5", "55e-1", "1e-1", "1e400", "-1e400", "1e99999999999999999999", "1e-99999999999999999999", "9223372036854775808.0", "1e19", "5" + zeros + ".0",
	} {
		if got, err := decoder.Decode([]byte(`{"name":"a","count":` + in + `}`)); models.CodeOf(err) != models.CodeInvalidField {
			t.Errorf("%.40s is %d (%v), want invalid_field", in, got.Count, err)
		}
	}
}

// Contexts are compared as text: one value must have one spelling, that of
// ECMAScript, and another value never the same.
func TestNumbersOfOneValueHaveOneSpelling(t *testing.T) {
	for want, spellings := range map[string][]string{
		"0":                              {"0", "-0", "0.0", "-0.000", "0e5", "-0E-400", "0e99999999999999999999"},
		"5":                              {"5", "5.0", "5e0", "50E-1", "0.05e2", "0.5e+1"},
		"-100":                           {"-100", "-1e2", "-100.0"},
		"1.5":                            {"1.5", "1.50", "15e-1", "0.15E1"},
		"-0.001":                         {"-0.001", "-1e-3", "-0.0010"},
		"10.5":                           {"10.5", "1.05e1"},
		"0.000001":                       {"0.000001", "1e-6", "1E-06", "0.1e-5"},
		"1e-7":                           {"1e-7", "0.0000001", "1.0e-07"},
		"0.1":                            {"0.1", "0.10", "1e-1", "0.1" + strings.Repeat("0", 60_000)},
		"100000000000000000000":          {"100000000000000000000", "1e20", "1.0E+20"},
		"1e+21":                          {"1000000000000000000000", "1e21", "1E+21", "10e20", "1.0e21"},
		"9007199254740993":               {"9007199254740993", "9007199254740993.0"},
		"9007199254740992":               {"9007199254740992", "9.007199254740992e15"},
		"18446744073709552000":           {"18446744073709552000", "1.8446744073709552e19"},
		"0.1234567890123456789":          {"0.1234567890123456789"}, // no float has this value: its digits stay
		"1e400":                          {"1e400"},
		"1e-400":                         {"1e-400"},
		"1e99999999999999999999":         {"1e99999999999999999999"},
		"-100000000000000000000":         {"-100000000000000000000", "-1e20"},
		"123456789012345678901234567890": {"123456789012345678901234567890"}, // no float either
		"5e-324":                         {"5e-324"},
		"0.10000000000000000555":         {"0.10000000000000000555"},
	} {
		for _, in := range spellings {
			got, err := scan([]byte(`{"n":[`+in+`, 7]}`), nil, 0)
			if err != nil || strings.ReplaceAll(string(got), " ", "") != `{"n":[`+want+`,7]}` {
				t.Errorf("%.40s becomes %.60s (%v), want %s", in, got, err, want)
			}
		}
	}
}

func jsonNumber(i int) string { raw, _ := json.Marshal(i); return string(raw) }

func TestCheckJSONRequiresNothing(t *testing.T) {
	kind := reflect.TypeFor[thing]()
	for _, tc := range []struct {
		in, out string
		code    models.Code
		paths   string
	}{
		{in: `{}`},
		{in: `{"part":{}}`},
		{in: `{"name":null}`},
		{in: `[]`}, // the other decoder's word
		{in: `{"Name":"a"}`, code: models.CodeBadJSON},
		{in: `{"part":{"INNER":"a"}}`, code: models.CodeBadJSON},
		{in: `{"name":"a","name":"b"}`, code: models.CodeBadJSON},
		{in: `{"name":"\u0000"}`, code: models.CodeInvalidText, paths: "name"},
		{in: `{"count":1.0}`, out: `{"count":1}`},
		{in: `{"count":9223372036854775807}`},
		{in: `{"count":-9223372036854775808}`},
		{in: `{"count":1e18}`, out: `{"count":1000000000000000000}`},
		{in: `{"count":9223372036854775808}`, code: models.CodeInvalidField, paths: "count"},
		{in: `{"count":-9223372036854775809}`, code: models.CodeInvalidField, paths: "count"},
		{in: `{"count":123456789012345678901234567890}`, code: models.CodeInvalidField, paths: "count"},
		{in: `{"part":{"x":1e400}}`, code: models.CodeInvalidField, paths: "part.x"},
		{in: `{"count":1e-400}`},
	} {
		out, err := CheckJSON([]byte(tc.in), kind)
		if models.CodeOf(err) != tc.code || pathsOf(err) != tc.paths {
			t.Errorf("CheckJSON(%s) = %v, want code %q of %q", tc.in, err, tc.code, tc.paths)
		}
		if want := cmp.Or(tc.out, tc.in); err == nil && string(out) != want {
			t.Errorf("CheckJSON(%s) is to be read as %s, want %s", tc.in, out, want)
		}
	}
}
