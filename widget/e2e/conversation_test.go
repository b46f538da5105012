package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	entry        = "[data-testid=entry]"
	composer     = "[data-testid=composer]"
	composerText = "[data-testid=composer-text]"
)

// person is somebody of the staff, who signs in with this.
type person struct{ email, password string }

// member makes a member of the staff by the server's own command, while the server runs.
func (s *server) member(name, role string) person {
	s.t.Helper()
	email := strings.ToLower(strings.Fields(name)[0]) + "@example.com"
	command := exec.Command(binary, "user", "create", email, "--name="+name, "--role="+role)
	command.Env = s.cmd.Env
	out, err := command.CombinedOutput()
	match := regexp.MustCompile(`Password: (\S+)`).FindSubmatch(out)
	if err != nil || match == nil {
		s.t.Fatalf("create %s: %v\n%s", email, err, out)
	}
	return person{email, string(match[1])}
}

// itemWindow opens an item in the browser of a person and waits until it is live.
func (s *server) itemWindow(who person, p project, id string) *window {
	s.t.Helper()
	w := newWindow(s.t)
	w.open(s.base + "/login")
	w.signIn(who.email, who.password)
	w.miss("[data-testid=login]")
	w.open(s.inbox(p) + "/" + id)
	w.see(detail)
	w.miss(".boot-bar") // what is written before the conversation was read is taken for an answer to all of it
	w.connected("connected")
	return w
}

// visitorItem submits feedback and gives its id and its private page, by which the visitor goes on.
func (s *server) visitorItem(p project, message string, more map[string]any) (id, receipt string) {
	s.t.Helper()
	body := map[string]any{"message": message, "page_url": "https://shop.example/cart"}
	for name, value := range more {
		body[name] = value
	}
	var answer struct {
		ID         string `json:"id"`
		ReceiptURL string `json:"receipt_url"`
	}
	s.call("POST", "/w/"+p.Key+"/feedback", body, &answer)
	return answer.ID, strings.TrimPrefix(answer.ReceiptURL, s.base)
}

// visitorSays adds the visitor's next message.
func (s *server) visitorSays(receipt, body string) {
	s.t.Helper()
	s.call("POST", receipt+"/messages", map[string]any{"body": body}, nil)
}

// entries waits until the conversation reads so: side and text of each entry.
func (w *window) entries(want string) {
	w.t.Helper()
	await(w, "the conversation is there", `e2e.find('`+entry+`').map((el)=>el.dataset.side+": "+el.querySelector('.entry-text')?.innerText).join(" | ")`, want)
}

// compose writes with the keyboard alone: r for a reply, n for a note. It ends where keys are keys again.
func (w *window) compose(key, text string) {
	w.t.Helper()
	w.press(key)
	await(w, "the box has the focus", "e2e.focused().dataset.testid", "composer-text")
	w.write(text)
	w.press(kb.Enter, chromedp.ModifierCtrl)
	w.press(kb.Escape)
}

