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
	for _, width := range []int64{360, 768, 1440} {
		w.size(width, 900)
		if got := read[string](w, astray); got != "" {
			t.Errorf("labels away from what they name at %d px: %s", width, got)
		}
	}
	if got := read[string](w, "e2e.find('.shares th').filter((el)=>!(el.title+'/').includes(el.innerText.split(/\\s/)[0])).map((el)=>el.innerText).join()"); got != "" {
		t.Errorf("names without the whole in their title: %s", got)
	}
}

// astray names the chart's labels that are not where their bar or line is, or that lie over each other, and says where
// the last bar has no name: that is today's.
const astray = `(()=>{const box=(el)=>el.getBoundingClientRect(),bars=[...document.querySelectorAll(".chart .reach")],lines=[...document.querySelectorAll(".chart .grid")],
	below=e2e.find(".chart-x span"),beside=e2e.find(".chart-y span"),wrong=[];
	for(const el of below){const bar=box(bars[el.dataset.bar]),of=box(el);if(Math.abs(bar.x+bar.width/2-of.x-of.width/2)>1)wrong.push(el.innerText)}
	below.forEach((el,at)=>at>0&&box(below[at-1]).right>box(el).left&&wrong.push(el.innerText+" lies over another"));
	for(const el of beside){const y=box(el).y+box(el).height/2;if(!lines.some((line)=>Math.abs(box(line).y+box(line).height/2-y)<1.5))wrong.push(el.innerText)}
	if(below.at(-1)?.dataset.bar!==String(bars.length-1))wrong.push("the last bar has none");
	return wrong.join()})()`
