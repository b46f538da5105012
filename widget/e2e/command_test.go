package e2e

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// command sends one command of the DevTools protocol.
func command[P, R any](w *window, method cdp.Command[P, R], params P) R {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, method, params)
	if err != nil {
		w.t.Fatalf("%s: %v", method.Method, err)
	}
	return result
}
