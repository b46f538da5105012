package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"earshot/models"
)

var seeds = []string{
	`{"type":"Ping","id":"` + eventID + `","data":{}}`,
	`{"type":"Hello","data":{"resume_token":"a","epoch":"e","since":0}}`,
	`{"type":"DraftChanged","data":{"text":"\ud83d\ude00","shared":true}}`,
	`{"type":"FeedbackSubmitted","data":{"page_url":"https://a.example/","message":"m","kind":"bug","rating":5,"context":{"a":[1,{"b":null}]}}}`,
	`{"type":"FeedbackSubmitted","data":{"page_url":"p","message":"m","attachment_ids":[]}}`,
	`{"type":"Subscribe","data":{"project_id":"p","epoch":"e","since":7}}`,
	`{"type":"Reauthenticate","data":{"token":"t"}}`,
	`{"a":1,"\u0061":2}`, `{"A":1,"a":2}`, `{"type":"x","TYPE":"y"}`, `{"t\u017fpe":1}`, `"\ud800"`, `"\udc00\ud800"`, "\"\xff\"", "\"\x00\"", `"\u0000"`,
	`[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]`, `-0.0e-0`, `01`, `1.`, `{"a":1,}`, ` null `, `{"type":null}`, "\ufeff{}",
}

// FuzzScan holds the scanner against encoding/json: what it admits is JSON and
// means the same to both; what it refuses is no JSON, or has one of the things
// that it is there to refuse.
func FuzzScan(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := scanned(data, nil)
		valid := json.Valid(data)
		if err == nil {
			if !valid {
				t.Fatalf("scan admits %q, which is no JSON", data)
			}
			if why := forbidden(data); why != "" {
				t.Fatalf("scan admits %q, which has %s", data, why)
			}
			return
		}
		if code := models.CodeOf(err); code != models.CodeBadJSON && code != models.CodeInvalidText {
			t.Fatalf("scan(%q) fails with code %q", data, code)
		}
		if valid && forbidden(data) == "" {
			t.Fatalf("scan refuses %q: %v; it is JSON without anything forbidden", data, err)
		}
	})
}

// forbidden finds by other means what the scanner refuses in valid JSON; "" if
// there is nothing. It reads tokens, and a text's own bytes where they matter.
func forbidden(data []byte) string {
	if !utf8.Valid(data) {
		return "invalid UTF-8"
	}
	if why := badEscapes(string(data)); why != "" {
		return why
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	type level struct {
		object bool
		value  bool // the next token is a member's value
		names  map[string]bool
	}
	var stack []level
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return ""
		}
		if err != nil {
			return "no JSON: " + err.Error()
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].object {
			if top := &stack[n-1]; !top.value {
				name, _ := token.(string)
				if top.names[name] {
					return "a repeated member"
				}
				top.names[name], top.value = true, true
				continue
			}
			stack[n-1].value = false
		}
		if delim, ok := token.(json.Delim); ok {
			if stack = append(stack, level{object: delim == '{', names: map[string]bool{}}); len(stack) > MaxDepth {
				return "depth"
			}
		}
	}
}

// badEscapes finds \u0000 and lone halves of surrogate pairs. Backslashes occur
// in valid JSON inside texts only.
func badEscapes(s string) string {
	unit := func(i int) (uint16, bool) {
		if len(s) < i+6 || s[i] != '\\' || s[i+1] != 'u' {
			return 0, false
		}
		var n uint16
		for _, c := range strings.ToLower(s[i+2 : i+6]) {
			n = n<<4 | uint16(strings.IndexRune("0123456789abcdef", c))
		}
		return n, true
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		n, ok := unit(i)
		switch {
		case !ok:
			i++ // the escaped character
			continue
		case n == 0:
			return "NUL"
		case n >= 0xDC00 && n <= 0xDFFF:
			return "a low half alone"
		case n >= 0xD800 && n <= 0xDBFF:
			if low, ok := unit(i + 6); !ok || low < 0xDC00 || low > 0xDFFF {
				return "a high half alone"
			}
			i += 6
		}
		i += 5
	}
	return ""
}

// FuzzDecoder holds the decoder's values against encoding/json's.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte(`{"name":"a","count":-2,"ratio":1.5e-3,"part":{"inner":"x","list":["y"]},"parts":[{"inner":""}],"raw":[1]}`))
	f.Add([]byte(`{"name":"a","Name":"b"}`))
	f.Add([]byte(`{"name":null}`))
	f.Add([]byte(`{"name":"a","count":50.0e-1}`))
	f.Add([]byte(`{"name":"a","raw":[1.50,-0,{"a":1e2}]}`))
	decoder := NewDecoder[thing]()
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decoder.Decode(data)
		if err != nil {
			if models.CodeOf(err) == models.CodeInternal {
				t.Fatalf("Decode(%q) fails as if it were our fault: %v", data, err)
			}
			return
		}
		var want thing
		// A whole number may be spelled as encoding/json does not like it.
		var wrong *json.UnmarshalTypeError
		if err := json.Unmarshal(data, &want); errors.As(err, &wrong) && wrong.Field == "count" {
			var loose struct {
				Count float64 `json:"count"`
			}
			if json.Unmarshal(data, &loose) != nil || float64(got.Count) != loose.Count {
				t.Fatalf("Decode(%q) counts %d, the value is %v", data, got.Count, loose.Count)
			}
		} else if err != nil {
			t.Fatalf("Decode admits %q, encoding/json does not: %v", data, err)
		}
		// The text of a raw value may differ in its numbers' spelling alone.
		if (got.Raw == nil) != (want.Raw == nil) || (got.Raw != nil && meaning(t, JSON, got.Raw) != meaning(t, JSON, want.Raw)) {
			t.Fatalf("Decode(%q) has the raw value %s, encoding/json has %s", data, got.Raw, want.Raw)
		}
		if got.Raw, want.Raw = nil, nil; wrong == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("Decode(%q) = %+v, encoding/json has %+v", data, got, want)
		}
	})
}

