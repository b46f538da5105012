//go:build !linux

package operator

import (
	"os"
	"testing"
)

// withoutRights runs what it is given while the account may not look into a folder.
func withoutRights(t *testing.T, folder string, do func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("nothing is kept from this account")
	}
	chmod(t, folder, 0)
	defer chmod(t, folder, 0o700)
	do()
}
