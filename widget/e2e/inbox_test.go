package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

func TestInboxByKeyboard(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	for _, text := range []string{"third", "second", "first"} {
		s.submit(p, text, nil)
	}
	staff := s.inboxWindow(p)
	staff.rows("first | second | third")
	const focused = "e2e.focused().querySelector?.('.row-message')?.innerText"
	for _, move := range []struct{ key, want string }{
		{"j", "first"}, {"j", "second"}, {"j", "third"}, {"j", "third"}, {"k", "second"}, {kb.ArrowUp, "first"}, {kb.ArrowDown, "second"},
	} {
		staff.press(move.key)
		await(staff, "the cursor after "+move.key, focused, move.want)
	}
	staff.press(kb.Enter)
	staff.text(detail+" .message", "second")
	staff.press("j")
	staff.text(detail+" .message", "third")
	staff.press("e")
	await(staff, "e resolves", "document.querySelector('[data-testid=detail]').dataset.status", "resolved")
	staff.press(kb.Escape)
	staff.miss(detail)
	staff.press("/")
	await(staff, "/ goes to the search", "e2e.focused().dataset.testid", "search")
	staff.press("je?")
	await(staff, "keys are letters there", "e2e.focused().value", "je?")
	staff.press(kb.Escape)
	staff.rows("first | second | third")
	staff.press(kb.Escape)
	staff.press("?")
	staff.see("[data-testid=help]")
	staff.press(kb.Escape)
	staff.miss("[data-testid=help]")
	staff.open(s.base + "/projects/" + p.ID + "/settings")
	staff.see("[data-testid=settings]")
	staff.press("gi")
	staff.rows("first | second | third")
}

func TestStatusIsSeenByOthers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	id := s.submit(p, "The total is wrong", nil)
	one, other := s.inboxWindow(p), s.inboxWindow(p)
	other.click(row)
	other.see(detail)
	// The answer to the change is held back: what is on screen before it is what the person did, not what the server said.
	one.run(`const real=fetch;window.fetch=async(url,init)=>{if(init?.method==="PATCH")await new Promise((go)=>window.letGo=go);return real(url,init)}`)
	one.click(row)
	one.click("[data-testid=status-menu]")
	one.click("[data-testid=status-in_progress]")
	await(one, "the change shows at once", "document.querySelector('[data-testid=detail]').dataset.status", "in_progress")
	if got, want := s.item(id).Status, "new"; got != want {
		t.Fatalf("the server already has %q, want %q: the test holds nothing back", got, want)
	}
	one.run("letGo()")
	await(other, "the other window follows", "document.querySelector('[data-testid=detail]').dataset.status", "in_progress")
	await(other, "and its list, too", "document.querySelector('[data-testid=row]').dataset.status", "in_progress")
}

// raceToClosed lets somebody else close an item while this person's change of it is under way.
const raceToClosed = `const real=fetch;window.fetch=async(url,init)=>{if(init?.method==="PATCH"&&!window.raced){window.raced=true;
	await real(url,{...init,body:JSON.stringify({...JSON.parse(init.body),status:"closed"})})}return real(url,init)}`

func TestConflict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ choice, want string }{{"keep", "closed"}, {"apply", "resolved"}} {
		t.Run(c.choice, func(t *testing.T) {
			s := newServer(t)
			p := s.project(nil)
			id := s.submit(p, "The total is wrong", nil)
			staff := s.inboxWindow(p)
			staff.click(row)
			staff.see(detail)
			staff.run(raceToClosed)
			staff.click("[data-testid=resolve]")
			staff.text("[data-testid=conflict] .sides p.strong", "Resolved | Closed")
			staff.click("[data-testid=conflict-" + c.choice + "]")
			staff.miss("[data-testid=conflict]")
			await(staff, "the item has the chosen state", "document.querySelector('[data-testid=detail]').dataset.status", c.want)
			eventually(t, "the server has it, too", func() (bool, string) {
				got := s.item(id).Status
				return got == c.want, got + ", want " + c.want
			})
		})
	}
}

