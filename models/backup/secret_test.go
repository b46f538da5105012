package backup

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestMain has tests seal with little work. With all of it, and the race detector, they
// would take minutes.
func TestMain(m *testing.M) {
	sealWork = 10
	os.Exit(m.Run())
}

// What is sealed outside tests takes the work that is promised, and no more of it is
// taken to open what somebody else sealed.
func TestSealWork(t *testing.T) {
	defer func(tests int) { sealWork = tests }(sealWork)
	secret, manifest := []byte("a secret"), []byte("a manifest")
	for _, tc := range []struct {
		work int
		open bool
	}{{scryptWork, true}, {scryptWork + 1, false}} {
		sealWork = tc.work
		content, err := seal("a passphrase", secret, manifest)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`-> scrypt \S+ %d\n`, tc.work); !regexp.MustCompile(want).Match(content) {
			t.Errorf("it begins with %.100q, want %s", content, want)
		}
		got, err := unseal("a passphrase", content, manifest)
		if opened := err == nil && bytes.Equal(got, secret); opened != tc.open {
			t.Errorf("work of 2^%d: opened is %v (%v), want %v", tc.work, opened, err, tc.open)
		}
	}
}
