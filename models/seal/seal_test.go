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
