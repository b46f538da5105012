package e2e

import (
	"math"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

func TestStrictPolicy(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.everyPage(watchful)
	visitor.open(host.page("/", sitePage{
		body: "<h1>Bank</h1>" + p.Snippet,
		csp: "default-src 'none'; script-src " + s.base + "; connect-src " + s.base + " ws://" + s.addr +
			"; require-trusted-types-for 'script'; trusted-types 'none'",
	}))
	visitor.sendBySocket("Over a strict policy")
	visitor.press(kb.Escape)
	visitor.miss(panel)
	await(visitor, "no policy was violated", "violations.join()", "")
	if got := visitor.requested(); !has(got, "SOCKET ws://") || has(got, "POST ") {
		t.Errorf("under a policy that admits sockets: got %v, want a socket and no POST", got)
	}
	// The listener hears violations, or the above proves nothing.
	visitor.run("document.body.append(Object.assign(new Image(),{src:'data:,'}))")
	await(visitor, "a violation is heard", "violations.join()", "img-src data")
}

func TestPolicyWithoutSockets(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{
		body: "<h1>Bank</h1>" + p.Snippet, csp: "default-src 'none'; script-src " + s.base + "; connect-src " + s.base,
	}))
	visitor.send("By POST", sent)
	if got, want := s.messages(p), "By POST"; got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}
}

func has(list []string, start string) bool {
	for _, entry := range list {
		if strings.HasPrefix(entry, start) {
			return true
		}
	}
	return false
}

// On <html> a transform, filter or containment moves everything fixed within it, also what the browser itself puts there.
const hostileCSS = `<style>
* { position: static !important; float: left !important; width: 33px !important; height: 7px !important; margin: 40px !important;
  padding: 30px !important; border: 9px solid red !important; font: 40px/3 fantasy !important; color: red !important;
  background: red !important; display: block !important; visibility: hidden !important; z-index: -1 !important;
  letter-spacing: 9px !important; direction: rtl !important; text-transform: uppercase !important; animation: none !important }
:not(html) { transform: rotate(7deg) !important; filter: blur(4px) !important; contain: strict !important; opacity: .1 !important }
*::before, *::after { content: "HOSTILE" !important; display: block !important; position: fixed !important; inset: 0 !important;
  background: red !important; font-size: 99px !important }
</style>`

// What old libraries do to every object of a page.
const hostileScript = `<script>Object.prototype.bar=1;Object.prototype.de=Array.prototype.baz=()=>2</script>`

func TestHostileStyles(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	paths := []string{launcher, panel, message, submit, "earshot-widget >>> .close", "earshot-widget >>> #email", "earshot-widget >>> h2"}
	look := func(path, head string) (boxes []box, styles []string) {
		w := newWindow(t)
		w.media("light")
		w.open(host.page(path, sitePage{head: head, body: "<h1>Shop</h1>" + p.Snippet}))
		for i, path := range paths {
			boxes = append(boxes, w.box(path))
			styles = append(styles, read[string](w, `(({color,backgroundColor,font,letterSpacing,direction,textTransform})=>
				[color,backgroundColor,font,letterSpacing,direction,textTransform].join(" "))(getComputedStyle(e2e.find(`+quote(path)+`)[0]))`))
			if i == 0 {
				w.click(launcher)
				w.see("earshot-widget >>> .tools") // comes after the panel and makes it higher
			}
		}
		if got := read[string](w, "getComputedStyle(document.querySelector('earshot-widget'),'::before').content"); got != "none" {
			t.Errorf("the host's ::before is drawn: got content %s, want none", got)
		}
		return boxes, styles
	}
	boxes, styles := look("/calm", "")
	gotBoxes, gotStyles := look("/hostile", hostileCSS+hostileScript)
	for i, path := range paths {
		if !close(gotBoxes[i], boxes[i]) {
			t.Errorf("%s on a hostile page: got %+v, want %+v", path, gotBoxes[i], boxes[i])
		}
		if gotStyles[i] != styles[i] {
			t.Errorf("%s on a hostile page:\n got %s\nwant %s", path, gotStyles[i], styles[i])
		}
	}
}

func close(a, b box) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) < 0.5 }
	return near(a.X, b.X) && near(a.Y, b.Y) && near(a.Width, b.Width) && near(a.Height, b.Height)
}

func TestSinglePageNavigation(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	visitor.see(launcher)
	visitor.run("history.pushState({},'','/cart?step=2#pay')")
	visitor.run("const body=document.createElement('body');body.innerHTML='<h1>Cart</h1>';document.body.replaceWith(body)")
	visitor.see(launcher)
	visitor.run("document.documentElement.replaceChildren(document.head,document.body)")
	visitor.see(launcher)
	visitor.speak("On the cart")
	visitor.run("const body=document.createElement('body');body.innerHTML='<h1>Pay</h1>';document.body.replaceWith(body)")
	visitor.click(submit)
	visitor.text(outcome, sent)
	items := s.feedback(p)
	if want := host.url + "/cart?step=2#pay"; len(items) != 1 || items[0].PageURL != want {
		t.Errorf("got %+v, want one item of %s", items, want)
	}
}

func TestDoubleSnippet(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	late := strings.Replace(p.Snippet, "async", "type=module", 1)
	visitor.open(host.page("/", sitePage{head: p.Snippet, body: "<h1>Shop</h1>" + p.Snippet + late}))
	visitor.see(launcher)
	visitor.run("await new Promise(r=>document.readyState=='complete'?r():addEventListener('load',r))")
	await(visitor, "there is one widget", "e2e.all('earshot-widget').length", 1)
	visitor.send("Once", sent)
	if got := s.messages(p); got != "Once" {
		t.Errorf("the server has %q, want %q", got, "Once")
	}
}

func TestModalDialogOfTheHost(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{
		body: "<h1>Shop</h1><dialog style='width:300px;height:200px'><button id=ok data-earshot-open>Help</button></dialog>" + p.Snippet,
	}))
	visitor.see(launcher)
	visitor.run("document.querySelector('dialog').showModal()")
	visitor.click("#ok")
	visitor.see(panel)
	visitor.send("From within a dialog", sent)
	visitor.press(kb.Escape)
	visitor.miss(panel)
	await(visitor, "the host's dialog stays open", "document.querySelector('dialog').open", true)
	await(visitor, "the focus is back at the opener", "e2e.focused().id", "ok")

	visitor.run("document.querySelector('dialog').close()")
	visitor.click(launcher)
	visitor.see(panel)
	visitor.run("document.querySelector('dialog').showModal()")
	await(visitor, "the open panel follows into the dialog", "document.querySelector('dialog').contains(document.querySelector('earshot-widget'))", true)
	visitor.run("document.querySelector('dialog').remove()")
	visitor.see(panel)
}
