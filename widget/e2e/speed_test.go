package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// load is what one opening of a page costs.
type load struct {
	task, blocking, script, shift float64 // ms, ms, ms, CLS
	requests                      int
	ours                          float64 // ms, the longest task that our script is named for
}

// The observers are there before anything else. Total blocking time is what tasks take above 50 ms each; a frame that
// takes as long names the scripts that ran in it.
const observers = `window.cost={blocking:0,shift:0,ours:0};
new PerformanceObserver((list)=>{for(const {duration} of list.getEntries())cost.blocking+=Math.max(0,duration-50)}).observe({type:"longtask",buffered:true});
new PerformanceObserver((list)=>{for(const {value,hadRecentInput} of list.getEntries())if(!hadRecentInput)cost.shift+=value}).observe({type:"layout-shift",buffered:true});
new PerformanceObserver((list)=>{for(const {scripts} of list.getEntries())for(const {sourceURL,duration} of scripts)
	if(sourceURL.includes("/w/pk_"))cost.ours=Math.max(cost.ours,duration)}).observe({type:"long-animation-frame",buffered:true});`

// slowdown is how much slower than this machine the telephone is.
const slowdown = 4.0

// telephone is how the browser slows a page down by the factor of slowdown.
type telephone struct {
	// rate is asked of the browser. It interrupts the page's thread, which on some machines costs as much again: asked for
	// 4, a page took 5.5 times as long where there are two virtual cores.
	rate float64
	// most is how long the page without the widget may take, in ms. When it takes longer, it is the machine that is slower.
	most float64
}

func newTelephone(t *testing.T, bare string) telephone {
	t.Helper()
	var plain, slowed []float64
	for range runs {
		plain = append(plain, measure(t, bare, 1, false).task)
		slowed = append(slowed, measure(t, bare, slowdown, false).task)
	}
	slices.Sort(plain)
	slices.Sort(slowed)
	got := slowed[runs/4] / plain[runs/4]
	phone := telephone{rate: min(slowdown, max(1, slowdown*slowdown/got)), most: 1.1 * slowdown * plain[runs/4]}
	t.Logf("a page of %.0f ms that is slowed down %.0f times takes %.1f times as long: slowed down %.1f times", plain[runs/4], slowdown, got, phone.rate)
	return phone
}

// steady waits until the machine is as fast as it can be, for a while.
func (p telephone) steady(t *testing.T, bare string) load {
	t.Helper()
	l := measure(t, bare, p.rate, false)
	for tries := 1; l.task > p.most && tries < runs; tries++ {
		l = measure(t, bare, p.rate, false)
	}
	return l
}

// measure opens a page in a browser that has never seen it, on a telephone.
func measure(t *testing.T, url string, rate float64, widget bool) (l load) {
	t.Helper()
	w := newWindow(t)
	defer w.close() // a slowed-down page costs the machine something even while it does nothing
	w.phone()
	w.everyPage(observers)
	command(w, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: rate})
	command(w, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	w.open(url)
	// What comes after the load counts, too. Until it is over nothing is asked of the page: to look for the launcher is work.
	pause(700 * time.Millisecond)
	// In the time of its own thread, so that other work on the machine does not count as the script's.
	for _, metric := range command(w, performance.GetMetrics, cdp.Empty{}).Metrics {
		switch metric.Name {
		case "ScriptDuration":
			l.script = metric.Value * 1000
		case "TaskDuration":
			l.task = metric.Value * 1000
		}
	}
	if widget {
		w.see(launcher)
	}
	l.requests = len(w.requested())
	cost := read[struct{ Blocking, Shift, Ours float64 }](w, "cost")
	l.blocking, l.shift, l.ours = cost.Blocking, cost.Shift, cost.Ours
	return l
}

// runs is how many times a page is opened for one figure; rounds, how many figures a budget may be met by: other work on
// the machine makes a round worse and never better, and a real regression is in all of them.
const runs, rounds = 7, 8

