package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// The figures are those of what was sent, and follow what comes.
func TestInsightsShowWhatCame(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	w := s.dashboard(s.base + "/projects/" + p.ID + "/insights")
	w.see("[data-testid=insights-none]")
	w.examine(axe, "insights-none")
	id := s.submit(p, "one", map[string]any{"kind": "bug", "rating": 4})
	s.submit(p, "two", map[string]any{"kind": "idea", "rating": 1})
	s.submit(p, "three", nil)
	s.call("PATCH", "/api/v1/feedback/"+id, map[string]any{"status": "resolved", "tags": []string{"cart"}, "rev": 1}, nil)
	w.text("[data-testid=received]", "3")
	w.text(".shares caption + tbody th", "New | Open | In progress | Resolved | Closed | 5 ★ | 4 ★ | 3 ★ | 2 ★ | 1 ★ | /cart | cart")
	w.run("document.querySelector('.chart-box').focus()")
	w.press(kb.End)
	await(w, "the last bar is told by key", "/ 3 ?Bug 1 ?Idea 1 ?No kind 1/.test(document.querySelector('.chart-told').innerText.replace(/\\s+/g,' '))", true)
	w.click(".chart-table summary")
	await(w, "the table says the same", "e2e.find('.chart-table tbody tr').at(-1).innerText.replace(/\\s+/g,' ').endsWith(' 3 1 1 0 0 0 1')", true)
	w.click(".chart-table summary")
	w.open(s.base + "/projects/" + p.ID + "/insights")
	w.see("[data-testid=received]")
	w.examine(axe, "insights")
	w.click("a[href*='tag=cart']")
	w.rows("one")
}

func TestInsightsOfTheDemo(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newDemo(t)
	p := s.demoProject()
	s.triage(p)
	w := s.dashboard(s.base + "/projects/" + p.ID + "/insights")
	w.see("[data-testid=received]")
	w.examine(axe, "insights-demo")
}
