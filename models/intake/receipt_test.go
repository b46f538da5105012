package intake

import (
	"strings"
	"testing"

	"earshot/models"
)

// Whatever the token, only the receipt that was given out opens its item, and only
// at the version that it was given out for.
func FuzzReceipt(f *testing.F) {
	const id, version = models.ID("0190a5e0-0000-7000-8000-000000000000"), 2
	in, err := New(Options{Store: &fakeStore{}, BaseURL: "https://earshot.example", Secret: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	given := strings.TrimPrefix(in.ReceiptURL(id, version), "https://earshot.example/r/")
	for _, token := range []string{given, given[:42], given + "A", given + "\n", given[:20] + "\n" + given[20:], strings.ToUpper(given), strings.Repeat("A", 43), ""} {
		f.Add(token, version)
	}
	f.Add(given, version+1)
	f.Add(given, -1)
	f.Fuzz(func(t *testing.T, token string, asked int) {
		read, ok := ReceiptID(token)
		if ok && (!read.Valid() || len(token) != len(given)) {
			t.Fatalf("%q is read as a receipt of %q", token, read)
		}
		if in.VerifyReceipt(token, id, asked) != (token == given && asked == version) {
			t.Fatalf("%q at version %d: given out is %q at %d", token, asked, given, version)
		}
		if token == given && read != id {
			t.Fatalf("the receipt is read as one of %q", read)
		}
	})
}