func TestStaffConversation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	ann, ben := s.member("Ann Agent", "agent"), s.member("Ben Helper", "agent")
	id, receipt := s.visitorItem(p, "The total is wrong", map[string]any{"name": "Mara"})
	one, other := s.itemWindow(ann, p, id), s.itemWindow(ben, p, id)

	for _, side := range []struct {
		w    *window
		want string
	}{{one, "Ben Helper is viewing"}, {other, "Ann Agent is viewing"}} {
		await(side.w, "the other one is seen", "document.querySelector('[data-testid=viewers]')?.ariaLabel?.replace(/[\u2068\u2069]/g, '')", side.want)
		await(side.w, "in the list, too", "document.querySelector('[data-testid=row-viewers]')?.ariaLabel?.replace(/[\u2068\u2069]/g, '')", side.want)
	}
	one.compose("r", "Which voucher is it? See https://shop.example/help")
	other.entries("reply: Which voucher is it? See https://shop.example/help")
	other.compose("n", "Known bug <b>1234</b>")
	one.entries("reply: Which voucher is it? See https://shop.example/help | note: Known bug <b>1234</b>")
	s.visitorSays(receipt, "TEA10")
	one.entries("reply: Which voucher is it? See https://shop.example/help | note: Known bug <b>1234</b> | visitor: TEA10")
	one.text(entry+" .note-label", "Note · only your team")
	const look = "(side)=>{const el=document.querySelector('[data-side='+side+'] .entry-box');const {backgroundColor,borderStyle}=getComputedStyle(el);return backgroundColor+borderStyle}"
	if same := read[bool](one, "((look)=>look('note')===look('reply')||look('note')===look('visitor'))("+look+")"); same {
		t.Error("a note looks like an answer")
	}
	if got := read[string](one, "document.querySelector('.entry-text a').rel"); got != "noopener noreferrer nofollow" {
		t.Errorf("the link's rel: got %q", got)
	}
	visitor := newWindow(t)
	visitor.open(s.base + receipt)
	if page := read[string](visitor, "document.body.innerText"); !strings.Contains(page, "Which voucher") || strings.Contains(page, "1234") {
		t.Errorf("the visitor's page has to have the reply and not the note: got %s", page)
	}

	one.press("r")
	one.press("Let me")
	other.text("[data-testid=typing]", "Ann is typing…")
	one.press(kb.Escape)
	await(one, "Esc leaves the box", "e2e.focused().matches('[data-keys]')", true)
	other.text("[data-testid=typing]", "")
	one.press(kb.Escape)
	await(other, "who closed the item is gone", "e2e.count('[data-testid=viewers]')", 0)
}

func TestDraftSurvivesReload(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id, _ := s.visitorItem(p, "The total is wrong", nil)
	staff := s.itemWindow(s.member("Ann Agent", "agent"), p, id)
	staff.press("n")
	staff.write("half a tho")
	staff.reload()
	staff.see(composerText)
	await(staff, "the draft is there", "document.querySelector('"+composerText+"').value", "half a tho")
	await(staff, "and still a note", "document.querySelector('[data-testid=to-internal]').checked", true)
	staff.connected("connected")
	staff.compose("n", "ught")
	staff.entries("note: half a thought")
	staff.reload()
	staff.entries("note: half a thought")
	await(staff, "nothing is left of it", "document.querySelector('"+composerText+"').value", "")
}

func TestNewerReplyIsShownFirst(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id, _ := s.visitorItem(p, "The total is wrong", nil)
	one, other := s.itemWindow(s.member("Ann Agent", "agent"), p, id), s.itemWindow(s.member("Ben Helper", "agent"), p, id)
	other.press("r")
	other.write("Please send us the order number.")
	one.compose("r", "It is mended, reload the page.")
	other.entries("reply: It is mended, reload the page.")
	other.press(kb.Enter, chromedp.ModifierCtrl)
	other.text("[data-testid=newer] .entry-text", "It is mended, reload the page.")
	await(other, "the harmless answer has the focus", "e2e.focused().dataset.testid", "newer-back")
	other.press(kb.Enter)
	other.miss("[data-testid=newer]")
	await(other, "the text is still there", "document.querySelector('"+composerText+"').value", "Please send us the order number.")
	other.click("[data-testid=send]")
	one.entries("reply: It is mended, reload the page. | reply: Please send us the order number.")
}

func TestUnsentIsKept(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id, _ := s.visitorItem(p, "The total is wrong", nil)
	staff := s.itemWindow(s.member("Ann Agent", "agent"), p, id)
	s.kill()
	staff.compose("r", "Written in a tunnel")
	staff.see("[data-testid=not-sent]")
	staff.entries("reply: Written in a tunnel")
	s.start()
	staff.connected("connected")
	staff.click("[data-testid=send-again]")
	staff.miss("[data-testid=not-sent]")
	staff.reload()
	staff.entries("reply: Written in a tunnel")
	staff.miss("[data-testid=not-sent]")
}

