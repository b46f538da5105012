package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestPicturesOfTheReadme writes inbox.png and widget.png where EARSHOT_SCREENSHOTS says: the demo on a busy morning.
func TestPicturesOfTheReadme(t *testing.T) {
	if os.Getenv("EARSHOT_SCREENSHOTS") == "" {
		t.Skip("no pictures are wanted; EARSHOT_SCREENSHOTS names their folder")
	}
	s := newDemo(t)
	p := s.demoProject()
	shop := "https://kettle-and-leaf.example"
	id, receipt := "", ""
	for _, item := range []struct {
		text string
		more map[string]any
	}{
		{"Do you ship to Norway? The checkout only lists the EU.", map[string]any{"kind": "question", "name": "Ingrid", "page_url": shop + "/checkout"}},
		{"The oolong sampler is the best present I have given in years. Thank you!", map[string]any{"kind": "praise", "rating": 5, "name": "Tom", "page_url": shop + "/teas/oolong"}},
		{"The brewing timer forgets its setting when I switch tabs.", map[string]any{"kind": "bug", "rating": 3, "page_url": shop + "/timer"}},
		{"It would help to see how many grams are in each tin before I open the product page.", map[string]any{"kind": "idea", "rating": 4, "name": "Priya", "page_url": shop + "/teas"}},
		{"The voucher is accepted, but the total stays the same until I reload the page.\n\nI tried it twice: first with one pot in the cart, then with the sampler added. " +
			"The line “Discount” appears both times, the sum below it does not change.", map[string]any{"kind": "bug", "rating": 2, "name": "Mara Lindqvist", "email": "mara@example.com",
			"page_url": shop + "/checkout?step=2", "context": map[string]any{"viewport": "1280x720", "language": "sv", "time_zone": "Europe/Stockholm", "user": map[string]any{"plan": "member"}}}},
	} {
		id, receipt = s.visitorItem(p, item.text, item.more)
	}
	talk := func(body, visibility string) {
		s.call("POST", "/api/v1/feedback/"+id+"/messages", map[string]any{"body": body, "visibility": visibility}, nil)
	}
	talk("Thank you for trying it twice, that helps! Which voucher is it?", "public")
	s.visitorSays(receipt, "TEA10, from the newsletter.")
	talk("Looks like the cart’s cache again, as in March. Please promise no date yet.", "internal")
	staff := s.inboxWindow(p)
	staff.size(1440, 900)
	staff.media("light")
	visitor := newWindow(t)
	visitor.size(1440, 900)
	visitor.media("light")
	visitor.open(s.base + "/demo")
	visitor.speak("Could the gift wrapping come without plastic? Paper and ")
	visitor.click("earshot-widget >>> label:has([value=idea])")
	visitor.click(message)
	staff.see("[data-testid=draft]")
	staff.click(row)
	await(staff, "the item is read", "e2e.text('[data-testid=detail] .message').startsWith('The voucher')", true)
	staff.press("k") // the pointer leaves no mark in the picture, and the cursor stays on the open item
	for w, name := range map[*window]string{staff: "inbox", visitor: "widget"} {
		w.run("scrollTo(0,0);" + standStill)
		w.picture(name)
	}
	if got := s.messages(p); !strings.Contains(got, "voucher") {
		t.Errorf("the pictures lack what they are about: got %s", got)
	}
}
