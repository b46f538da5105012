package e2e

import (
	"strings"
	"testing"
)

// in is the snippet in a language.
func (p project) in(lang string) string {
	return strings.Replace(p.Snippet, "async", "async data-lang="+lang, 1)
}

// look takes pictures in both colour schemes.
func (w *window) look(name string) {
	w.t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		w.media(scheme)
		w.run(standStill)
		w.picture("fits-" + name + "-" + scheme)
	}
}

func TestPanelFitsASmallTelephone(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	for lang, want := range map[string]struct{ empty, after, thanks string }{
		"de": {"ltr", "Feedback", "Vielen Dank!"},
		"ar": {"rtl", "ملاحظات", "شكرًا لك!"},
	} {
		visitor := newWindow(t)
		visitor.size(360, 640)
		visitor.open(host.page("/"+lang, sitePage{body: "<h1>Shop</h1>" + p.in(lang)}))
		visitor.click(launcher)
		visitor.see(attaching)
		for range 2 {
			if b := visitor.box(submit); b.Y+b.Height > 640 {
				t.Errorf("%s: the button to send is at %+v, below the fold", lang, b)
			}
			visitor.run(`e2e.all("earshot-widget >>> .body")[0].scrollTo({top:9999,behavior:"instant"})`)
		}
		direction := func(what, want string) {
			t.Helper()
			for _, field := range []string{"#message", "#email"} {
				await(visitor, lang+": "+what+" "+field, `getComputedStyle(e2e.all("earshot-widget >>> `+field+`")[0]).direction`, want)
			}
		}
		direction("an empty", want.empty)
		visitor.look("form-" + lang)
		visitor.fill("earshot-widget >>> #email", "ann@shop.example")
		visitor.fill(message, "Latin letters")
		direction("a Latin", "ltr")
		visitor.click(submit)
		visitor.text(outcome, want.thanks)
		visitor.text("earshot-widget >>> h2", want.after)
		visitor.look("sent-" + lang)

		visitor.click("earshot-widget >>> .again")
		visitor.see("earshot-widget >>> header .way button")
		for _, part := range []string{"h2", "header .way button"} {
			lines := `(()=>{const r=document.createRange();r.selectNodeContents(e2e.find("earshot-widget >>> ` + part + `")[0]);
				return new Set([...r.getClientRects()].map(({bottom})=>Math.round(bottom/12))).size})()`
			await(visitor, lang+": the lines of "+part, lines, 1)
		}
		visitor.look("again-" + lang)
	}
}

// A developer may open the demo by another name of the machine than its base URL has.
func TestDemoByAnotherName(t *testing.T) {
	t.Parallel()
	s := newDemo(t)
	visitor := newWindow(t)
	visitor.open(strings.Replace(s.base, "127.0.0.1", "localhost", 1) + "/demo")
	visitor.send("By another name", sent)
	visitor.size(360, 740)
	first, second := visitor.box(".hero .button"), visitor.box(".hero .quiet")
	if gap := max(second.Y-first.Y-first.Height, second.X-first.X-first.Width); gap < 4 {
		t.Errorf("the hero's buttons are %v px apart", gap)
	}
}
