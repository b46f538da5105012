package operator

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// withoutRights runs what it is given as an account that may not look into a folder.
func withoutRights(t *testing.T, folder string, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		chmod(t, folder, 0)
		defer chmod(t, folder, 0o700)
		do()
		return
	}
	const another = 65534 // "nobody"
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its rights
		if err := syscall.Setfsuid(another); err != nil {
			t.Error(err)
			return
		}
		do()
	}()
	<-done
}
