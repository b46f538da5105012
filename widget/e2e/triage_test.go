package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

const (
	pickerInput = "[data-testid=picker-input]"
	undoBar     = "[data-testid=undo-bar]"
	selected    = "[data-testid=selected]"
)

// triaged is what staff have decided about an item, in words.
func (s *server) triaged(id string) string {
	s.t.Helper()
	var item struct {
		Status   string   `json:"status"`
		Assignee *string  `json:"assignee_id"`
		Tags     []string `json:"tags"`
		Priority string   `json:"priority"`
	}
	status, answer := s.try("GET", "/api/v1/feedback/"+id, nil)
	if status != 200 {
		return fmt.Sprintf("gone (%d)", status)
	}
	if err := json.Unmarshal(answer, &item); err != nil {
		s.t.Fatal(err)
	}
	words := []string{item.Status, item.Priority}
	if item.Assignee != nil {
		words = append(words, "assigned")
	}
	return strings.Join(append(words, item.Tags...), " ")
}

// becomes waits until the server has an item so.
func (s *server) becomes(id, want string) {
	s.t.Helper()
	eventually(s.t, "the item is as decided", func() (bool, string) {
		got := s.triaged(id)
		return got == want, got + ", want " + want
	})
}

// pick presses a key that asks for something, looks for it by typing, and takes it.
func (w *window) pick(key, typed string) {
	w.t.Helper()
	w.press(key)
	await(w, "the picker has the focus", "e2e.focused().dataset.testid", "picker-input")
	w.write(typed)
	w.press(kb.Enter)
	if key == "l" { // which takes several
		w.press(kb.Escape)
	}
	w.miss(pickerInput)
}

// Ten items from first to last without a mouse.
func TestTriageByKeyboard(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	ids := make([]string, 10) // the first in the list first
	for i := len(ids) - 1; i >= 0; i-- {
		ids[i] = s.submit(p, fmt.Sprintf("item %d", i), nil)
	}
	w := s.inboxWindow(p)
	await(w, "all are there", "e2e.find('[data-testid=row]').length", 10)
	at := func(n int) {
		t.Helper()
		w.press("j")
		await(w, "the cursor", "e2e.focused().querySelector?.('.row-message')?.innerText", fmt.Sprintf("item %d", n))
	}
	at(0)
	w.press("e")
	s.becomes(ids[0], "resolved normal")
	w.see(undoBar)
	w.press("z")
	s.becomes(ids[0], "new normal")
	at(1)
	w.pick("a", "owner")
	s.becomes(ids[1], "new normal assigned")
	at(2)
	w.pick("l", "cart")
	s.becomes(ids[2], "new normal cart")
	at(3)
	w.pick("p", "urgent")
	s.becomes(ids[3], "new urgent")
	at(4)
	w.press("x")
	w.text(selected, "1 selected")
	at(5)
	at(6)
	w.press("X")
	w.text(selected, "3 selected")
	w.press("e")
	for _, id := range ids[4:7] {
		s.becomes(id, "resolved normal")
	}
	w.text(undoBar+" span", "3 items: now “Resolved”")
	w.press("z")
	for _, id := range ids[4:7] {
		s.becomes(id, "new normal")
	}
	w.pick("l", "late")
	for _, id := range ids[4:7] {
		s.becomes(id, "new normal late")
	}
	w.press(kb.Escape)
	w.miss(selected)
	for i := 7; i < 10; i++ {
		at(i)
		w.press("e")
		s.becomes(ids[i], "resolved normal")
	}
}

