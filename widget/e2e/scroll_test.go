package e2e

import (
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"

	"earshot/models"
	"earshot/models/store"
)

// fill puts many items into a project beside the running server.
func (s *server) fill(p project, n int) {
	s.t.Helper()
	beside, err := store.Open(s.t.Context(), store.Options{Path: filepath.Join(s.dir, "earshot.db"), Log: slog.New(slog.DiscardHandler), Beside: true})
	if err != nil {
		s.t.Fatal(err)
	}
	defer beside.Close()
	var me struct {
		Organization struct{ ID models.ID } `json:"organization"`
	}
	s.call("GET", "/api/v1/me", nil, &me)
	if err := beside.Fill(s.t.Context(), models.ScopeOf(me.Organization.ID), models.ID(p.ID), parcels(n)); err != nil {
		s.t.Fatal(err)
	}
}

func parcels(n int) iter.Seq[models.Feedback] {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return func(yield func(models.Feedback) bool) {
		for i := range n {
			at := start.Add(time.Duration(i) * time.Minute)
			item := models.Feedback{
				ID: models.NewID(), Message: fmt.Sprintf("Parcel number %d is late, and nobody can tell me where it is or when it comes.", i),
				PageURL: fmt.Sprintf("https://shop.example/orders/%d", i), Kind: models.Kinds()[i%5], Rating: i % 6, Status: models.StatusNew,
				Priority: models.PriorityNormal, CreatedAt: at, UpdatedAt: at, VisitorAt: at,
			}
			if !yield(item) {
				return
			}
		}
	}
}

// steps are the movements of one page.
const steps = 6

// scrollPages scrolls on over so many pages, each as soon as it is there.
func (w *window) scrollPages(pages int) {
	for range pages {
		w.run(fmt.Sprintf(`const box=document.querySelector(".list-scroll");const before=box.scrollHeight;
			for(let n=0;n<%d;n++){box.scrollTop+=500;await new Promise(requestAnimationFrame)}
			for(let n=0;n<200&&box.scrollHeight===before;n++)await new Promise(requestAnimationFrame)`, steps))
	}
}

// work is what the page has done so far, in ms of its own thread: other work on the machine does not count.
func (w *window) work() (ms float64) {
	for _, metric := range command(w, performance.GetMetrics, cdp.Empty{}).Metrics {
		if slices.Contains([]string{"ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}, metric.Name) {
			ms += metric.Value * 1000
		}
	}
	return ms
}

// The list is read as far as somebody likes: no movement costs what would be felt, and the memory of the page does not
// grow with it.
func TestListScrollsLightly(t *testing.T) {
	measurable(t)
	const items, turns, pagesATurn = 50_000, 5, 30
	s := newServer(t)
	p := s.project(nil)
	s.fill(p, items)
	staff := s.inboxWindow(p)
	staff.see(row)
	command(staff, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	command(staff, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4})
	var heaps, costs []float64
	for turn := range turns {
		before := staff.work()
		staff.scrollPages(pagesATurn)
		costs = append(costs, (staff.work()-before)/(pagesATurn*steps))
		command(staff, heapprofiler.CollectGarbage, cdp.Empty{})
		heaps = append(heaps, command(staff, runtime.GetHeapUsage, cdp.Empty{}).UsedSize/(1<<20))
		t.Logf("after %d rows: heap %.1f MB, a movement of eight rows costs %.0f ms at CPU x4",
			read[int](staff, "Math.round(document.querySelector('.rows').clientHeight/60)"), heaps[turn], costs[turn])
	}
	if rows := read[float64](staff, "document.querySelector('.rows').clientHeight"); rows < turns*pagesATurn*40*60 {
		t.Errorf("the list is %.0f pixels high, and was not read on", rows)
	}
	// The first turn fills what is kept.
	if grown := heaps[turns-1] - heaps[0]; grown > 2 {
		t.Errorf("the heap grew by %.1f MB over %d pages, want it flat: %.1f", grown, (turns-1)*pagesATurn, heaps)
	}
	if best := slices.Min(costs); best > 50 {
		t.Errorf("a movement costs %.0f ms at best, want at most 50", best)
	}
	staff.run(`document.querySelector(".list-scroll").scrollTop=0`)
	await(staff, "the newest is there again", "document.querySelector('.row-slot[aria-posinset=\"1\"] .row-message')?.innerText.startsWith('Parcel number 49999')", true)
}
