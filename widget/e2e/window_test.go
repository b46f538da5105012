package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed prelude.js
var prelude string

// window is one tab of one person's browser.
type window struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	console  []string
	requests []string
}

// newWindow opens the browser of somebody who was never here.
func newWindow(t *testing.T) *window {
	t.Helper()
	if chromium() == "" {
		unavailable(t, "there is no Chromium")
	}
	parent, err := browser.start()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return openWindow(t, parent, chromedp.WithNewBrowserContext())
}

// tab opens another window of the same person: same cookies, same storage.
func (w *window) tab() *window {
	w.t.Helper()
	return openWindow(w.t, w.ctx)
}

func openWindow(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithNewWindow(true))...)
	w := &window{t: t, ctx: ctx}
	t.Cleanup(cancel)
	defer time.AfterFunc(patience, cancel).Stop() // the window lives as long as its context, so that cannot have a deadline
	if err := chromedp.Listen(ctx, w.record); err != nil {
		t.Fatalf("open a window: %v", err)
	}
	w.everyPage(prelude)
	// Each window believes that it is the one in front, or the browser would stop drawing it.
	command(w, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	w.size(1280, 800)
	t.Cleanup(func() {
		if t.Failed() {
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Logf("a window's console:\n%s", strings.Join(w.console, "\n"))
		}
	})
	return w
}

// close ends a window before its test does.
func (w *window) close() {
	w.t.Helper()
	if err := chromedp.Cancel(w.ctx); err != nil {
		w.t.Errorf("close a window: %v", err)
	}
}

// record keeps what pages log and request. A script that throws fails the test, whatever else it looks at.
func (w *window) record(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if strings.HasSuffix(event.Request.URL, "/favicon.ico") {
			return // the browser's own, and whenever it likes
		}
		w.requests = append(w.requests, event.Request.Method+" "+event.Request.URL)
	case *network.EventWebSocketCreated:
		w.requests = append(w.requests, "SOCKET "+event.URL)
	case *log.EventEntryAdded:
		w.console = append(w.console, event.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		for _, arg := range event.Args {
			w.console = append(w.console, string(arg.Value))
		}
	case *runtime.EventExceptionThrown:
		text := event.ExceptionDetails.Text
		if thrown := event.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		w.t.Errorf("a script of the page threw: %s", text)
	}
}

// requested lists the requests so far, in order, and forgets them.
func (w *window) requested() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.requests
	w.requests = nil
	return list
}

// do runs one action within the patience of a test.
func do[T any](w *window, what string, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	return value
}

// read evaluates an expression in the page, waiting for a promise.
func read[T any](w *window, expression string) T {
	w.t.Helper()
	return do(w, expression, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// run evaluates statements in the page.
func (w *window) run(statements string) {
	w.t.Helper()
	read[chromedp.Void](w, "(async()=>{"+statements+"})()")
}

// await polls an expression until it has the value.
func await[T comparable](w *window, what, expression string, want T) {
	w.t.Helper()
	eventually(w.t, what, func() (bool, string) {
		ctx, cancel := context.WithTimeout(w.ctx, patience)
		defer cancel()
		got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		if err != nil { // a page in the middle of a navigation has no answer yet
			return false, err.Error()
		}
		return got == want, fmt.Sprintf("%v, want %v", got, want)
	})
}

// see waits until something is visible.
func (w *window) see(path string) {
	w.t.Helper()
	await(w, path+" is visible", "e2e.count("+quote(path)+")>0", true)
}

// miss waits until nothing of the kind is visible.
func (w *window) miss(path string) {
	w.t.Helper()
	await(w, path+" is not visible", "e2e.count("+quote(path)+")", 0)
}

// text waits until what is visible there reads so; several are joined by " | ".
func (w *window) text(path, want string) {
	w.t.Helper()
	await(w, path+" has its text", "e2e.text("+quote(path)+")", want)
}

func (w *window) open(url string) {
	w.t.Helper()
	do(w, "open "+url, chromedp.Navigate(url))
}

func (w *window) reload() {
	w.t.Helper()
	do(w, "reload", chromedp.Reload())
}

type box struct{ X, Y, Width, Height float64 }

// box waits until the element stands still and gives where it is.
func (w *window) box(path string) box {
	w.t.Helper()
	w.see(path)
	var last *box
	eventually(w.t, path+" stands still", func() (bool, string) {
		now := read[*box](w, "new Promise(r=>requestAnimationFrame(()=>r(e2e.box("+quote(path)+"))))")
		still := now != nil && last != nil && *now == *last
		last = now
		return still, fmt.Sprintf("%+v", now)
	})
	return *last
}

// click presses the mouse in the middle of the first visible match.
func (w *window) click(path string) {
	w.t.Helper()
	w.see(path)
	w.run("e2e.find(" + quote(path) + ")[0].scrollIntoView({block:'nearest',behavior:'instant'})")
	b := w.box(path)
	do(w, "click "+path, chromedp.MouseClickXY(b.X+b.Width/2, b.Y+b.Height/2))
}

// fill clicks into a field and replaces what it has.
func (w *window) fill(path, text string) {
	w.t.Helper()
	w.click(path)
	await(w, path+" has the focus", "e2e.find("+quote(path)+").includes(e2e.focused())", true)
	w.run("e2e.focused().select()")
	w.write(text)
}

// write inserts text where the focus is, as an input method does.
func (w *window) write(text string) {
	w.t.Helper()
	command(w, input.InsertText, input.InsertTextParams{Text: text})
}

func (w *window) size(width, height int64) {
	w.t.Helper()
	do(w, "resize", chromedp.EmulateViewport(width, height))
}

// phone makes the window one of a small telephone.
func (w *window) phone() {
	w.t.Helper()
	do(w, "resize", chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch))
}

// media sets the visitor's colour scheme, and no motion, so that what is looked at stands still.
func (w *window) media(scheme string) {
	w.t.Helper()
	command(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// everyPage runs a script at the start of each page that the window opens from now on.
func (w *window) everyPage(script string) {
	w.t.Helper()
	command(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// pause lets time pass where the absence of something is what is tested: there is nothing to wait for.
func pause(d time.Duration) { time.Sleep(d) }

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}
