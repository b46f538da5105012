package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// site is somebody's website, on another origin than the server's.
type site struct {
	url   string
	pages map[string]sitePage
	// proxy answers where there is no page.
	proxy http.Handler
}

type sitePage struct {
	head, body string
	csp        string
}

// newSite starts a website without pages. Its name is localhost, so that it is another site than 127.0.0.1, and not just
// another port.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{pages: map[string]sitePage{}}
	listening := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(listening.Close)
	s.url = strings.Replace(listening.URL, "127.0.0.1", "localhost", 1)
	return s
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/favicon.ico" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	found, ok := s.pages[r.URL.Path]
	if !ok && s.proxy != nil {
		s.proxy.ServeHTTP(w, r)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	if found.csp != "" {
		w.Header().Set("Content-Security-Policy", found.csp)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">%s</head><body>%s</body></html>`,
		found.head, found.body)
}

// page adds a page before the tests open it, and returns its address.
func (s *site) page(path string, p sitePage) string {
	s.pages[path] = p
	return s.url + path
}

// shop is a page as there are millions, with the snippet.
func (s *site) shop(p project) string {
	return s.page("/shop", sitePage{body: "<main><h1>Shop</h1><p>Tea and pots.</p><a href='/shop'>Home</a></main>" + p.Snippet})
}

// What there is of the widget.
const (
	launcher = "earshot-widget >>> .launcher"
	panel    = "earshot-widget >>> .panel"
	message  = "earshot-widget >>> #message"
	submit   = "earshot-widget >>> #submit"
	outcome  = "earshot-widget >>> .result h3"
	alert    = "earshot-widget >>> #alert"

	sent = "Thank you!"
	kept = "Saved for later"
)

// speak opens the panel where it is closed and writes a message.
func (w *window) speak(text string) {
	w.t.Helper()
	await(w, "the launcher or the panel is visible", "e2e.count("+quote(launcher)+")+e2e.count("+quote(panel)+")>0", true)
	if read[int](w, "e2e.count("+quote(panel)+")") == 0 {
		w.click(launcher)
	} else if read[int](w, "e2e.count("+quote("earshot-widget >>> .again")+")") > 0 {
		w.click("earshot-widget >>> .again")
	}
	w.see(message)
	await(w, "the message has the focus", "e2e.focused()?.id", "message")
	w.write(text)
}

// watchful, for everyPage, counts the page's open sockets and hears violations of its policy.
const watchful = `window.violations=[];addEventListener("securitypolicyviolation",(e)=>violations.push(e.effectiveDirective+" "+e.blockedURI));
window.opened=0;window.WebSocket=class extends WebSocket{constructor(...of){super(...of);this.addEventListener("open",()=>opened++)}}`

// sendBySocket is send where the page is watchful, and waits for the socket: a message that is sent before goes by POST.
func (w *window) sendBySocket(text string) {
	w.t.Helper()
	w.speak(text)
	await(w, "the socket is open", "opened", 1)
	w.click(submit)
	w.text(outcome, sent)
}

// send writes a message, sends it and waits for what the visitor is told.
func (w *window) send(text, told string) {
	w.t.Helper()
	w.speak(text)
	w.click(submit)
	w.text(outcome, told)
}
