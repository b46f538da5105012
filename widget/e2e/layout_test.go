package e2e

import (
	"strings"
	"testing"
)

func TestPhone(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(settings{"show_drafts": true}, host.url)
	visitor := newWindow(t)
	visitor.phone()
	visitor.open(host.shop(p))
	visitor.click(launcher)
	b := visitor.box(panel)
	if b.X != 0 || b.Width != 360 || b.Y+b.Height != 740 || b.Height < 300 {
		t.Errorf("the sheet is at %+v, want the full width at the bottom of 360 x 740", b)
	}
	targets := `[...e2e.all("earshot-widget >>> .panel")[0].querySelectorAll("textarea,[type=email],button,label:has(input)")]
		.filter((el)=>el.checkVisibility()&&el.getBoundingClientRect().height<44).map((el)=>(el.id||el.className||el.innerText)+" "+el.getBoundingClientRect().height).join()`
	if got := read[string](visitor, targets); got != "" {
		t.Errorf("targets below 44 px: got %s, want none", got)
	}
	fonts := `[...e2e.all("earshot-widget >>> .panel")[0].querySelectorAll("textarea,[type=email]")].map((el)=>getComputedStyle(el).fontSize).join()`
	if got, want := read[string](visitor, fonts), "16px,16px"; got != want {
		t.Errorf("the inputs' letters: got %s, want %s, or iOS zooms in", got, want)
	}
	if got := read[int](visitor, "document.documentElement.scrollWidth"); got > 360 {
		t.Errorf("the page scrolls sideways: got a width of %d, want 360", got)
	}
}

func TestArabic(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{body: "<h1>Shop</h1>" + strings.Replace(p.Snippet, "async", "async data-lang=ar", 1)}))
	visitor.text(launcher, "ملاحظات")
	visitor.click(launcher)
	visitor.see(panel)
	await(visitor, "the panel is right to left", "getComputedStyle(e2e.find("+quote(panel)+")[0]).direction", "rtl")
	title, close, p0 := visitor.box("earshot-widget >>> h2"), visitor.box("earshot-widget >>> .close"), visitor.box(panel)
	if close.X > title.X || title.X+title.Width < p0.X+p0.Width/2 {
		t.Errorf("title at %+v and close at %+v, want the title on the right and close on the left of %+v", title, close, p0)
	}
	visitor.run("Earshot.locale('de')")
	await(visitor, "the language changes while it is open", "getComputedStyle(e2e.find("+quote(panel)+")[0]).direction", "ltr")
}
