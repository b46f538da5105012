package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestMain is the server under test where it is called as one: the program that
// a mode starts is the running one, and that is the test's here.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, "loadtest:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runMode runs the program as its command line would.
func runMode(t *testing.T, args ...string) {
	t.Helper()
	var out, log bytes.Buffer
	err := run(t.Context(), args, &out, &log)
	t.Logf("loadtest %q\n%s", args, out.String())
	if err != nil {
		t.Errorf("%v; the servers' log:\n%s", err, log.String())
	}
}

// needTool skips where a tool is not installed, and where it may not be missing
// fails.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, err.Error())
	}
}

// needRoot is for what only root may do.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "this is for root")
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("EARSHOT_TEST_TOOLS") == "required" {
		t.Fatalf("%s, and EARSHOT_TEST_TOOLS=required", what)
	}
	t.Skipf("%s; EARSHOT_TEST_TOOLS=required makes this a failure", what)
}
