package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axeSource reads the accessibility checker, a development package of the dashboard.
func axeSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../admin/node_modules/axe-core/axe.min.js")
	if err != nil {
		unavailable(t, "axe-core is not installed (npm ci in admin)")
	}
	return string(source)
}

// look is one way in which a page is shown.
type look struct {
	width, height int64
	scheme, dir   string
	// plain looks are checked in every run; the others are for pictures only.
	plain bool
}

func (l look) name() string {
	sizes := map[int64]string{1440: "1440", 1024: "1024", 768: "768", 360: "360"}
	return sizes[l.width] + "-" + l.scheme + map[string]string{"rtl": "-rtl"}[l.dir]
}

func looks() (list []look) {
	for _, size := range [][2]int64{{1440, 900}, {1024, 768}, {768, 1024}, {360, 740}} {
		for _, scheme := range []string{"light", "dark"} {
			list = append(list, look{size[0], size[1], scheme, "ltr", size[0] != 1024})
		}
		list = append(list, look{size[0], size[1], "light", "rtl", size[0] == 1440 || size[0] == 360})
	}
	return list
}

// examine holds a page against the accessibility rules in every look, and writes its pictures where they are wanted.
func (w *window) examine(axe, name string) {
	w.t.Helper()
	if !read[bool](w, "!!window.axe") {
		w.run(axe)
	}
	for _, l := range looks() {
		pictures := os.Getenv("EARSHOT_SCREENSHOTS")
		if !l.plain && pictures == "" {
			continue
		}
		w.size(l.width, l.height)
		w.media(l.scheme)
		w.run("document.documentElement.dir=" + quote(l.dir) + ";" + standStill)
		if pictures != "" {
			w.picture(name + "-" + l.name())
		}
		if got := read[string](w, axeRun); got != "" {
			w.t.Errorf("%s, %s: got violations, want none:\n%s", name, l.name(), got)
		}
	}
	w.size(1280, 800)
	w.run("document.documentElement.dir='ltr'")
}

// standStill waits until nothing moves or fades but what does so for ever.
const standStill = `const frame=()=>new Promise(requestAnimationFrame);await frame();await frame();
	const roots=[document,...e2e.all("earshot-widget").map((el)=>el.shadowRoot)];
	await Promise.all(roots.flatMap((root)=>root.getAnimations()).filter((a)=>a.effect.getComputedTiming().endTime<Infinity)
		.map((a)=>a.finished.catch(()=>{})));await frame()`

const axeRun = `axe.run(document,{preload:false,resultTypes:["violations"]}).then(({violations})=>violations.map(
	({id,nodes})=>id+": "+nodes.map(({target,failureSummary})=>target+" "+failureSummary.replace(/\s+/g," ")).join("; ")).join("\n"))`

// picture writes what the window shows into the folder EARSHOT_SCREENSHOTS; without it, nothing.
func (w *window) picture(name string) {
	w.t.Helper()
	folder := os.Getenv("EARSHOT_SCREENSHOTS")
	if folder == "" {
		return
	}
	png := do(w, "take a picture", chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		w.t.Error(err)
	}
}

func TestWidgetIsAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s, host := newServer(t), newSite(t)
	p := s.project(settings{"show_drafts": true}, host.url)
	for _, lang := range []string{"en", "ar"} {
		visitor := newWindow(t)
		visitor.open(host.page("/"+lang, sitePage{body: "<main><h1>Shop</h1><p>Tea and pots.</p></main>" +
			strings.Replace(p.Snippet, "async", "async data-lang="+lang, 1)}))
		visitor.see(launcher)
		visitor.examine(axe, "widget-"+lang+"-closed")
		visitor.click(launcher)
		visitor.see(panel)
		visitor.examine(axe, "widget-"+lang+"-open")
		visitor.click(submit)
		visitor.see(alert)
		visitor.examine(axe, "widget-"+lang+"-error")
		visitor.send("Sent", map[string]string{"en": sent, "ar": "شكرًا لك!"}[lang])
		visitor.examine(axe, "widget-"+lang+"-sent")
	}
}

func TestDashboardIsAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newDemo(t)
	p := s.demoProject()
	staff := s.dashboard(s.base + "/login")
	staff.open(s.base)
	staff.see("[data-testid=project]")
	staff.examine(axe, "projects")
	staff.click("[data-testid=new-project]")
	staff.see("[data-testid=create-project]")
	staff.examine(axe, "dialog-create")

	for path, wait := range map[string]string{"install": "[data-testid=first-feedback] a", "settings": "[data-testid=settings]"} {
		staff.open(s.base + "/projects/" + p.ID + "/" + path)
		staff.see(wait)
		staff.examine(axe, path)
	}
	staff.open(s.inbox(p))
	staff.see(row)
	staff.see("[data-testid=dock]")
	staff.examine(axe, "inbox")
	staff.press("?")
	staff.see("[data-testid=help]")
	staff.examine(axe, "dialog-help")
	staff.press(kb.Escape)
	staff.miss("[data-testid=help]")
	staff.click(row)
	staff.see(detail)
	staff.examine(axe, "inbox-item")
	staff.click("[data-testid=erase]")
	staff.see("[data-testid=erase-dialog]")
	staff.examine(axe, "dialog-erase")
	staff.open(s.inbox(p) + "?q=nowhere")
	staff.see("[data-testid=list-no-match]")
	staff.examine(axe, "inbox-no-match")
	staff.open(s.inbox(p) + "?quarantined=true")
	staff.see("[data-testid=list-quarantine-none]")
	staff.examine(axe, "quarantine")
	staff.click("[data-testid=account-menu]")
	staff.see("[data-testid=sign-out]")
	staff.examine(axe, "account")
}

func TestEmptyDashboardIsAccessible(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	fresh := freshServer(t)
	stranger := newWindow(t)
	stranger.open(fresh.setupLink())
	stranger.see("[data-testid=setup] input")
	stranger.examine(axe, "setup")

	s := newServer(t)
	stranger.open(s.base + "/login")
	stranger.see("[data-testid=login]")
	stranger.examine(axe, "login")
	stranger.signIn(ownerEmail, "not the password")
	stranger.see("[data-testid=login-error]")
	stranger.examine(axe, "login-error")
	stranger.signIn(ownerEmail, ownerPassword)
	stranger.see("[data-testid=projects-none]")
	stranger.examine(axe, "projects-none")
	p := s.project(nil)
	stranger.open(s.inbox(p))
	stranger.see("[data-testid=list-none]")
	stranger.examine(axe, "inbox-none")
	stranger.open(s.base + "/projects/" + p.ID + "/install")
	stranger.see("[data-testid=first-feedback]")
	stranger.examine(axe, "install-waiting")
	s.submit(p, "The total is wrong", nil)
	stranger.open(s.inbox(p) + "?status=resolved")
	stranger.see("[data-testid=list-no-match]")
	stranger.open(s.inbox(p) + "?status=open")
	stranger.see("[data-testid=list-done]")
	stranger.examine(axe, "inbox-done")
	stranger.open(s.inbox(p))
	stranger.click(row)
	stranger.see(detail)
	stranger.run(raceToClosed)
	stranger.click("[data-testid=resolve]")
	stranger.see("[data-testid=conflict]")
	stranger.examine(axe, "dialog-conflict")
}