func TestSearchAndFilters(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	for i := range 40 {
		s.submit(p, fmt.Sprintf("Parcel number %d is late", i), map[string]any{"kind": "bug"})
	}
	s.submit(p, "Please offer oolong", map[string]any{"kind": "idea"})
	staff := s.inboxWindow(p)
	staff.see(row)

	start := time.Now()
	staff.press("/")
	staff.write("oolong")
	staff.rows("Please offer oolong")
	took := time.Since(start)
	t.Logf("search: %v", took.Round(time.Millisecond))
	if took > time.Second {
		t.Errorf("the search took %v, want at most 1s", took)
	}
	staff.fill("[data-search]", "nowhere to be found")
	staff.see("[data-testid=list-no-match]")
	staff.click("[data-testid=clear-filters]")
	staff.click("[data-testid=filter-open]")
	staff.click("[data-testid=filter-kind-idea] + span")
	staff.rows("Please offer oolong")
	await(staff, "the filter is in the address", "new URLSearchParams(location.search).get('kind')", "idea")
	staff.click("[data-testid=filter-status-resolved] + span")
	staff.see("[data-testid=list-no-match]")
	staff.reload()
	staff.see("[data-testid=list-no-match]")
	staff.click("[data-testid=clear-filters]")
	staff.see(row)
	staff.click("[data-testid=filter-open]")
	staff.click("[data-testid=filter-status-new] + span")
	staff.see("[data-testid=chip-status]")
	staff.see(row)
}

// choose picks an option as the keyboard would.
func (w *window) choose(path, value string) {
	w.t.Helper()
	w.see(path)
	w.run("const el=e2e.find(" + quote(path) + ")[0];el.value=" + quote(value) + ";el.dispatchEvent(new Event('change',{bubbles:true}))")
}

func TestDarkMode(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	staff := s.inboxWindow(s.project(nil))
	staff.media("light")
	const shade = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0,3).every((n)=>n>127)?'light':'dark'"
	await(staff, "it follows the system", shade, "light")
	staff.click("[data-testid=account-menu]")
	staff.click("[popover] .segment:has([value=dark])")
	await(staff, "it is dark", shade, "dark")
	staff.reload()
	await(staff, "it stays dark", shade, "dark")
}

func TestConnectionIsShown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	staff := s.inboxWindow(p)
	staff.text(connection, "Connected")
	s.kill()
	staff.text(connection, "Reconnecting")
	s.start()
	staff.text(connection, "Connected")
	staff.run("Object.defineProperty(navigator,'onLine',{value:false})")
	s.kill()
	staff.text(connection, "Offline")
	s.start()
	s.submit(p, "Sent meanwhile", nil)
	staff.text(connection, "Connected")
	staff.rows("Sent meanwhile")
}

func TestRowsDoNotJump(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	for i := range 60 {
		s.submit(p, fmt.Sprintf("Old %d", i), nil)
	}
	staff := s.inboxWindow(p)
	staff.see(row)
	staff.run("e2e.find('.list-scroll')[0].scrollTop=600")
	await(staff, "rows are drawn past the end of what is seen, so the scrolling was noticed",
		"(()=>{const list=e2e.box('.list-scroll');return e2e.find('[data-testid=row]').some((el)=>el.getBoundingClientRect().y>list.y+list.height)})()", true)
	const seen = `(()=>{const list=e2e.box('.list-scroll');return e2e.find('[data-testid=row]').map((el)=>[el.innerText.split("\n")[0],el.getBoundingClientRect()])
		.filter(([,{y}])=>y>=list.y&&y<list.y+list.height).map(([text,{y}])=>text+" "+y).join()})()`
	before := ""
	eventually(t, "the rows stand still", func() (bool, string) {
		last := before
		before = read[string](staff, seen)
		return before == last && before != "", before
	})
	s.submit(p, "New one", nil)
	staff.text("[data-testid=waiting]", "1 new")
	s.submit(p, "New two", nil)
	staff.text("[data-testid=waiting]", "2 new")
	if got := read[string](staff, seen); got != before {
		t.Errorf("rows jumped:\n got %s\nwant %s", got, before)
	}
	staff.click("[data-testid=waiting]")
	await(staff, "the new ones are on top", "e2e.find('[data-testid=row] .row-message').slice(0,3).map((el)=>el.innerText).join()", "New two,New one,Old 59")
	staff.miss("[data-testid=waiting]")
}

func TestErase(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.project(nil)
	s.submit(p, "Keep", nil)
	s.submit(p, "Erase", nil)
	one, other := s.inboxWindow(p), s.inboxWindow(p)
	one.rows("Erase | Keep")
	other.rows("Erase | Keep")
	one.click(row)
	one.click("[data-testid=erase]")
	one.click("[data-testid=erase-confirm]")
	one.rows("Keep")
	other.rows("Keep")
	if got := s.messages(p); got != "Keep" {
		t.Errorf("the server has %q, want %q", got, "Keep")
	}
}
