package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const job = "[data-testid=job]"

// A file with one bad line comes in, and all goes out again.
func TestImportAndExport(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	w := s.dashboard(s.base + "/projects/" + p.ID + "/jobs")
	w.see("[data-testid=jobs-none]")
	w.examine(axe, "jobs-none")
	file := filepath.Join(t.TempDir(), "old.csv")
	if err := os.WriteFile(file, []byte("said,stars,url\n\"=first\",5,https://shop.example/a\nsecond,9,\nthird,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.click("[data-testid=new-import]")
	do(w, "choose the file", chromedp.SetUploadFiles(chromedp.CSS("[data-testid=import-file]"), []string{file}))
	w.see("[data-column=said]")
	w.choose("[data-column=said]", "message")
	w.examine(axe, "dialog-import")
	w.click("[data-testid=check-import]")
	w.text(job+"[data-status=succeeded] .strong", "Check of an import")
	if got := s.messages(p); got != "" {
		t.Errorf("a check has imported %q", got)
	}
	w.click("[data-testid=new-import]")
	do(w, "choose the file", chromedp.SetUploadFiles(chromedp.CSS("[data-testid=import-file]"), []string{file}))
	w.choose("[data-column=said]", "message")
	w.click("[data-testid=start-import]")
	await(w, "both are done", "e2e.find('[data-testid=job][data-status=succeeded]').length", 2)
	w.click(job + " summary")
	if got := read[string](w, "document.querySelector('[data-testid=job] .job-lines').innerText"); !strings.Contains(got, "Line 3: rating must be from 1 to 5.") {
		t.Errorf("it says %q", got)
	}
	w.examine(axe, "jobs")
	report := read[string](w, "fetch(document.querySelector('[data-testid=download]').href).then((r)=>r.text())")
	if !strings.Contains(report, `"3","rating must be from 1 to 5"`) {
		t.Errorf("report = %q", report)
	}
	w.open(s.inbox(p))
	w.see(row)
	w.click("[aria-label='Export this view']")
	w.see("[data-testid=export-dialog]")
	w.examine(axe, "dialog-export")
	w.press(kb.Escape)
	w.miss("[data-testid=export-dialog]")
	w.click("[data-testid=new-export]")
	w.click("[data-testid=start-export]")
	await(w, "the export is done", "e2e.find('[data-testid=job][data-status=succeeded]').length", 3)
	out := read[string](w, "fetch(document.querySelector('[data-testid=download]').href).then((r)=>r.text())")
	if !strings.Contains(out, `"'=first"`) || !strings.Contains(out, `"third"`) || strings.Contains(out, "second") {
		t.Errorf("export = %q", out)
	}
}
