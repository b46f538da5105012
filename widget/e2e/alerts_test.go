package e2e

import (
	"strings"
	"testing"
)

// What the browser would let out of the window: counted tones, and notifications
// as the system gets them. It is allowed to show them, and whether somebody looks
// at the window is up to the test.
const outside = `window.tones=0;window.shown=[];window.looking=true;
const start=OscillatorNode.prototype.start;OscillatorNode.prototype.start=function(...at){window.tones++;return start.apply(this,at)};
window.Notification=class{static permission="granted";static requestPermission=async()=>"granted";constructor(title,{body}){window.shown.push(title+": "+body)}close(){}};
document.hasFocus=()=>window.looking;
window.look=(on)=>{window.looking=on;dispatchEvent(new Event(on?"focus":"blur"))}`

const alertPreferences = "[data-testid=alert-preferences]"

// A member who does something else is told of what comes in: by the title and the
// icon, by a sound and by a notification, and once, whatever the number of windows.
func TestMemberIsAlerted(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	s := newServer(t)
	p := s.project(nil)
	staff := newWindow(t)
	staff.everyPage(outside)
	staff.open(s.base + "/preferences")
	staff.signIn(s.owner, s.password)
	staff.see(alertPreferences)
	staff.examine(axe, "alerts")
	for _, kind := range []string{"alert-sound", "alert-notifications"} {
		staff.click(alertPreferences + " label:has(input[name=" + kind + "][value=all])")
	}
	staff.click("[data-testid=alert-play]")
	await(staff, "the sound is played", "tones", 2)

	staff.open(s.inbox(p))
	staff.connected("connected")
	other := staff.tab()
	other.everyPage(outside)
	other.open(s.inbox(p))
	other.connected("connected")
	for _, w := range []*window{staff, other} {
		await(w, "the alerts are there", "performance.getEntriesByType('resource').some(({name})=>name.includes('/alerts-'))", true)
		w.click("h1")
	}

	first := s.submit(p, "The total is wrong", nil)
	for _, w := range []*window{staff, other} {
		await(w, "the title counts", "document.title.replace(/[\u2068\u2069]/g, '')", "(1) All feedback · Test shop · Earshot")
		await(w, "so does the icon", "document.querySelector('link[rel=icon]').href.slice(0,5)", "blob:")
	}
	if tones := read[int](staff, "tones") + read[int](other, "tones"); tones != 2 {
		t.Errorf("%d tones in two windows, want the 2 of one sound", tones)
	}
	if shown := read[int](staff, "shown.length") + read[int](other, "shown.length"); shown != 0 {
		t.Errorf("%d notifications to somebody who looks, want none", shown)
	}

	staff.run("look(false)")
	other.run("look(false)")
	s.submit(p, "The cart is empty", nil)
	eventually(t, "one notification in two windows", func() (bool, string) {
		shown := read[string](staff, "shown.join()") + read[string](other, "shown.join()")
		return shown == "New feedback · \u2068Test shop\u2069: The cart is empty", shown
	})
	await(staff, "the title counts", "document.title.replace(/[\u2068\u2069]/g, '')", "(2) All feedback · Test shop · Earshot")

	staff.run("look(true)")
	staff.open(s.inbox(p) + "/" + first)
	await(staff, "what is read is not counted", "document.title.slice(0,4)", "(1) ")
	if title := read[string](staff, "document.title.replace(/[\u2068\u2069]/g, '')"); strings.Count(title, "(") != 1 {
		t.Errorf("title = %q, want one count", title)
	}
}
