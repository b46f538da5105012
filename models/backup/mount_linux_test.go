package backup_test

import (
	"os"
	"syscall"
	"testing"
)

// mountSmall makes a folder a file system of its own, in memory, of 1 MiB.
func mountSmall(t *testing.T, folder string) {
	t.Helper()
	if err := syscall.Mount("earshot-test", folder, "tmpfs", 0, "size=1m"); err != nil {
		if os.Getenv("EARSHOT_TEST_TOOLS") == "required" {
			t.Fatalf("mount a small disk: %v", err)
		}
		t.Skipf("a small disk cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount the small disk: %v", err)
		}
	})
}
