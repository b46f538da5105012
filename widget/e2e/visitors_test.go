package e2e

import (
	"strings"
	"testing"
)

// Blocks, the identity secret and the erasure of one visitor, as an owner meets them.
func TestVisitorsPage(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	visitor := map[string]any{"email": "ann@shop.example", "website": "https://spam.example"}
	held := s.submit(p, "Buy pills", visitor)
	delete(visitor, "website")
	first := s.submit(p, "The total is wrong", visitor)
	s.submit(p, "And the voucher, too", visitor)
	s.submit(p, "Somebody else's", nil)
	s.call("POST", "/api/v1/projects/"+p.ID+"/blocks", map[string]any{"kind": "session", "feedback_id": held}, nil)

	staff := newWindow(t)
	staff.open(s.base + "/projects/" + p.ID + "/visitors")
	staff.signIn(s.owner, s.password)
	staff.see("[data-testid=block-line]")
	staff.fill("[name=word]", "ca")
	staff.click("[data-testid=word-block]")
	staff.fill("[name=word]", "casino")
	staff.click("[data-testid=word-block]")
	await(staff, "the word is in the list", "document.querySelector('[data-testid=block-line][data-kind=word] bdi')?.textContent", "casino")
	staff.click("[data-testid=identity-show]")
	staff.see("[data-testid=identity-secret]")
	before := read[string](staff, "document.querySelector('[data-testid=identity-secret]').textContent")
	staff.examine(axe, "visitors")
	staff.click("[data-testid=identity-rotate]")
	staff.click("[data-testid=rotate-confirm]")
	await(staff, "there is another secret", "document.querySelector('[data-testid=identity-secret]').textContent!=="+quote(before), true)
	staff.click("[data-testid=block-line][data-kind=session] [data-testid=block-lift]")
	staff.click("[data-testid=lift-confirm]")
	staff.miss("[data-testid=block-line][data-kind=session]")

	staff.run("document.querySelectorAll('.notice button').forEach((el)=>el.click())") // they lie over the form
	staff.miss(".notice")
	staff.fill("[data-testid=erasing] [name=email]", "nobody@shop.example")
	staff.click("[data-testid=erase-look]")
	await(staff, "nobody has nothing", "document.querySelector('[data-testid=erase-visitor] [role=status]')?.textContent", "There is nothing of this visitor.")
	staff.click("[data-testid=erase-visitor] .dialog-foot button")
	staff.fill("[data-testid=erasing] [name=email]", "Ann@Shop.Example")
	staff.click("[data-testid=erase-look]")
	staff.see("[data-testid=erase-counts]")
	staff.examine(axe, "erase-visitor")
	staff.text("[data-testid=erase-visitor-confirm]", "Erase 3 items")
	staff.click("[data-testid=erase-visitor-confirm]")
	staff.miss("[data-testid=erase-visitor-confirm]")
	if got := read[string](staff, "document.querySelector('[data-testid=erase-counts]').textContent"); !strings.Contains(got, "3 items") {
		t.Errorf("the report says %q", got)
	}
	if got := s.messages(p); got != "Somebody else's" {
		t.Errorf("left is %q", got)
	}
	if status, _ := s.try("GET", "/api/v1/feedback/"+first, nil); status != 404 {
		t.Errorf("an erased item answers %d", status)
	}
}

// From an item all of its sender's goes, and the list shows it.
func TestVisitorIsErasedFromAnItem(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	visitor.open(host.shop(p))
	visitor.send("First", sent)
	visitor.send("Second", sent)
	s.submit(p, "Somebody else's", nil)
	staff := newWindow(t)
	staff.open(s.inbox(p) + "/" + s.feedback(p)[0].ID)
	staff.signIn(s.owner, s.password)
	staff.click("[data-testid=erase]")
	staff.click("[data-testid=erase-all]")
	staff.text("[data-testid=erase-visitor-confirm]", "Erase 2 items")
	staff.click("[data-testid=erase-visitor-confirm]")
	staff.rows("Somebody else's")
	await(staff, "it is told", "document.body.textContent.includes('2 items of this visitor are erased')", true)
}
