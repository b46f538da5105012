package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Everything can be found by name, without a mouse.
func TestCommandPalette(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	id := s.submit(p, "The total is wrong", nil)
	s.submit(p, "Oolong, please", nil)
	w := s.inboxWindow(p)
	w.see(row)
	ask := func(typed string) {
		t.Helper()
		w.press("k", chromedp.ModifierCtrl)
		await(w, "the palette has the focus", "e2e.focused().dataset.testid", "picker-input")
		w.write(typed)
		w.press(kb.Enter)
		w.miss("[data-testid=palette]")
	}
	w.press("jj")
	ask("assign to me")
	s.becomes(id, "new normal assigned")
	ask("resolve")
	s.becomes(id, "resolved normal assigned")
	ask("insights")
	w.see("[data-testid=insights]")
	ask("oolong")
	w.rows("Oolong, please")
	w.click("[data-testid=palette-open]")
	w.see("[data-testid=palette]")
	w.examine(axe, "palette")
}

// An answer that is given again and again is kept, put in with what is known, changed and deleted.
func TestCannedReplies(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	s.visitorItem(p, "The total is wrong", map[string]any{"name": "Mara"})
	w := s.inboxWindow(p)
	w.click(row)
	w.see(detail)
	w.press("r")
	w.write("Hello {{visitor.name|there}}, thank you.")
	w.click("[data-testid=canned-open]")
	await(w, "the picker has the focus", "e2e.focused().dataset.testid", "picker-input")
	w.write("Thanks")
	w.press(kb.Enter)
	w.text("[data-testid=notice] span", "Kept as a canned reply")
	w.run("document.querySelector('[data-testid=composer-text]').focus()")
	w.press("a", chromedp.ModifierCtrl)
	w.press(kb.Backspace)
	w.write("/")
	await(w, "the picker has the focus", "e2e.focused().dataset.testid", "picker-input")
	w.text("[data-testid=canned] [role=option] bdi", "Thanks | Manage…")
	w.examine(axe, "canned")
	w.press(kb.Enter)
	await(w, "it is put in", "document.querySelector('[data-testid=composer-text]').value", "Hello Mara, thank you.")
	await(w, "writing goes on", "e2e.focused().dataset.testid", "composer-text")
	w.press(kb.Enter, chromedp.ModifierCtrl)
	w.entries("reply: Hello Mara, thank you.")
	w.write("/")
	w.text("[data-testid=canned] [role=option] bdi", "Thanks | Manage…")
	w.press(kb.ArrowDown)
	w.press(kb.Enter)
	w.see("[data-testid=canned-manager]")
	w.examine(axe, "canned-manager")
	w.click("[data-testid=canned-manager] [aria-label^='Delete: '][aria-label*='Thanks']")
	w.miss("[data-testid=canned-manager] li")
}
