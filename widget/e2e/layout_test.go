package e2e

import (
	"fmt"
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

// The page itself never scrolls: its parts do. What is only read aloud is placed absolutely, and would make the page as
// long or as wide as the list it stands in where that list does not hold it.
func TestPagesFitTheirWindow(t *testing.T) {
	t.Parallel()
	s := newDemo(t)
	p := s.demoProject()
	id := s.submit(p, "One to open", nil)
	for i := range 3 {
		s.call("POST", "/api/v1/projects/"+p.ID+"/views", map[string]any{"name": fmt.Sprint("Checkout and payment, part ", i), "shared": i == 1, "query": map[string]any{"kind": "bug"}}, nil)
	}
	at := s.base + "/projects/" + p.ID
	staff := s.inboxWindow(p)
	for _, width := range []int64{360, 768, 1024, 1440} {
		staff.size(width, 740)
		for _, page := range []string{"/inbox", "/inbox/" + id, "/install", "/insights", "/jobs", "/visitors", "/settings"} {
			staff.open(at + page)
			staff.see(savedView)
			staff.see(".main > *:not(.boot-bar)")
			staff.run(standStill)
			if got := read[string](staff, beyond); got != "" {
				t.Errorf("%s at %d px: %s", page, width, got)
			}
			current := `(()=>{const bar=e2e.find(".nav")[0].getBoundingClientRect(),it=e2e.find(".nav [aria-current]")[0]?.getBoundingClientRect();
				return !it||it.left>=bar.left-1&&it.right<=bar.right+1&&it.top>=bar.top-1&&it.bottom<=bar.bottom+1})()`
			await(staff, fmt.Sprint("the current entry of ", page, " is in view at ", width), current, true)
		}
	}
}

// beyond says how far the page reaches beyond its window, and what reaches there.
const beyond = `(()=>{const page=document.documentElement;
	if(page.scrollWidth<=page.clientWidth&&page.scrollHeight<=page.clientHeight)return "";
	const out=[...document.querySelectorAll("*")].filter((el)=>{const r=el.getBoundingClientRect();return getComputedStyle(el).position==="absolute"&&(r.right>innerWidth||r.bottom>innerHeight)});
	return "the page is "+page.scrollWidth+" x "+page.scrollHeight+" in "+page.clientWidth+" x "+page.clientHeight+", by "+[...new Set(out.map((el)=>el.className||el.tagName))].slice(0,8).join()})()`
