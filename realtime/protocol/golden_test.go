package protocol

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"earshot/models"
)

// golden is one frame of the corpus. A frame that changes here breaks clients
// that are out there already.
type golden struct {
	Name  string          `json:"name"`
	Frame json.RawMessage `json:"frame"`
}

func TestGoldenFrames(t *testing.T) {
	t.Run("visitor_client", func(t *testing.T) { goldenClient(t, VisitorClient, "visitor_client") })
	t.Run("visitor_server", func(t *testing.T) { goldenServer(t, VisitorServer, "visitor_server") })
	t.Run("dashboard_client", func(t *testing.T) { goldenClient(t, DashboardClient, "dashboard_client") })
	t.Run("dashboard_server", func(t *testing.T) { goldenServer(t, DashboardServer, "dashboard_server") })
}

func readGolden(t *testing.T, name string) []golden {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var frames []golden
	if err := json.Unmarshal(raw, &frames); err != nil {
		t.Fatal(err)
	}
	return frames
}

// goldenClient decodes each frame and encodes the event again.
func goldenClient[E any](t *testing.T, sum *Sum[E], name string) {
	seen := map[string]bool{}
	for _, g := range readGolden(t, name) {
		event, id, err := Decode(sum, g.Frame)
		if err != nil {
			t.Errorf("%s: Decode: %v", g.Name, err)
			continue
		}
		seen[sum.name(event)] = true
		data, err := json.Marshal(event)
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		got, err := json.Marshal(clientEnvelope{Type: sum.name(event), ID: id, Data: data})
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
		} else if want := compact(t, g.Frame); !bytes.Equal(got, want) {
			t.Errorf("%s: decoded and encoded again it is\n%s, want\n%s", g.Name, got, want)
		}
	}
	for _, event := range sum.Events() {
		if !seen[event.Name] {
			t.Errorf("no frame of %s is in testdata/%s.json", event.Name, name)
		}
	}
}

// goldenServer reads each frame as a client would and encodes the event.
func goldenServer[E any](t *testing.T, sum *Sum[E], name string) {
	seen := map[string]bool{}
	for _, g := range readGolden(t, name) {
		var env struct {
			Type  string          `json:"type"`
			Re    string          `json:"re"`
			Epoch models.Epoch    `json:"epoch"`
			Seq   int64           `json:"seq"`
			Data  json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(g.Frame, &env); err != nil {
			t.Fatalf("%s: %v", g.Name, err)
		}
		event, ok := sum.byName[env.Type]
		if !ok {
			t.Errorf("%s: there is no event %q", g.Name, env.Type)
			continue
		}
		seen[env.Type] = true
		value := reflect.New(event.Type)
		dec := json.NewDecoder(bytes.NewReader(env.Data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(value.Interface()); err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		typed, ok := value.Elem().Interface().(E)
		if !ok {
			t.Fatalf("%s: %s is not in its sum", g.Name, event.Type)
		}
		got, err := Encode(sum, typed, Meta{Re: env.Re, Epoch: env.Epoch, Seq: env.Seq})
		if err != nil {
			t.Errorf("%s: Encode: %v", g.Name, err)
		} else if want := compact(t, g.Frame); !bytes.Equal(got, want) {
			t.Errorf("%s: Encode gives\n%s, want\n%s", g.Name, got, want)
		}
	}
	for _, event := range sum.Events() {
		if !seen[event.Name] {
			t.Errorf("no frame of %s is in testdata/%s.json", event.Name, name)
		}
	}
}

func compact(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
