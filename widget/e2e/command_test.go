package e2e

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

// press types keys one by one; kb has the names of those that are not characters. The character comes with its key's
// event, as from a keyboard: a page that takes the key for itself keeps the character out of the field.
func (w *window) press(keys string, modifiers ...chromedp.Modifier) {
	w.t.Helper()
	for _, key := range keys {
		events := kb.Encode(key)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, event := range []*input.DispatchKeyEventParams{down, up} {
			for _, modifier := range modifiers {
				event.Modifiers |= int64(modifier)
			}
			command(w, input.DispatchKeyEvent, *event)
		}
	}
}
