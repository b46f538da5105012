package protocol

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"earshot/models"
)

// Vectors are those of RFC 8949, Appendix A, as far as JSON has a word for them.
func TestCBORValues(t *testing.T) {
	for in, want := range map[string]string{
		"00": "0", "01": "1", "0a": "10", "17": "23", "1818": "24", "1864": "100", "1903e8": "1000", "1a000f4240": "1000000",
		"1b000000e8d4a51000": "1000000000000", "1bffffffffffffffff": "18446744073709551615",
		"20": "-1", "29": "-10", "3863": "-100", "3903e7": "-1000", "3bffffffffffffffff": "-18446744073709551616",
		"3b7fffffffffffffff": "-9223372036854775808",
		"f90000":             "0", "f98000": "-0", "f93c00": "1", "f93e00": "1.5", "f97bff": "65504", "f90001": "5.960464477539063e-8",
		"f90400": "0.00006103515625", "f9c400": "-4", "fb3ff199999999999a": "1.1", "fa47c35000": "100000", "fa7f7fffff": "3.4028234663852886e+38",
		"fb7e37e43c8800759c": "1e+300", "fbc010666666666666": "-4.1", "fb444b1ae4d6e2ef50": "1e+21", "fb4415af1d78b58c40": "100000000000000000000",
		"f4": "false", "f5": "true", "f6": "null",
		"60": `""`, "6161": `"a"`, "6449455446": `"IETF"`, "62225c": `"\"\\"`, "62c3bc": `"ü"`, "63e6b0b4": `"水"`, "64f0908591": `"𐅑"`,
		"6109": `"\t"`, "610a": `"\n"`, "610d": `"\r"`, "611f": `"\u001f"`, "617f": "\"\x7f\"", "613c": `"<"`, "63e280a8": "\"\u2028\"",
		"80": "[]", "83010203": "[1,2,3]", "8301820203820405": "[1,[2,3],[4,5]]",
		"98190102030405060708090a0b0c0d0e0f101112131415161718181819": "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]",
		"a0": "{}", "a26161016162820203": `{"a":1,"b":[2,3]}`, "826161a161626163": `["a",{"b":"c"}]`,
		"1800": "0", "1b0000000000000005": "5", "7800": `""`, // longer heads than need be are CBOR all the same
	} {
		got, err := jsonFromCBOR(unhex(t, in))
		if err != nil || string(got) != want {
			t.Errorf("%s is %s (%v), want %s", in, got, err, want)
		}
	}
}