// FuzzCBOR holds the translation of CBOR against a library's own decoder: what
// we admit, it admits too, and it means the same.
func FuzzCBOR(f *testing.F) {
	addCorpus(f, CBOR)
	f.Add(unhex(f, "83f98000fb7e37e43c8800759c3bffffffffffffffff")) // [-0.0, 1.0e300, -2⁶⁴]
	library := strictLibrary(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := jsonFromCBOR(data)
		if err == nil {
			text, err = scan(text, nil, 0)
		}
		if err != nil {
			if code := models.CodeOf(err); code != models.CodeBadJSON && code != models.CodeInvalidText {
				t.Fatalf("%x fails with code %q", data, code)
			}
			return
		}
		var value any
		if err := library.Unmarshal(data, &value); err != nil {
			t.Fatalf("%x is admitted as %s; the library says %v", data, text, err)
		}
		if got, want := meaning(t, JSON, text), meaning(t, CBOR, data); got != want {
			t.Fatalf("%x becomes %s, the library has %s", data, got, want)
		}
	})
}

func FuzzDecodeVisitor(f *testing.F) { fuzzDecode(f, VisitorClient, JSON) }

func FuzzDecodeDashboard(f *testing.F) { fuzzDecode(f, DashboardClient, JSON) }

func FuzzDecodeVisitorCBOR(f *testing.F) { fuzzDecode(f, VisitorClient, CBOR) }

func FuzzDecodeDashboardCBOR(f *testing.F) { fuzzDecode(f, DashboardClient, CBOR) }

func FuzzDecodeExternal(f *testing.F) { fuzzDecode(f, VisitorClient, External) }

// addCorpus makes seeds of the golden frames, refusals with them.
func addCorpus(f *testing.F, enc Encoding) {
	f.Helper()
	for _, name := range []string{"visitor_client", "visitor_server", "dashboard_client", "refusals"} {
		for _, e := range readCorpus(f, name) {
			if frame := e.frame(f, enc); len(frame) > 0 {
				f.Add(frame)
			}
		}
	}
}

// fuzzDecode looks for frames that make Decode panic, fail in a way that no
// client may see, or give an event that does not survive its encodings.
func fuzzDecode[E any](f *testing.F, sum *Sum[E], enc Encoding) {
	if enc == JSON {
		for _, seed := range seeds {
			f.Add([]byte(seed))
		}
	}
	addCorpus(f, enc)
	f.Fuzz(func(t *testing.T, frame []byte) {
		event, id, err := sum.Decode(enc, frame)
		if len(id) > maxEnvelopeID {
			t.Fatalf("Decode(%q) gives an id of %d bytes", frame, len(id))
		}
		if err != nil {
			switch code := models.CodeOf(err); code {
			case models.CodeBadJSON, models.CodeUnknownType, models.CodeInvalidField, models.CodeInvalidText, models.CodeTooLarge:
			default:
				t.Fatalf("Decode(%q) fails with code %q: %v", frame, code, err)
			}
			if !utf8.ValidString(err.Error()) {
				t.Fatalf("Decode(%q): the error's text is not UTF-8: %q", frame, err)
			}
			return
		}
		for other := range allEncodings {
			survives(t, sum, other, event, id)
		}
	})
}

// survives encodes an event, decodes it, and looks whether it is the same.
func survives[E any](t *testing.T, sum *Sum[E], enc Encoding, event E, id string) {
	t.Helper()
	if enc == CBOR && beyondFloats(event) {
		return
	}
	encoded, ok := encodeClient(t, sum, enc, event, id)
	if !ok || len(encoded) > MaxFrame {
		return
	}
	again, againID, err := sum.Decode(enc, encoded)
	if err != nil {
		t.Fatalf("%+v is not understood in %s, %q: %v", event, allEncodings[enc], encoded, err)
	}
	// Their JSON is compared: an empty list is as good as none.
	if quoted(event) != quoted(again) {
		t.Fatalf("%+v comes back from %s (%q) as %+v", event, allEncodings[enc], encoded, again)
	}
	if _, isSubmission := any(event).(FeedbackSubmitted); againID != id && (enc != External || isSubmission) {
		t.Fatalf("the id %q comes back from %s (%q) as %q", id, allEncodings[enc], encoded, againID)
	}
}

// beyondFloats finds numbers in a context that JSON can spell and CBOR without
// tags cannot hold: neither whole numbers of 64 bits nor the value of a float.
func beyondFloats(event any) bool {
	f, ok := event.(FeedbackSubmitted)
	if !ok || len(f.Context) == 0 {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(f.Context))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err != nil {
			return false
		}
		number, ok := token.(json.Number)
		if !ok {
			continue
		}
		if f, err := number.Float64(); err != nil || quoted(f) != string(number) {
			if _, err := strconv.ParseUint(strings.TrimPrefix(string(number), "-"), 10, 64); err != nil {
				return true
			}
		}
	}
}