func TestNoteIsEditedAndDeleted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id, _ := s.visitorItem(p, "The total is wrong", nil)
	ann := s.member("Ann Agent", "agent")
	one, again, other := s.itemWindow(ann, p, id), s.itemWindow(ann, p, id), s.itemWindow(s.member("Ben Helper", "agent"), p, id)
	one.compose("n", "first")
	other.entries("note: first")
	other.miss("[data-testid=note-edit]")
	again.click("[data-testid=note-edit]")
	one.click("[data-testid=note-edit]")
	again.fill("[data-testid=note-text]", "mine")
	one.fill("[data-testid=note-text]", "second")
	one.press(kb.Enter, chromedp.ModifierCtrl)
	one.entries("note: second")
	other.entries("note: second")
	other.see("[data-testid=edited]")

	again.text("[data-testid=note-conflict] .note-theirs", "second")
	await(again, "the own text is kept", "document.querySelector('[data-testid=note-text]').value", "mine")
	again.click("[data-testid=note-save]")
	other.entries("note: mine")
	again.click("[data-testid=note-delete]")
	again.click("[data-testid=note-delete-confirm]")
	other.miss(entry)
	one.miss(entry)
}

func TestUnreadAndRoles(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id, receipt := s.visitorItem(p, "The total is wrong", nil)
	_ = s.submit(p, "Another one", nil)
	staff := s.inboxWindow(p)
	staff.rows("Another one | The total is wrong")
	const unread = "e2e.find('[data-testid=row]').map((el)=>el.dataset.unread).join()"
	await(staff, "what nobody looked at is unread", unread, "true,true")
	staff.press("j")
	staff.press("u")
	await(staff, "one is read", unread, "false,true")
	staff.press("j")
	staff.press("u")
	await(staff, "nothing is unread", unread, "false,false")
	// Shown before the server has it; what is said until then would be read with it.
	eventually(t, "the server has both marks", func() (bool, string) {
		var left struct{ Items []feedback }
		s.call("GET", "/api/v1/projects/"+p.ID+"/feedback?unread=true", nil, &left)
		return len(left.Items) == 0, fmt.Sprint(len(left.Items), " unread")
	})
	s.visitorSays(receipt, "Still wrong")
	await(staff, "the row is marked", unread, "false,true")
	staff.reload()
	await(staff, "it stays marked", unread, "false,true")
	viewer := s.itemWindow(s.member("Vera Viewer", "viewer"), p, id)
	viewer.entries("visitor: Still wrong")
	viewer.miss(composer)
	viewer.press("r")
	pause(200 * time.Millisecond)
	viewer.miss(composer)

	staff.press("j")
	staff.press("j")
	staff.press("r")
	await(staff, "the key opens the item and its box", "e2e.focused().dataset.testid", "composer-text")
	await(staff, "the mark is gone", unread, "false,false")
	if got := read[string](staff, "document.querySelector('"+composerText+"').value"); got != "" {
		t.Errorf("the key wrote %q into the box, want nothing", got)
	}
}

func TestLongConversation(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id, receipt := s.visitorItem(p, "The total is wrong", nil)
	for i := range 70 {
		s.call("POST", "/api/v1/feedback/"+id+"/messages", map[string]any{"body": fmt.Sprint("message ", i), "visibility": "public"}, nil)
	}
	staff := s.itemWindow(s.member("Ann Agent", "agent"), p, id)
	const gap = "(()=>{const el=document.querySelector('.item-scroll');return Math.round(el.scrollHeight-el.scrollTop-el.clientHeight)})()"
	await(staff, "it opens at its end", gap, 0)
	await(staff, "with one page", "e2e.all('"+entry+"').length", 50)
	s.visitorSays(receipt, "and one more")
	await(staff, "a new message is followed", "e2e.find('"+entry+"').at(-1).innerText.includes('and one more')&&"+gap+"===0", true)

	staff.run("document.querySelector('.item-scroll').scrollTop=0")
	const place = "Math.round(e2e.all('" + entry + "').find((el)=>el.innerText.includes('message 20')).getBoundingClientRect().y)"
	before := read[int](staff, place)
	staff.click("[data-testid=older]")
	await(staff, "the rest is there", "e2e.all('"+entry+"').length", 71)
	if after := read[int](staff, place); after < before-80 || after > before+80 {
		t.Errorf("what was read has moved from %d to %d", before, after)
	}
	staff.miss("[data-testid=older]")
	s.visitorSays(receipt, "unseen")
	staff.text("[data-testid=below]", "1 new message")
	staff.click("[data-testid=below]")
	await(staff, "it leads to the end", gap, 0)
	staff.miss("[data-testid=below]")
}
