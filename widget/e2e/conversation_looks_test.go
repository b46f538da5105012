package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// cutOff leaves a page without its socket and its messages without a way by HTTP.
const cutOff = `const real=fetch;Object.defineProperty(WebSocket.prototype,"readyState",{get:()=>3});` +
	`window.fetch=(url,init)=>init?.method==="POST"&&url.endsWith("/messages")?Promise.reject(new TypeError("no network")):real(url,init)`

func TestConversationIsAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	ann, ben := s.member("Ann Agent", "agent"), s.member("Benedikta Oberhofer-Lindqvist", "agent")
	for _, text := range []string{"Do you ship to Norway?", "The brewing timer forgets its setting when I switch tabs.", "Please offer oolong"} {
		s.submit(p, text, map[string]any{"kind": "question", "rating": 4})
	}
	unread, unreadReceipt := s.visitorItem(p, "The voucher code does nothing at all on my phone", map[string]any{"kind": "bug", "rating": 2, "name": "Priya"})
	id, receipt := s.visitorItem(p, "The voucher is accepted, but the total stays the same until I reload the page.\n\nI tried it twice: first with one pot in the cart, then with the sampler added.",
		map[string]any{"name": "Mara Lindqvist", "email": "mara@example.com", "kind": "bug", "rating": 2, "context": map[string]any{"viewport": "1280x720", "language": "sv"}})
	staff, other := s.itemWindow(ann, p, id), s.itemWindow(ben, p, id)
	staff.examine(axe, "talk-empty")
	staff.compose("r", "Thank you for telling us! Which voucher did you use, and does it say when it ends? There is a list at https://kettle-and-leaf.example/vouchers.")
	s.visitorSays(receipt, "It is TEA10, from the newsletter.")
	other.compose("n", "Looks like the cache of the cart again, same as in March. I will look into it tomorrow morning, please do not promise a date yet.")
	s.visitorSays(receipt, "هل هناك خصم على الشحن؟ https://example.com/a-very-long-address/that-does-not-break/anywhere-at-all/because-it-has-no-blanks-in-it-whatsoever")
	other.press("r")
	other.write("Let me see")
	staff.see("[data-testid=typing] .typing")
	s.visitorSays(unreadReceipt, "Any news?")
	await(staff, "the other row is unread", "document.querySelector('[data-row=\""+unread+"\"]').dataset.unread", "true")
	staff.compose("n", "Fine.")
	staff.see("[data-testid=note-edit]")
	staff.press("n")
	staff.write("Second thoughts")
	staff.examine(axe, "talk-note")
	staff.run("e2e.focused().select()")
	staff.press(kb.Backspace)
	staff.press(kb.Escape)
	staff.click("[data-testid=note-edit]")
	staff.examine(axe, "talk-edit")
	staff.press(kb.Escape)
	await(staff, "the focus is back at the pencil", "e2e.focused().dataset.testid", "note-edit")

	staff.press("r")
	staff.write("Your voucher is mended.")
	s.visitorSays(receipt, "It works now, thank you!")
	staff.text(entry+":last-child .entry-text", "It works now, thank you!")
	staff.press(kb.Enter, chromedp.ModifierCtrl)
	staff.see("[data-testid=newer]")
	staff.examine(axe, "talk-newer")
	staff.press(kb.Escape)
	staff.run(cutOff)
	staff.press("r")
	staff.press(kb.Enter, chromedp.ModifierCtrl)
	staff.see("[data-testid=not-sent]")
	staff.examine(axe, "talk-failed")
}
