package e2e

import "testing"

// Staff see on which page a visitor is, from the moment that the panel is open.
func TestStaffSeeWhereVisitorsAre(t *testing.T) {
	t.Parallel()
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	staff := s.inboxWindow(p)
	visitor := newWindow(t)
	visitor.open(host.page("/tea", sitePage{body: "<main><h1>Shop</h1></main>" + p.Snippet}) + "?email=private")
	visitor.see(launcher)
	visitor.click(launcher)
	visitor.see(panel)
	staff.see("[data-testid=pages]")
	staff.click("[data-testid=pages]")
	await(staff, "the page is named, without its query", "/\\/tea\\s*1$/.test(document.querySelector('.where').innerText)", true)
	visitor.close()
	staff.miss("[data-testid=pages]")
}
