package protocol

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"earshot/models"
)

//go:generate go test -run TestGolden . -update

// A frame that changes in the corpus breaks clients that are out there already.

func TestGoldenFrames(t *testing.T) {
	t.Run("visitor_client", func(t *testing.T) { goldenClient(t, VisitorClient, "visitor_client") })
	t.Run("visitor_server", func(t *testing.T) { goldenServer(t, VisitorServer, "visitor_server") })
	t.Run("dashboard_client", func(t *testing.T) { goldenClient(t, DashboardClient, "dashboard_client") })
	t.Run("dashboard_server", func(t *testing.T) { goldenServer(t, DashboardServer, "dashboard_server") })
}

// goldenClient decodes each frame in every encoding: all give the event of the
// JSON, which encoded again is the frame.
func goldenClient[E any](t *testing.T, sum *Sum[E], name string) {
	entries, seen := readCorpus(t, name), map[string]bool{}
	for _, e := range entries {
		want, id, err := sum.Decode(JSON, e.frame(t, JSON))
		if err != nil {
			t.Errorf("%s: Decode: %v", e.name, err)
			continue
		}
		seen[sum.name(want)] = true
		for enc, called := range allEncodings {
			frame, ok := encodeClient(t, sum, enc, want, id)
			if *update && ok {
				e.set(t, enc, frame)
			}
			committed := e.frame(t, enc)
			if !bytes.Equal(frame, committed) {
				t.Errorf("%s: in %s it is\n%s, want\n%s", e.name, called, printable(enc, frame), printable(enc, committed))
			}
			if !ok {
				continue
			}
			got, gotID, err := sum.Decode(enc, committed)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: its %s is %+v (%v), its JSON %+v", e.name, called, got, err, want)
			}
			if wantID := id; gotID != wantID && (enc != External || gotID != "") {
				t.Errorf("%s: its %s has the id %q, its JSON %q", e.name, called, gotID, wantID)
			}
		}
		sameMeaning(t, e)
	}
	goldenEnd(t, sum, name, entries, seen)
}

// goldenServer reads each JSON frame as a client would and encodes the event in
// every encoding.
func goldenServer[E any](t *testing.T, sum *Sum[E], name string) {
	entries, seen := readCorpus(t, name), map[string]bool{}
	for _, e := range entries {
		event, meta := readServerEvent(t, sum, e)
		seen[sum.name(event)] = true
		for enc, called := range allEncodings {
			frame, ok, err := sum.Encode(enc, event, meta)
			if err != nil {
				t.Errorf("%s: Encode in %s: %v", e.name, called, err)
				continue
			}
			if *update && ok {
				e.set(t, enc, frame)
			}
			if committed := e.frame(t, enc); !bytes.Equal(frame, committed) {
				t.Errorf("%s: in %s it is\n%s, want\n%s", e.name, called, printable(enc, frame), printable(enc, committed))
			}
			if _, has := sum.external(event); ok != (enc != External || has) {
				t.Errorf("%s: Encode in %s: ok is %v", e.name, called, ok)
			}
		}
		sameMeaning(t, e)
	}
	goldenEnd(t, sum, name, entries, seen)
}

func readServerEvent[E any](t *testing.T, sum *Sum[E], e entry) (event E, meta Meta) {
	t.Helper()
	var env struct {
		Type  string          `json:"type"`
		Re    string          `json:"re"`
		Epoch models.Epoch    `json:"epoch"`
		Seq   int64           `json:"seq"`
		Data  json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(e.frame(t, JSON), &env); err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	of, ok := sum.byName[env.Type]
	if !ok {
		t.Fatalf("%s: there is no event %q", e.name, env.Type)
	}
	value := reflect.New(of.Type)
	dec := json.NewDecoder(bytes.NewReader(env.Data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(value.Interface()); err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	event, ok = value.Elem().Interface().(E)
	if !ok {
		t.Fatalf("%s: %s is not in its sum", e.name, of.Type)
	}
	return event, Meta{Re: env.Re, Epoch: env.Epoch, Seq: env.Seq}
}

// sameMeaning holds the CBOR against the JSON with libraries alone.
func sameMeaning(t *testing.T, e entry) {
	t.Helper()
	inCBOR, inJSON := meaning(t, CBOR, e.frame(t, CBOR)), meaning(t, JSON, e.frame(t, JSON))
	if inCBOR != inJSON {
		t.Errorf("%s: the CBOR says\n%s, the JSON\n%s", e.name, inCBOR, inJSON)
	}
}

func goldenEnd[E any](t *testing.T, sum *Sum[E], name string, entries []entry, seen map[string]bool) {
	t.Helper()
	for _, event := range sum.Events() {
		if !seen[event.Name] {
			t.Errorf("no frame of %s is in testdata/%s.txt", event.Name, name)
		}
	}
	if *update {
		writeCorpus(t, name, entries)
	}
}

func printable(enc Encoding, frame []byte) string {
	if enc == CBOR {
		return diagnosis(frame)
	}
	return string(frame)
}

// TestGoldenRefusals holds all encodings of one mistake to one code.
func TestGoldenRefusals(t *testing.T) {
	const name = "refusals"
	entries := readCorpus(t, name)
	for _, e := range entries {
		frames := 0
		for enc, called := range allEncodings {
			frame := e.frame(t, enc)
			if len(frame) == 0 {
				continue
			}
			frames++
			event, id, err := VisitorClient.Decode(enc, frame)
			if err == nil || models.CodeOf(err) != e.code() {
				t.Errorf("%s: its %s is %+v, %v; want code %q", e.name, called, event, err, e.code())
			}
			if enc != External && id != e.lines["id"] {
				t.Errorf("%s: its %s gives the id %q, want %q", e.name, called, id, e.lines["id"])
			}
			if enc != JSON && enc != External && strings.Contains(err.Error(), "JSON") {
				t.Errorf("%s: a client of CBOR is told %q", e.name, err)
			}
		}
		if frames == 0 {
			t.Errorf("%s: no frame", e.name)
		}
		if *update && e.lines["cbor"] != "" {
			e.set(t, CBOR, e.frame(t, CBOR))
		}
	}
	if *update {
		writeCorpus(t, name, entries)
	}
}