func TestCBORHeadsAreTheShortest(t *testing.T) {
	for in, want := range map[string]string{
		"23": "17", "24": "1818", "255": "18ff", "256": "190100", "65535": "19ffff", "65536": "1a00010000", "4294967295": "1affffffff",
		"4294967296": "1b0000000100000000", "18446744073709551615": "1bffffffffffffffff", "-1": "20", "-24": "37", "-25": "3818", "-0": "fb8000000000000000",
		"-18446744073709551615": "3bfffffffffffffffe", "18446744073709551616": "fb43f0000000000000", "1.5": "fb3ff8000000000000",
		`"` + strings.Repeat("a", 24) + `"`:                  "7818" + strings.Repeat("61", 24),
		"[" + strings.Repeat("1,", 23) + "1]":                "9818" + strings.Repeat("01", 24),
		`[{"a":[` + strings.Repeat("1,", 299) + `1]}, true]`: "82a1616199012c" + strings.Repeat("01", 300) + "f5",
		` { "a" : [ ] , "\u00e4\n" : false } `:               "a261618063c3a40af4",
	} {
		got, err := cborFromJSON([]byte(in))
		if err != nil || !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("%.40s is %x (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1e400", "{", "[1", "[1,]", `{"a"}`, `{1:2}`, "1 2", "nul", `"\x"`} {
		if got, err := cborFromJSON([]byte(in)); err == nil {
			t.Errorf("%q becomes %x, want an error", in, got)
		}
	}
}

// A frame that ends early anywhere, or has a byte more, is refused.
func TestCBORFramesAreWhole(t *testing.T) {
	for _, name := range []string{"visitor_client", "visitor_server"} {
		for _, e := range readCorpus(t, name) {
			frame := e.frame(t, CBOR)
			for end := range frame {
				if _, _, err := VisitorClient.Decode(CBOR, frame[:end]); models.CodeOf(err) != models.CodeBadJSON {
					t.Errorf("%s: cut to %d bytes: %v, want bad_json", e.name, end, err)
				}
			}
			for _, more := range []byte{0x00, 0xa0, 0xf6, 0xff} {
				if _, _, err := VisitorClient.Decode(CBOR, append(slices.Clone(frame), more)); models.CodeOf(err) != models.CodeBadJSON {
					t.Errorf("%s: with %#x after it: %v, want bad_json", e.name, more, err)
				}
			}
		}
	}
}

func TestWholeFloatsAreWholeNumbersInCBOR(t *testing.T) {
	for in, want := range map[string]int{"05": 5, "f94500": 5, "fa40a00000": 5, "fb4014000000000000": 5, "f98000": 0} {
		frame := append(unhex(t, "a2647479706571466565646261636b5375626d69747465646464617461a368706167655f75726c6170676d657373616765616d66726174696e67"), unhex(t, in)...)
		got, _, err := VisitorClient.Decode(CBOR, frame)
		if f, ok := got.(FeedbackSubmitted); err != nil || !ok || f.Rating == nil || *f.Rating != want {
			t.Errorf("%s is %+v (%v), want a rating of %d", in, got, err, want)
		}
	}
}

// A submission is the same in JSON and CBOR, however either orders its members
// and spells its numbers: the same fields, and the same fingerprint.
func TestSubmissionIsTheSameInEveryEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := map[string]any{
			"page_url": "https://a.example/",
			"message":  rapid.StringMatching(`[ \na-zäß😀"\\<]{0,8}m[ \ta-z]{0,5}`).Draw(t, "message"),
			"name":     "Ann", "email": "Ann@a.example", "rating": float64(rapid.IntRange(1, 5).Draw(t, "rating")),
			"context": rapid.MapOfN(text(), values(3), 0, 5).Draw(t, "context"),
		}
		floats := rapid.SampledFrom([]cbor.ShortestFloatMode{cbor.ShortestFloatNone, cbor.ShortestFloat16}).Draw(t, "floats")
		mode, err := cbor.EncOptions{ShortestFloat: floats, Sort: cbor.SortFastShuffle}.EncMode()
		if err != nil {
			t.Fatal(err)
		}
		binary, err := mode.Marshal(map[string]any{"type": "FeedbackSubmitted", "id": eventID, "data": data})
		if err != nil {
			t.Fatal(err)
		}
		members := spelled(t, data)
		one := normalized(t, CBOR, binary)
		two := normalized(t, JSON, []byte(`{"data":`+members+`,"id":"`+eventID+`","type":"FeedbackSubmitted"}`))
		three := normalized(t, External, []byte(`{"FeedbackSubmitted":`+`{"id":"`+eventID+`",`+members[1:]+`}`))
		for _, other := range []models.Submission{two, three} {
			if !reflect.DeepEqual(one, other) || !bytes.Equal(one.Fingerprint(), other.Fingerprint()) {
				t.Fatalf("in CBOR it is\n%+v %s, otherwise\n%+v %s", one, one.Context, other, other.Context)
			}
		}
	})
}

func normalized(t *rapid.T, enc Encoding, frame []byte) models.Submission {
	event, id, err := VisitorClient.Decode(enc, frame)
	if err != nil {
		t.Fatalf("Decode(%q): %v", frame, err)
	}
	f, ok := event.(FeedbackSubmitted)
	if !ok {
		t.Fatalf("Decode(%q) = %T", frame, event)
	}
	s := f.Submission(models.ID(id))
	if err := s.Normalize(); err != nil {
		t.Fatalf("Normalize(%+v): %v", s, err)
	}
	return s
}

func text() *rapid.Generator[string] {
	return rapid.StringOf(rapid.RuneFrom([]rune("aZé\u2028😀\"\\\n\x01\x7f<&/"))).Filter(func(s string) bool { return len(s) < 40 })
}

// values are what a context may hold, as Go has them.
func values(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		text().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil), rapid.Int64().AsAny(), rapid.Uint64().AsAny(),
		rapid.Float64().Filter(finite).AsAny(), rapid.Map(rapid.Int16(), func(n int16) any { return float64(n) / 8 }),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.SliceOfN(values(depth-1), 0, 4).AsAny(), rapid.MapOfN(text(), values(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(kinds...)
}

func finite(f float64) bool { return f-f == 0 }

// spelled is a value's JSON with its members in any order and its numbers in any
// spelling.
func spelled(t *rapid.T, value any) string {
	var parts []string
	switch v := value.(type) {
	case map[string]any:
		for _, name := range rapid.Permutation(slices.Sorted(maps.Keys(v))).Draw(t, "order") {
			parts = append(parts, quoted(name)+":"+spelled(t, v[name]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		for _, item := range v {
			parts = append(parts, spelled(t, item))
		}
		return "[" + strings.Join(parts, " , ") + "]"
	case float64:
		plain := strconv.FormatFloat(v, 'f', -1, 64)
		dotted := plain + "0"
		if !strings.Contains(plain, ".") {
			dotted = plain + ".0"
		}
		return rapid.SampledFrom([]string{quoted(v), plain, dotted, strconv.FormatFloat(v, 'E', -1, 64)}).Draw(t, "spelling")
	default:
		return quoted(v)
	}
}

func quoted(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
