package e2e

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// What there is of the conversations.
const (
	dot     = "earshot-widget >>> .launcher .dot"
	way     = "earshot-widget >>> header .way button"
	see     = "earshot-widget >>> .result .primary"
	item    = "earshot-widget >>> .item"
	line    = "earshot-widget >>> .line .text"
	reply   = "earshot-widget >>> #reply"
	answer  = "earshot-widget >>> .thread form .primary"
	badge   = "earshot-widget >>> .bar .badge"
	typing  = "earshot-widget >>> .thread .typing"
	heading = "earshot-widget >>> h2"
)

// says posts a reply, or an internal note, as the owner.
func (s *server) says(feedback, visibility, body string) {
	s.t.Helper()
	s.call("POST", "/api/v1/feedback/"+feedback+"/messages", map[string]string{"body": body, "visibility": visibility}, nil)
}

// conversation reads what staff see of one, notes marked.
func (s *server) conversation(feedback string) string {
	s.t.Helper()
	var list struct {
		Items []struct{ Body, Visibility string } `json:"items"`
	}
	s.call("GET", "/api/v1/feedback/"+feedback+"/messages", nil, &list)
	texts := []string{}
	for _, m := range list.Items {
		texts = append(texts, map[string]string{"internal": "note: "}[m.Visibility]+m.Body)
	}
	return strings.Join(texts, " | ")
}

// only is the id of a project's one item.
func (s *server) only(p project) string {
	s.t.Helper()
	items := s.feedback(p)
	if len(items) != 1 {
		s.t.Fatalf("got %d items, want one", len(items))
	}
	return items[0].ID
}

func (w *window) answer(text string) {
	w.t.Helper()
	w.click(reply)
	w.write(text)
	w.click(answer)
}

func TestConversation(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.media("light") // without motion: a panel that fades out would take the click that is meant for the launcher
	visitor.everyPage("window.unread=[];addEventListener('earshot:reply',(e)=>unread.push(e.detail.unread))")
	visitor.open(host.shop(p))
	visitor.click(launcher)
	visitor.miss(way)
	visitor.send("The total is wrong", sent)
	visitor.click(see)
	visitor.text(line, "The total is wrong")
	visitor.text(badge, "Received")
	await(visitor, "the reply has the focus", "e2e.focused()?.id", "reply")

	id := s.only(p)
	s.says(id, "internal", "A known bug, wait for it")
	s.says(id, "public", "Which item was it?")
	visitor.text(line, "The total is wrong | Which item was it?")
	visitor.answer("The blue pot")
	visitor.text(line, "The total is wrong | Which item was it? | The blue pot")
	visitor.miss("earshot-widget >>> .state")
	s.call("PATCH", "/api/v1/feedback/"+id, map[string]any{"status": "in_progress", "rev": s.item(id).Rev}, nil)
	visitor.text(badge, "In progress")
	if got, want := s.conversation(id), "note: A known bug, wait for it | Which item was it? | The blue pot"; got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}
	await(visitor, "what is before one's eyes is not new", "unread.join()", "1")

	visitor.press(kb.Escape)
	visitor.open("about:blank")
	s.says(id, "public", "Thank you, it is mended")
	s.says(id, "internal", "Nobody but us")
	visitor.requested()
	visitor.open(host.shop(p))
	visitor.see(launcher)
	pause(500 * time.Millisecond)
	visitor.miss(dot)
	if got := visitor.requested(); has(got, "POST ") || has(got, "OPTIONS ") {
		t.Errorf("before the visitor acts the page asks for %v, want no poll", got)
	}
	visitor.click("h1")
	visitor.see(dot)
	await(visitor, "the launcher says so", "e2e.find("+quote(launcher)+")[0].innerText.replace(/\\s+/g,' ')", "Feedback 1 new reply")
	await(visitor, "the page hears of it", "unread.join()", "1")
	visitor.click("h1")
	visitor.click(launcher)
	visitor.text(line, "The total is wrong | Which item was it? | The blue pot | Thank you, it is mended")
	if got := strings.Count(fmt.Sprint(visitor.requested()), "/poll"); got > 2 {
		t.Errorf("got %d requests for a poll, want one and its preflight", got)
	}
	visitor.press(kb.Escape)
	visitor.miss(panel)
	visitor.miss(dot)
	visitor.click(launcher)
	visitor.see(message)
}

