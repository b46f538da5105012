package operator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWithoutCgoOneLine builds the program without cgo, which compiles, and
// sees it say why it cannot run.
func TestWithoutCgoOneLine(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program again")
	}
	binary := filepath.Join(t.TempDir(), "earshot")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	data := filepath.Join(t.TempDir(), "data")
	out, err := exec.CommandContext(t.Context(), binary, "--data", data, "--addr", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "CGO_ENABLED=1") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("ended with %v and %q, want a failure and one line that says what to do", err, out)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the data folder was made (%v)", err)
	}
}
