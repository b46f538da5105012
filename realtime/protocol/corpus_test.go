package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"earshot/models"
)

// The corpus is text for people to read. An entry begins with "# name"; each
// line after it is a key and a value:
//
//	code      the code of the refusal, in corpora of refusals
//	id        the id that goes with the refusal, if any
//	json      the frame as JSON
//	cbor      the frame as CBOR, in hexadecimal
//	diag      the same in diagnostic notation (RFC 8949 §8), for the reader
//	external  the frame in external tagging; absent where that has no such event
//
// With -update, what follows from the json line is written anew.
var update = flag.Bool("update", false, "write the corpus in testdata anew from its json lines")

var corpusKeys = []string{"code", "id", "json", "cbor", "diag", "external"}

type entry struct {
	name  string
	lines map[string]string
}

func readCorpus(t testing.TB, name string) []entry {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for i, line := range strings.Split(string(raw), "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch {
		case line == "":
		case key == "#":
			entries = append(entries, entry{name: value, lines: map[string]string{}})
		case len(entries) == 0 || !strings.Contains(strings.Join(corpusKeys, " "), key):
			t.Fatalf("%s.txt:%d: what is %q?", name, i+1, line)
		default:
			entries[len(entries)-1].lines[key] = strings.TrimSpace(value)
		}
	}
	return entries
}

func writeCorpus(t *testing.T, name string, entries []entry) {
	t.Helper()
	var b strings.Builder
	for i, e := range entries {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "# %s\n", e.name)
		for _, key := range corpusKeys {
			if value := e.lines[key]; value != "" {
				fmt.Fprintf(&b, "%-8s %s\n", key, value)
			}
		}
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".txt"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// frame is the entry's frame in the encoding; nil if it has none.
func (e entry) frame(t testing.TB, enc Encoding) []byte {
	t.Helper()
	switch enc {
	case JSON:
		return []byte(e.lines["json"])
	case External:
		return []byte(e.lines["external"])
	case CBOR:
	}
	return unhex(t, e.lines["cbor"])
}

// set is the reverse of frame.
func (e entry) set(t testing.TB, enc Encoding, frame []byte) {
	t.Helper()
	switch enc {
	case JSON:
		e.lines["json"] = string(frame)
	case External:
		e.lines["external"] = string(frame)
	case CBOR:
		e.lines["cbor"] = hex.EncodeToString(frame)
		e.lines["diag"] = diagnosis(frame)
	}
}

// diagnosis is "" for what is not CBOR, or has texts that are none.
func diagnosis(frame []byte) string {
	notation, err := cbor.Diagnose(frame)
	if err != nil {
		return ""
	}
	return notation
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// allEncodings are the three, with names for tests.
var allEncodings = map[Encoding]string{JSON: "json", CBOR: "cbor", External: "external"}

// encodeClient writes what a client would send. Not ok means that the encoding
// does not have the event.
func encodeClient[E any](t testing.TB, sum *Sum[E], enc Encoding, event E, id string) (frame []byte, ok bool) {
	t.Helper()
	data, err := marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if enc == External {
		if _, ok := sum.external(event); !ok {
			return nil, false
		}
		if _, isSubmission := any(event).(FeedbackSubmitted); isSubmission {
			data = append([]byte(`{"id":`+jsonText(t, id)+`,`), data[1:]...)
		}
		return []byte(`{"` + sum.name(event) + `":` + string(data) + `}`), true
	}
	frame, err = marshal(clientEnvelope{Type: sum.name(event), ID: id, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if enc == CBOR {
		if frame, err = cborFromJSON(frame); err != nil {
			t.Fatal(err)
		}
	}
	return frame, true
}

func jsonText(t testing.TB, s string) string {
	t.Helper()
	raw, err := marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// meaning is what a frame says to a library that knows nothing of ours, in
// canonical JSON: members sorted, numbers by their value.
func meaning(t testing.TB, enc Encoding, frame []byte) string {
	t.Helper()
	if enc == CBOR {
		var value any
		if err := strictLibrary(t).Unmarshal(frame, &value); err != nil {
			t.Fatalf("the library cannot read %x: %v", frame, err)
		}
		var err error
		if frame, err = marshal(value); err != nil {
			t.Fatal(err)
		}
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(frame))
	dec.UseNumber()
	if err := dec.Decode(&value); err != nil {
		t.Fatalf("the library cannot read %s: %v", frame, err)
	}
	canonical, err := marshal(byValue(value))
	if err != nil {
		t.Fatal(err)
	}
	return string(canonical)
}

// strictLibrary is the library's own way to be as strict as we are.
func strictLibrary(t testing.TB) cbor.DecMode {
	t.Helper()
	mode, err := cbor.DecOptions{
		DefaultMapType: reflect.TypeFor[map[string]any](), DupMapKey: cbor.DupMapKeyEnforcedAPF, UTF8: cbor.UTF8RejectInvalid,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, NaN: cbor.NaNDecodeForbidden, Inf: cbor.InfDecodeForbidden,
		BigIntDec: cbor.BigIntDecodePointer, // of -2⁶⁴, for one; as a value encoding/json writes {}
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return mode
}

// byValue brings the spellings of numbers that are fractions to encoding/json's.
func byValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = byValue(v[name])
		}
	case []any:
		for i := range v {
			v[i] = byValue(v[i])
		}
	case json.Number:
		f, err := v.Float64()
		switch {
		case f == 0 && err == nil:
			return 0
		case err == nil && strings.ContainsAny(string(v), ".eE"):
			return f
		}
	}
	return value
}

// code is the entry's code of refusal.
func (e entry) code() models.Code { return models.Code(e.lines["code"]) }
