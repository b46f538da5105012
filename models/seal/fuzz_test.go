package seal

import (
	"bytes"
	"testing"
)

// FuzzOpen: what opens is what was sealed, for what it was sealed for.
func FuzzOpen(f *testing.F) {
	box, err := New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	sealed := box.Seal([]byte("secret"), "user 1")
	f.Add(sealed, "user 1")
	f.Add(sealed, "user 2")
	f.Add(sealed[:12], "user 1")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, given []byte, of string) {
		secret, err := box.Open(given, of)
		// The seeds of another process were sealed there, so their bytes are not known here.
		if err == nil && (of != "user 1" || string(secret) != "secret") {
			t.Fatalf("%x for %q opened as %q", given, of, secret)
		}
	})
}
