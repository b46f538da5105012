package password

import (
	"testing"

	"github.com/alexedwards/argon2id"
)

// TestNobody shows that an unknown account costs what a known one does: the hash
// that stands in is read as one, of the same parameters, and matches nothing.
func TestNobody(t *testing.T) {
	h := New()
	real, err := h.Hash(t.Context(), "correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	want, wantSalt, wantKey, err := argon2id.DecodeHash(real)
	if err != nil {
		t.Fatal(err)
	}
	got, salt, key, err := argon2id.DecodeHash(h.nobody)
	if err != nil {
		t.Fatalf("the hash for no account: %v", err)
	}
	if *got != *want || len(salt) != len(wantSalt) || len(key) != len(wantKey) {
		t.Errorf("the hash for no account has %+v, %d, %d; want %+v, %d, %d", *got, len(salt), len(key), *want, len(wantSalt), len(wantKey))
	}
	for _, c := range []struct {
		name, password, hash string
		want                 bool
	}{
		{"its own", "correct horse battery staple", real, true},
		{"another", "correct horse battery stable", real, false},
		{"no account", "correct horse battery staple", "", false},
		{"no account and no password", "", "", false},
	} {
		if got, err := h.Matches(t.Context(), c.password, c.hash); err != nil || got != c.want {
			t.Errorf("%s: got %t, %v; want %t", c.name, got, err, c.want)
		}
	}
	if other := New(); other.nobody == h.nobody {
		t.Error("two servers share the hash for no account")
	}
}
