package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// binary is the server under test, built once for the whole run.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if chromium() == "" {
		return m.Run() // each test says why it is skipped
	}
	dir, err := os.MkdirTemp("", "earshot-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "earshot")
	build := exec.Command("go", "build", "-o", binary, "earshot")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, out)
		return 1
	}
	defer browser.stop()
	return m.Run()
}

// chromium finds the browser, "" where there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// unavailable skips a test for want of a tool, or fails it where the tools are required.
func unavailable(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("EARSHOT_TEST_BROWSER") == "required" {
		t.Fatalf("%s, and EARSHOT_TEST_BROWSER=required", what)
	}
	t.Skipf("%s; EARSHOT_TEST_BROWSER=required makes this a failure", what)
}

// browser is the one Chromium of the run. Each visitor gets a browser context of their own in it, with its own cookies
// and storage.
var browser sharedBrowser

type sharedBrowser struct {
	once sync.Once
	ctx  context.Context
	err  error
	end  []context.CancelFunc
}

func (b *sharedBrowser) start() (context.Context, error) {
	b.once.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
			chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"),
			// A person would choose the tab in a dialog of the browser.
			chromedp.Flag("auto-accept-this-tab-capture", true))
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		// The browser also speaks of events that this library is too old to know; nobody needs to read that.
		quiet := chromedp.WithErrorf(func(string, ...any) {})
		ctx, cancel := chromedp.NewContext(allocator, quiet)
		b.ctx, b.end = ctx, []context.CancelFunc{cancel, stop}
		b.err = chromedp.Do(ctx)
	})
	return b.ctx, b.err
}

func (b *sharedBrowser) stop() {
	for _, end := range b.end {
		end()
	}
}

// patience is how long something may take that a person would call immediate. It is long because the race detector and
// other tests share the machine; tests of speed have limits of their own.
const patience = 15 * time.Second
