package models

import (
	"strings"
	"testing"
)

func TestReadDraftFindsSecrets(t *testing.T) {
	for _, test := range []struct {
		text string
		hint string
	}{
		{"my password: hunter22", HintSecret},
		{"Das PASSWORT ist geheim1", HintSecret},
		{"paſſword = hunter22", HintSecret}, // as case folding goes
		{"passwd=hunter22", HintSecret},
		{"PWD: hunter22", HintSecret},
		{"the Secret is 12345", HintSecret},
		{"api_key=abcdefgh", HintSecret},
		{"apikey: abcdefgh", HintSecret},
		{"\u212aey, to\u212aen: abcdefgh", HintSecret}, // the sign for kelvin is a k
		{"token: abcdefgh", HintSecret},
		{"-----BEGIN RSA PRIVATE KEY-----", HintSecret},
		{"eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", HintSecret},
		{"sk_live_0123456789abcdef", HintSecret},
		{"RK_0123456789abcdef", HintSecret},
		{"ghp_" + strings.Repeat("a1", 15), HintSecret},
		{"AKIA0123456789ABCDEF", HintSecret},
		{"I forgot my password", ""},
		{"the token does not work", ""},
		{"4111 1111 1111 1111", HintCard},
		{"4111-1111-1111-1112", ""},
		{"call 0123 456789", ""},
	} {
		got := ""
		for _, hint := range ReadDraft(test.text).Hints {
			got = hint.Code
		}
		if got != test.hint {
			t.Errorf("%q has hint %q, want %q", test.text, got, test.hint)
		}
	}
}

// What is tried first must not change what is found.
func FuzzSecretForms(f *testing.F) {
	for _, text := range []string{
		"password: hunter22", "paſſwort is abcd", "to\u212aen=abcd", "rk_0123456789abcdef", "4111 1111 1111 1111", "\u0130 pwd = abcd",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := looksLikeSecret(text), secretForms.MatchString(text); got != want {
			t.Errorf("%q looks like a secret: %v, want %v", text, got, want)
		}
		if got := hasCardNumber(text); got && !digitRuns.MatchString(text) {
			t.Errorf("%q has a card number", text)
		}
	})
}

func BenchmarkReadDraft(b *testing.B) {
	text := strings.Repeat("The search does not find what I am looking for. ", 80)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		ReadDraft(text)
	}
}