// measurable skips a measurement that was not asked for: beside other tests its figures would be about the machine.
func measurable(t *testing.T) {
	t.Helper()
	if os.Getenv("EARSHOT_TEST_SPEED") != "required" {
		t.Skip("measured by itself: EARSHOT_TEST_SPEED=required go test ./widget/e2e -run 'Weighs|Opens'")
	}
}

// figures are the lower quartiles of seven pairs, as other work on the machine only adds: the page with the widget against
// the same page without it.
type figures struct {
	blocking, script, ours, shift float64
	requests                      []int
}

func (f figures) String() string {
	return fmt.Sprintf("total blocking time %+.1f ms, script %+.1f ms, longest task of ours %.1f ms (lower quartiles), "+
		"CLS %+.4f (worst), requests %+d", f.blocking, f.script, f.ours, f.shift, f.requests)
}

func (f figures) inBudget() bool {
	return f.blocking <= 0 && f.script <= 30 && f.ours <= 50 && f.shift <= 0 && slices.Equal(slices.Compact(f.requests), []int{1})
}

// A shop as shops are: with a style sheet and a script. A page with neither would make the widget pay for what a browser
// does once when the first rule is parsed, the first element made by a script and the first picture drawn.
const shopHead = `<style>
:root{--tea:#465}*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui;color:#222}main{max-width:60em;margin:auto;padding:1em}
header{position:sticky;top:0;display:flex;gap:1em;background:var(--tea);color:#fff;box-shadow:0 1px 3px rgb(0 0 0/.3)}
header button{border:0;border-radius:8px;padding:.5em 1em;transition:opacity .2s}header button:hover{opacity:.8}
.tea{display:grid;grid-template-columns:auto 1fr;gap:.5em}@media (width<480px){.tea{grid-template-columns:1fr}}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee}}</style>`

var shopBody = `<header><h1>Shop</h1></header><main>` + strings.Repeat("<p class=tea>Tea and pots, pots and tea.</p>", 200) + `</main><script>
(()=>{const button=document.createElement("button"),icon=document.createElementNS("http://www.w3.org/2000/svg","svg");
const path=document.createElementNS("http://www.w3.org/2000/svg","path");icon.setAttribute("viewBox","0 0 20 20");
path.setAttribute("d","M2 3h2l2 9h9l2-6H5");icon.append(path);button.append(icon,"Cart");button.setAttribute("aria-label","Cart");
button.addEventListener("click",()=>{});document.querySelector("header").append(button);
const cart=JSON.parse(localStorage.getItem("cart")||"[]");addEventListener("scroll",()=>{},{passive:true});
button.style.setProperty("--count",cart.length);new MutationObserver(()=>{}).observe(document.body,{childList:true})})()</script>`

// These run one at a time and before the parallel ones, which would be measured with them.
func TestWidgetWeighsNothing(t *testing.T) {
	measurable(t)
	s, host := newServer(t), newSite(t)
	p := s.project(nil, host.url)
	without := host.page("/without", sitePage{head: shopHead, body: shopBody})
	with := host.page("/with", sitePage{head: shopHead, body: shopBody + p.Snippet})
	phone := newTelephone(t, without)
	for range rounds {
		got := compare(t, without, with, phone)
		t.Logf("with the widget, CPU x4: %v", got)
		if got.inBudget() {
			return
		}
	}
	t.Errorf("in none of %d rounds: want total blocking time and CLS 0, script at most 30 ms, no task above 50 ms, one request", rounds)
}

func compare(t *testing.T, without, with string, phone telephone) (f figures) {
	t.Helper()
	var blocking, script, ours, shift []float64
	for range runs {
		bare, full := phone.steady(t, without), measure(t, with, phone.rate, true)
		blocking = append(blocking, full.blocking-bare.blocking)
		script = append(script, full.script-bare.script)
		ours, shift = append(ours, full.ours), append(shift, full.shift-bare.shift)
		f.requests = append(f.requests, full.requests-bare.requests)
	}
	for _, list := range [][]float64{blocking, script, ours, shift} {
		slices.Sort(list)
	}
	f.blocking, f.script, f.ours, f.shift = blocking[runs/4], script[runs/4], ours[runs/4], shift[runs-1]
	return f
}

