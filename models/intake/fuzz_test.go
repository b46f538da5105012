package intake

import (
	"strings"
	"testing"

	"earshot/models"
)

// FuzzReceipt: nothing passes for the receipt of an item but the one that was given out.
func FuzzReceipt(f *testing.F) {
	in, err := New(Options{Store: &fakeStore{}, BaseURL: "https://earshot.example", Secret: []byte("0123456789abcdef0123456789abcdef")})
	if err != nil {
		f.Fatal(err)
	}
	const item, other = models.ID("0195aaaa-0000-7000-8000-000000000001"), models.ID("0195aaaa-0000-7000-8000-000000000002")
	tokenOf := func(id models.ID, version int) string {
		return strings.TrimPrefix(in.ReceiptURL(id, version), "https://earshot.example/r/")
	}
	genuine := tokenOf(item, 2)
	for _, token := range []string{genuine, genuine + "=", genuine[:20] + "\r\n" + genuine[20:], genuine[:42], tokenOf(item, 1), tokenOf(other, 2), "", strings.Repeat("A", 43)} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, ok := ReceiptID(token)
		if ok && !id.Valid() {
			t.Fatalf("%q is for %q", token, id)
		}
		if in.VerifyReceipt(token, item, 2) && (token != genuine || id != item) {
			t.Fatalf("%q passes for the receipt of %s", token, item)
		}
	})
}
