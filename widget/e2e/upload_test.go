package e2e

import (
	"testing"
	"time"
)

// uploading opens a shop on a slow line, where a message is sent while the second of its two files is under way.
func uploading(t *testing.T) (*server, *stripper, project, *window, string) {
	t.Helper()
	s, proxy := newStripped(t)
	proxy.strict.Store(false)
	proxy.slow.Store(true)
	host := newSite(t)
	p := s.project(nil, host.url)
	visitor := newWindow(t)
	shop := host.shop(p)
	visitor.open(shop)
	visitor.speak("See both files")
	visitor.attach(`[new File(["one"],"one.txt",{type:"text/plain"}),new File(["two"],"two.txt",{type:"text/plain"})]`)
	proxy.uploads <- struct{}{}
	await(visitor, "one file has arrived", `e2e.all("earshot-widget >>> .files small").map(el=>/\d/.test(el.textContent)).join()`, "true,false")
	visitor.click(submit)
	visitor.text(submit, "Sending…")
	return s, proxy, p, visitor, shop
}

func TestMessageWaitsForItsFiles(t *testing.T) {
	t.Parallel()
	s, proxy, p, visitor, _ := uploading(t)
	proxy.uploads <- struct{}{}
	visitor.text(outcome, sent)
	items := s.feedback(p)
	if len(items) != 1 {
		t.Fatalf("the server has %d messages, want one", len(items))
	}
	if files := s.attachedTo(items[0].ID).Attachments; len(files) != 2 {
		t.Errorf("staff see %+v, want both files", files)
	}
	await(visitor, "the outbox is empty", "JSON.parse(localStorage.getItem('earshot:"+p.Key+"')).entries.length", 0)
}

func TestMessageOutlivesThePageThatUploadsItsFiles(t *testing.T) {
	t.Parallel()
	s, proxy, p, visitor, shop := uploading(t)
	stored := "JSON.parse(localStorage.getItem('earshot:" + p.Key + "')||'{}').entries"
	await(visitor, "one entry waits in the outbox", stored+"?.length", 1)
	await(visitor, "for the file that is under way", stored+"[0].missing.join()", "two.txt")
	id := read[string](visitor, stored+"[0].id")

	// Another tab leaves it to the page that uploads.
	other := visitor.tab()
	other.open(shop)
	other.see(launcher)
	other.click("h1")
	pause(2 * time.Second)
	if got := s.messages(p); got != "" {
		t.Errorf("while a file is uploaded the server has %q, want nothing", got)
	}
	other.close()

	visitor.open("about:blank")
	visitor.open(shop)
	visitor.see(launcher)
	visitor.click("h1")
	eventually(t, "the server has the message", func() (bool, string) {
		got := s.messages(p)
		return got == "See both files", got
	})
	proxy.slow.Store(false)
	visitor.click(launcher)
	visitor.text("earshot-widget >>> #hints", "An earlier message goes out without files that had not been uploaded: two.txt")
	visitor.reload()
	visitor.click(launcher)
	visitor.see(attaching)
	visitor.text("earshot-widget >>> #hints", "")

	items := s.feedback(p)
	if len(items) != 1 || items[0].ID != id {
		t.Fatalf("the server has %+v, want one message %s", items, id)
	}
	if files := s.attachedTo(id).Attachments; len(files) != 1 || files[0].Name != "one.txt" {
		t.Errorf("staff see %+v, want the file that had arrived", files)
	}
	if got := s.item(id).Context["lost_files"]; got != 1.0 {
		t.Errorf("staff read of %v lost files, want 1", got)
	}
}