func TestPanelOpensAtOnce(t *testing.T) {
	measurable(t)
	const most = 200.0
	s, host := newServer(t), newSite(t)
	shop := host.shop(s.project(nil, host.url))
	bare := host.page("/without", sitePage{head: shopHead, body: shopBody})
	phone := newTelephone(t, bare)
	for range rounds {
		times := make([]float64, runs)
		for i := range times {
			phone.steady(t, bare)
			times[i] = opening(t, shop, phone.rate)
		}
		slices.Sort(times)
		t.Logf("from the click to the panel on screen, CPU x4: %.0f ms (median); all: %.0f", times[runs/2], times)
		if times[runs/2] <= most {
			return
		}
	}
	t.Errorf("the panel took more than %.0f ms (median) in each of %d rounds", most, rounds)
}

// opening is how long the panel takes from the visitor's click to the first frame that shows it, in ms.
func opening(t *testing.T, url string, rate float64) float64 {
	t.Helper()
	w := newWindow(t)
	defer w.close() // a slowed-down page costs the machine something even while it does nothing
	w.phone()
	command(w, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: rate})
	w.open(url)
	w.see(launcher)
	// What the browser still does for a page that has just loaded is not the panel's.
	w.run(`await new Promise(done=>setTimeout(()=>requestIdleCallback(done),1000))`)
	w.run(`addEventListener("click",({timeStamp})=>{const look=()=>{const panel=e2e.all("earshot-widget >>> .panel")[0];
		if(panel&&!panel.hidden)setTimeout(()=>window.took=performance.now()-timeStamp);else requestAnimationFrame(look)};look()},{capture:true,once:true})`)
	w.click(launcher)
	await(w, "the panel is there", "'took' in window", true)
	return read[float64](w, "took")
}

// The first route is what somebody waits for who opens a link to an item.
func TestDashboardIsLight(t *testing.T) {
	s := newServer(t)
	p := s.project(nil)
	s.submit(p, "The total is wrong", nil)
	staff := s.dashboard(s.base)
	staff.open("about:blank") // what the page before still loads is not the inbox's
	kinds := map[network.RequestID]string{}
	sums := map[string]float64{}
	if err := chromedp.Listen(staff.ctx, func(event any) {
		staff.mu.Lock()
		defer staff.mu.Unlock()
		switch event := event.(type) {
		case *network.EventResponseReceived:
			for _, kind := range []string{".js", ".css"} {
				if strings.HasSuffix(event.Response.URL, kind) {
					kinds[event.RequestID] = kind
				}
			}
		case *network.EventLoadingFinished:
			sums[kinds[event.RequestID]] += event.EncodedDataLength
		}
	}); err != nil {
		t.Fatal(err)
	}
	command(staff, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	staff.open(s.inbox(p))
	staff.rows("The total is wrong")
	staff.connected("connected")
	staff.mu.Lock()
	defer staff.mu.Unlock()
	t.Logf("the inbox transfers %.1f KB of scripts and %.1f KB of styles, headers included", sums[".js"]/1024, sums[".css"]/1024)
	for kind, most := range map[string]float64{".js": 60, ".css": 12} {
		if got := sums[kind] / 1024; got > most || got == 0 {
			t.Errorf("%s: got %.1f KB, want something and at most %.0f", kind, got, most)
		}
	}
}

func TestScriptIsSmall(t *testing.T) {
	s := newServer(t)
	p := s.project(nil)
	request, err := http.NewRequest(http.MethodGet, s.base+"/w/"+p.Key+".js", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "br")
	response, err := s.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	size := 0
	for buffer := make([]byte, 4096); ; {
		n, err := response.Body.Read(buffer)
		size += n
		if err != nil {
			break
		}
	}
	// The core's 8 KiB, a project's configuration and one language of at most 1 KiB.
	const most = 10 << 10
	t.Logf("the widget's script with configuration and texts: %d B, %s", size, response.Header.Get("Content-Encoding"))
	if size > most || response.Header.Get("Content-Encoding") != "br" {
		t.Errorf("got %d B as %q, want at most %d as br", size, response.Header.Get("Content-Encoding"), most)
	}
}
