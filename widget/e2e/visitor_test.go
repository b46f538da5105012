package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestNothingHappensBeforeTheVisitorActs(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	url := host.shop(p)
	other := host.page("/other", sitePage{body: "<h1>Other</h1>"})
	visitor.open(url)
	visitor.see(launcher)
	pause(500 * time.Millisecond)
	want := []string{"GET " + url, "GET " + s.base + "/w/" + p.Key + ".js"}
	if got := visitor.requested(); !slices.Equal(got, want) {
		t.Errorf("before the visitor acts the page asks for %v, want %v", got, want)
	}
	kept := "document.cookie+JSON.stringify({...localStorage,...sessionStorage})"
	await(visitor, "nothing is stored", kept, "{}")

	visitor.click(launcher)
	visitor.see(panel)
	eventually(t, "the panel opens a socket", func() (bool, string) {
		got := visitor.requested()
		return has(got, "SOCKET "), fmt.Sprint(got)
	})
	await(visitor, "an open panel stores nothing", kept, "{}")

	visitor.run("window.returned=false;addEventListener('pageshow',(e)=>window.returned=e.persisted)")
	visitor.open(other)
	visitor.run("history.back()")
	await(visitor, "the page comes from the back/forward cache", "window.returned", true)
	visitor.see(panel)
	visitor.send("Back again", sent)
}

func TestOpeners(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{body: "<h1>Shop</h1><a href='#x' id=report data-earshot-open=bug><b>Report</b></a>" +
		strings.Replace(p.Snippet, "async", "async data-trigger=none", 1)}))
	await(visitor, "the script has run", "!!window.Earshot?.version", true)
	visitor.miss(launcher)
	visitor.click("#report b")
	visitor.see(panel)
	await(visitor, "the kind is chosen", "e2e.all('earshot-widget >>> [name=kind]:checked')[0]?.value", "bug")
	visitor.press(kb.Escape)
	visitor.miss(panel)
	await(visitor, "the focus is back at the opener", "e2e.focused().id", "report")
}

func TestPageAPI(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.everyPage(`window.Earshot=function(){(Earshot.q=Earshot.q||[]).push(arguments)};window.heard=[];
		for(const name of ["ready","open","submit","sent","close"])Earshot("on",name,(e)=>{heard.push(name);window.last=e.detail});
		Earshot("set",{plan:"pro"});Earshot("tag","beta")`)
	visitor.open(host.shop(p))
	await(visitor, "calls made before the script are made up for", "heard.join()", "ready")
	id := read[string](visitor, `Earshot("send",{message:"By API",kind:"idea"}).then((o)=>o.state+" "+o.id)`)
	await(visitor, "submit and sent are heard", "heard.join()", "ready,submit,sent")
	item := s.item(strings.TrimPrefix(id, "sent "))
	got := fmt.Sprintln(item.Message, item.Kind, item.Context["attributes"], item.Context["tags"])
	if want := "By API idea map[plan:pro] [beta]\n"; got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}

	visitor.run(`window.no=(e)=>e.preventDefault();Earshot.on("open",no);Earshot.open()`)
	pause(200 * time.Millisecond)
	visitor.miss(panel)
	visitor.run(`Earshot.off("open",no);Earshot.on("submit",()=>false);Earshot.open()`)
	visitor.speak("Not wanted")
	visitor.click(submit)
	pause(200 * time.Millisecond)
	await(visitor, "the form stays", "e2e.find("+quote(message)+")[0].value", "Not wanted")
	if got, want := s.messages(p), "By API"; got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}
	visitor.run(`Earshot("close")`)
	visitor.miss(panel)
	visitor.run(`Earshot("hide")`)
	visitor.miss(launcher)
	visitor.run(`Earshot("show")`)
	visitor.see(launcher)
	visitor.run(`Earshot("destroy")`)
	await(visitor, "the widget is gone", "e2e.all('earshot-widget').length", 0)
}

func TestPrivacyControlDropsContext(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	for _, control := range []bool{false, true} {
		visitor := newWindow(t)
		if control {
			visitor.everyPage("Object.defineProperty(navigator,'globalPrivacyControl',{value:true})")
		}
		visitor.open(host.shop(p))
		visitor.send(fmt.Sprint("control ", control), sent)
		items := s.feedback(p)
		context := s.item(items[len(items)-1].ID).Context
		if _, sends := context["time_zone"]; sends == control {
			t.Errorf("with privacy control %v the context is %v", control, context)
		}
	}
}

func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	visitor.see(launcher)
	visitor.run("window.heard='';addEventListener('keydown',(e)=>window.heard+=e.key)")
	focused := "e2e.focused().id||e2e.focused().name||e2e.focused().className||e2e.focused().localName"
	visitor.press(kb.Tab)
	await(visitor, "Tab reaches the page's link first", focused, "a")
	visitor.press(kb.Tab)
	await(visitor, "then the launcher", focused, "launcher")
	ring := "getComputedStyle(e2e.focused()).outlineStyle+getComputedStyle(e2e.focused()).outlineWidth"
	await(visitor, "the focus ring is visible", ring, "solid2px")
	visitor.press(kb.Enter)
	await(visitor, "the message has the focus", focused, "message")
	visitor.press("j/?")
	await(visitor, "the page's shortcuts stay quiet", "heard", "TabTab")
	visitor.see(attaching)
	for _, want := range []string{"button", "button", "rating", "email", "submit"} {
		visitor.press(kb.Tab)
		await(visitor, "the order of Tab", focused, want)
	}
	await(visitor, "the focus ring is visible", ring, "solid2px")
	for range 5 {
		visitor.press(kb.Tab, chromedp.ModifierShift)
	}
	visitor.press(kb.Tab, chromedp.ModifierShift)
	await(visitor, "backwards there are the kinds", focused, "kind")
	visitor.press(" ")
	visitor.press(kb.ArrowRight)
	await(visitor, "from the last one the arrow leads to the first", "e2e.all('earshot-widget >>> [name=kind]:checked')[0]?.value", "bug")
	visitor.press(kb.Escape)
	visitor.miss(panel)
	await(visitor, "Esc gives the focus back", focused, "launcher")
	visitor.press(kb.Enter)
	await(visitor, "the draft is kept", "e2e.find("+quote(message)+")[0]?.value", "j/?")
}

func TestErrorsAreSaid(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	visitor.click(launcher)
	visitor.click(submit)
	visitor.text(alert, "Please write a few words first.")
	await(visitor, "the field is marked", "e2e.focused().id+e2e.focused().ariaInvalid", "messagetrue")
	visitor.write("Now with words")
	visitor.miss(alert)
	visitor.fill("earshot-widget >>> #email", "nobody@")
	visitor.click(submit)
	visitor.text(alert, "This email address looks incomplete.")

	// The server's refusal is unreadable on a site that is not allowed, so to the widget it is a server out of reach: the
	// message waits until the site is allowed.
	stranger := newWindow(t)
	stranger.open(newSite(t).shop(p))
	stranger.send("From a site that is not allowed", kept)
	if got := s.messages(p); got != "" {
		t.Errorf("the server has %q, want nothing", got)
	}
	stranger.mu.Lock()
	defer stranger.mu.Unlock()
	if told := strings.Count(strings.Join(stranger.console, "\n"), "does not answer or allow http://localhost"); told != 1 {
		t.Errorf("the site's owner is told %d times in %v, want once", told, stranger.console)
	}
}