// Two people decide about one item at once: different fields come together, the same one is asked about.
func TestTriageOfTwo(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id := s.submit(p, "The total is wrong", nil)
	one, other := s.inboxWindow(p), s.inboxWindow(p)
	for _, w := range []*window{one, other} {
		w.click(row)
		w.see(detail)
	}
	// The first one's changes are held back until the other's are there.
	one.run(`const real=fetch;window.fetch=async(url,init)=>{if(init?.method==="PATCH"&&window.hold)await new Promise((go)=>window.letGo=go);return real(url,init)};window.hold=true`)
	one.pick("p", "high")
	other.pick("l", "cart")
	s.becomes(id, "new normal cart")
	one.run("window.hold=false;letGo()")
	s.becomes(id, "new high cart")
	one.miss("[data-testid=conflict]")
	one.text(detail+" [data-testid=edit-tags] .tags", "cart")
	other.text(detail+" [data-testid=edit-priority]", "Change the priority: High")

	one.run("window.hold=true")
	one.pick("p", "low")
	other.pick("p", "urgent")
	s.becomes(id, "new urgent cart")
	one.run("window.hold=false;letGo()")
	one.text("[data-testid=conflict] .sides p.strong", "Low | Urgent")
	one.click("[data-testid=conflict-apply]")
	s.becomes(id, "new low cart")
	other.text(detail+" [data-testid=edit-priority]", "Change the priority: Low")
}

// What one does to several at once the other sees, and its undoing as well.
func TestBulkIsSeenByOthers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	for _, text := range []string{"third", "second", "first"} {
		s.submit(p, text, nil)
	}
	one, other := s.inboxWindow(p), s.inboxWindow(p)
	one.rows("first | second | third")
	other.rows("first | second | third")
	const states = "e2e.find('[data-testid=row]').map((el)=>el.dataset.status).join()"
	box := func(n int) string { return fmt.Sprintf(".row-slot:nth-child(%d) [data-check]", n) }
	one.press("jx")
	one.text(selected, "1 selected")
	one.click(box(2))
	one.text(selected, "2 selected")
	one.click("[data-testid=select-all]")
	one.text(selected, "3 selected")
	one.click("[data-testid=bulk-resolve]")
	await(other, "the other sees it", states, "resolved,resolved,resolved")
	one.click("[data-testid=undo]")
	await(other, "and that it was undone", states, "new,new,new")
	one.click("[data-testid=bulk-erase]")
	one.click("[data-testid=bulk-erase-confirm]")
	other.see("[data-testid=list-none]")
	one.miss(selected)
}

func TestTriageIsAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newDemo(t)
	p := s.demoProject()
	s.triage(p)
	w := s.inboxWindow(p)
	w.click(row)
	w.see(detail)
	w.examine(axe, "triage-item")
	for _, key := range []string{"a", "l", "p"} {
		w.press(key)
		w.see(pickerInput)
		w.examine(axe, "triage-pick-"+key)
		w.press(kb.Escape)
		w.miss(pickerInput)
	}
	w.press("xjx")
	w.text(selected, "2 selected")
	w.examine(axe, "triage-selection")
	w.click("[data-testid=bulk-erase]")
	w.see("[data-testid=bulk-erase-dialog]")
	w.examine(axe, "triage-erase")
	w.press(kb.Escape)
	w.miss("[data-testid=bulk-erase-dialog]")
	w.press("e")
	w.see(undoBar)
	w.examine(axe, "triage-undo")
}

// triage decides about some of a project's items, so that there is something to see.
func (s *server) triage(p project) {
	s.t.Helper()
	var me struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	s.call("GET", "/api/v1/me", nil, &me)
	decisions := []map[string]any{
		{"tags": []string{"checkout", "vouchers"}, "priority": "urgent", "assignee_id": me.User.ID},
		{"tags": []string{"catalogue"}},
		{"priority": "high", "status": "open", "assignee_id": me.User.ID},
		{"status": "in_progress", "tags": []string{"cart"}},
		{"priority": "low", "status": "resolved"},
	}
	items := s.feedback(p)
	for i, changes := range decisions {
		item := items[len(items)-1-i]
		changes["rev"] = item.Rev
		s.call("PATCH", "/api/v1/feedback/"+item.ID, changes, nil)
	}
}

// The picker of tags follows what is picked in it: the first tag of a project stands in it as soon as it is made.
func TestFirstTagIsThereAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	s.submit(p, "An item", nil)
	w := s.inboxWindow(p)
	w.click(row)
	w.see(detail)
	w.press("l")
	await(w, "the picker has the focus", "e2e.focused().dataset.testid", "picker-input")
	w.text("[data-testid=pick-tags] [role=status]", "There are no tags yet. Type the first one.")
	w.write("cart")
	w.press(kb.Enter)
	w.text("[role=option][aria-selected=true]", "cart")
}
