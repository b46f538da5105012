package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

const (
	savedView  = "[data-testid=saved-view]"
	viewDialog = "[data-testid=view-dialog]"
	marked     = "mark"
)

// countOf is what the sidebar says of how many items a view has.
func countOf(name string) string {
	return `[...document.querySelectorAll(".nav-view a")].find((a)=>a.querySelector("bdi").innerText===` + quote(name) +
		`)?.querySelector("[data-testid=view-count]")?.innerText??""`
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	s.submit(p, "The cart is empty", map[string]any{"kind": "bug"})
	id := s.submit(p, "Please offer oolong", map[string]any{"kind": "idea"})
	staff, other := s.inboxWindow(p), s.itemWindow(s.member("Bea", "viewer"), p, id)
	await(staff, "the inbox is counted", countOf("Inbox"), "2")

	staff.click("[data-testid=filter-open]")
	staff.click("[data-testid=filter-kind-bug] + span")
	staff.press(kb.Escape)
	staff.rows("The cart is empty")
	staff.click("[data-testid=view-save]")
	staff.see(viewDialog)
	staff.write("Bugs")
	staff.click("[data-testid=view-share]")
	staff.click("[data-testid=view-submit]")
	staff.miss(viewDialog)
	staff.text(savedView+" bdi", "Bugs")
	await(staff, "the view is in the address", "new URLSearchParams(location.search).has('view')", true)
	await(staff, "the view is the current one", "document.querySelector('[data-testid=saved-view]').ariaCurrent??document.querySelector('[data-testid=saved-view]').getAttribute('aria-current')", "page")
	staff.text(".list-head h2", "Bugs")

	// The other one sees it after the next change, and its count follows.
	s.submit(p, "The button is dead", map[string]any{"kind": "bug"})
	other.text(savedView+" bdi", "Bugs")
	for _, w := range []*window{staff, other} {
		await(w, "the count follows", countOf("Bugs"), "2")
	}
	staff.rows("The button is dead | The cart is empty")
	other.click(savedView)
	other.rows("The button is dead | The cart is empty")
	other.miss("[data-testid=view-edit]")

	// What it lists is changed in the list.
	staff.click("[data-testid=filter-open]")
	staff.click("[data-testid=filter-kind-idea] + span")
	staff.press(kb.Escape)
	staff.click("[data-testid=view-update]")
	await(staff, "the count is that of the changed view", countOf("Bugs"), "3")
	staff.click("[data-testid=view-edit]")
	staff.fill(viewDialog+" input[name=view-name]", "Work")
	staff.click("[data-testid=view-submit]")
	staff.text(savedView+" bdi", "Work")
	staff.click("[data-testid=view-edit]")
	staff.click("[data-testid=view-remove]")
	staff.miss(savedView)

	status, answer := s.try("POST", "/api/v1/projects/"+p.ID+"/views", map[string]any{"name": "Odd", "query": map[string]any{"colour": "red"}})
	if status != 422 || !strings.Contains(string(answer), "query.colour") {
		t.Errorf("a view with an unknown filter is answered %d %s, want 422 with its name", status, answer)
	}
}

// Every filter narrows the list down, is in the address, and is honoured by what arrives.
func TestFiltersAreLive(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	s.submit(p, "plain", nil)
	staff := s.dashboard(s.inbox(p) + "?rating=5,4&kind=bug,idea&status=new")
	staff.connected("connected")
	staff.see("[data-testid=list-no-match]")
	s.submit(p, "a bad one", map[string]any{"kind": "bug", "rating": 1})
	s.submit(p, "a good one", map[string]any{"kind": "idea", "rating": 5})
	staff.rows("a good one")
	staff.click("[data-testid=chip-kind]")
	staff.click("[data-testid=chip-rating]")
	staff.rows("a good one | a bad one | plain")
	await(staff, "what is left is in the address", "location.search", "?status=new")
	staff.click("[data-testid=filters-clear]")
	await(staff, "nothing is left", "location.search", "")
	staff.click("[data-testid=filter-open]")
	staff.choose("[data-testid=filter-assignee]", "me")
	staff.see("[data-testid=list-no-match]")
	id := s.submit(p, "for the owner", nil)
	s.call("PATCH", "/api/v1/feedback/"+id, map[string]any{"assignee_id": s.user(), "rev": 1}, nil)
	staff.rows("for the owner")
	s.call("PATCH", "/api/v1/feedback/"+id, map[string]any{"assignee_id": nil, "rev": 2}, nil)
	staff.see("[data-testid=list-no-match]")
}

func (s *server) user() string {
	var me struct {
		User struct{ ID string } `json:"user"`
	}
	s.call("GET", "/api/v1/me", nil, &me)
	return me.User.ID
}

func TestHitsAreMarked(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	s.submit(p, "Mon RÉSUMÉ, <b>resume</b> and 合計が間違っています", nil)
	s.submit(p, "Something else", nil)
	staff := s.inboxWindow(p)
	for _, search := range []struct{ query, marked string }{{"resum", "RÉSUMÉ | resume"}, {"間違", "間違"}} {
		staff.fill("[data-search]", search.query)
		staff.text(row+" "+marked, search.marked)
	}
	staff.click(row)
	staff.text(detail+" .message "+marked, "間違")
	staff.text(detail+" .message", "Mon RÉSUMÉ, <b>resume</b> and 合計が間違っています")
	await(staff, "the best come first", "document.querySelector('[data-testid=sort]').value", "relevance")
	staff.choose("[data-testid=sort]", "-created_at")
	await(staff, "the order is in the address", "new URLSearchParams(location.search).get('sort')", "-created_at")
	staff.fill("[data-search]", "")
	staff.miss(marked)
}

func TestFiltersAndViewsAreAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newDemo(t)
	p := s.demoProject()
	staff := s.dashboard(s.inbox(p) + "?status=new,open&kind=bug&assignee=none&q=the")
	staff.see(row)
	for i := range 3 {
		s.call("POST", "/api/v1/projects/"+p.ID+"/views", map[string]any{"name": fmt.Sprint("Checkout and payment, part ", i), "shared": i == 1, "query": map[string]any{"kind": "bug"}}, nil)
	}
	staff.reload()
	staff.see(savedView)
	staff.examine(axe, "filters-list")
	staff.click("[data-testid=filter-open]")
	staff.see("[data-testid=filter-panel]")
	staff.examine(axe, "filters-panel")
	staff.press(kb.Escape)
	staff.click(savedView)
	staff.see("[data-testid=view-edit]")
	staff.examine(axe, "views-sidebar")
	staff.click("[data-testid=view-edit]")
	staff.see(viewDialog)
	staff.examine(axe, "views-dialog")
}
