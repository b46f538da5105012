package seal

import (
	"bytes"
	"testing"
)

func TestBox(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	box, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	sealed := box.Seal([]byte("secret"), "ann")
	if bytes.Contains(sealed, []byte("secret")) || bytes.Equal(sealed, box.Seal([]byte("secret"), "ann")) {
		t.Error("the secret shows, or the same is sealed alike twice")
	}
	if got, err := box.Open(sealed, "ann"); err != nil || string(got) != "secret" {
		t.Errorf("opened %q, %v", got, err)
	}
	other, err := New(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"for somebody else": func() ([]byte, error) { return box.Open(sealed, "bob") },
		"another key":       func() ([]byte, error) { return other.Open(sealed, "ann") },
		"changed":           func() ([]byte, error) { return box.Open(changed, "ann") },
		"cut off":           func() ([]byte, error) { return box.Open(sealed[:5], "ann") },
		"without a key":     func() ([]byte, error) { return Box{}.Open(sealed, "ann") },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s: opened %q", name, got)
		}
	}
	if _, err := New([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

// Whatever is there in place of a sealed secret, and whomever it is said to be of:
// what opens is what was sealed, for whom it was sealed.
func FuzzBox(f *testing.F) {
	box, err := New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	const secret, of = "secret", "ann"
	sealed := box.Seal([]byte(secret), of)
	f.Add(sealed, of)
	f.Add(sealed, "bob")
	f.Add(sealed[:len(sealed)-1], of)
	f.Add(append(bytes.Clone(sealed), 0), of)
	f.Add(sealed[:12], of)
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, raw []byte, whose string) {
		if got, err := box.Open(raw, whose); err == nil && (string(got) != secret || whose != of) {
			t.Fatalf("%x of %q opens: %q", raw, whose, got)
		}
		again := box.Seal(raw, whose)
		if got, err := box.Open(again, whose); err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("%x of %q was sealed and opens as %x, %v", raw, whose, got, err)
		}
		again[len(again)/2] ^= 1
		if got, err := box.Open(again, whose); err == nil {
			t.Fatalf("%x of %q was changed and opens: %x", raw, whose, got)
		}
	})
}