func TestConversationOverAStrictPolicy(t *testing.T) {
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
	visitor.click(see)
	s.says(s.only(p), "public", "<b>Which</b> account?")
	visitor.text(line, "Over a strict policy | <b>Which</b> account?")
	visitor.answer("The first")
	visitor.text(line, "Over a strict policy | <b>Which</b> account? | The first")
	visitor.miss("earshot-widget >>> .state")
	await(visitor, "no policy was violated", "violations.join()", "")
	if got := visitor.requested(); has(got, "POST ") {
		t.Errorf("where there is a socket the page asks for %v, want no POST", got)
	}
}

// Without sockets the visitor's words go to their receipt, which answers no foreign page, and replies are asked for.
func TestConversationWithoutSockets(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{
		body: "<h1>Bank</h1>" + p.Snippet, csp: "default-src 'none'; script-src " + s.base + "; connect-src " + s.base,
	}))
	visitor.send("By POST", sent)
	visitor.click(see)
	visitor.answer("And another word")
	visitor.miss("earshot-widget >>> .state")
	id := s.only(p)
	if got, want := s.conversation(id), "And another word"; got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}
	s.says(id, "public", "Heard")
	visitor.text(line, "By POST | And another word | Heard")

	s.kill()
	visitor.answer("In the dark")
	visitor.text("earshot-widget >>> .state", "Not sent. Try again")
	s.start()
	visitor.click("earshot-widget >>> .state button")
	visitor.miss("earshot-widget >>> .state")
	if got, want := s.conversation(id), "And another word | Heard | In the dark"; got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}
}

// A site may lead to the server by a path of its own; what the widget loads goes there, too.
func TestConversationByTheSitesOwnPath(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	target, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	host := newSite(t)
	host.proxy = http.StripPrefix("/help", httputil.NewSingleHostReverseProxy(target))
	visitor := newWindow(t)
	visitor.open(host.page("/", sitePage{
		body: "<h1>Shop</h1><script async src='/help/w/" + p.Key + ".js' data-api='/help'></script>", csp: "default-src 'self'",
	}))
	visitor.send("By a path", sent)
	visitor.click(see)
	visitor.answer("Of our own")
	visitor.text(line, "By a path | Of our own")
	visitor.miss("earshot-widget >>> .state")
	for _, request := range visitor.requested() {
		if strings.Contains(request, s.addr) {
			t.Errorf("got %s, want nothing but the site's own addresses", request)
		}
	}
}

func TestConversationsAreAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s, host := newServer(t), newSite(t)
	for lang, told := range map[string]string{"en": sent, "ar": "شكرًا لك!"} {
		p := s.project(nil, host.url)
		visitor := newWindow(t)
		visitor.open(host.page("/"+lang, sitePage{body: "<main><h1>Shop</h1><p>Tea and pots.</p></main>" +
			strings.Replace(p.Snippet, "async", "async data-lang="+lang, 1)}))
		visitor.send(map[string]string{"en": "The voucher is accepted, but the total stays the same", "ar": "القسيمة مقبولة لكن المجموع لا يتغير"}[lang], told)
		first := s.only(p)
		visitor.send("Do you ship to Norway? The checkout only lists the EU.", told)
		s.call("PATCH", "/api/v1/feedback/"+first, map[string]any{"status": "resolved", "rev": s.item(first).Rev}, nil)
		s.says(first, "public", "Thank you for telling us. It is mended now:\n\n1. reload the page\n2. enter the voucher anew")
		visitor.click("earshot-widget >>> .again")
		visitor.see("earshot-widget >>> .way .dot")
		visitor.examine(axe, "talk-"+lang+"-form")
		visitor.press(kb.Escape)
		visitor.miss(panel)
		visitor.see(dot)
		visitor.examine(axe, "talk-"+lang+"-dot")
		visitor.click(launcher)
		visitor.see(reply)
		visitor.answer("Yes, it works. " + strings.Repeat("Thank you! ", 12))
		visitor.miss("earshot-widget >>> .state")
		visitor.click(reply)
		visitor.write("And one mo")
		visitor.examine(axe, "talk-"+lang+"-thread")
		s.says(s.feedback(p)[1].ID, "public", "Not yet, but soon.")
		visitor.click("earshot-widget >>> .all")
		visitor.see("earshot-widget >>> .new")
		visitor.examine(axe, "talk-"+lang+"-list")
	}
}
