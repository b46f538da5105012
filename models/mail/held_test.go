package mail

import (
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store"
)

// A digest tells how much was held back, and why; what is released is in the next.
func TestDigestTellsWhatWasHeldBack(t *testing.T) {
	f := newFixture(t)
	f.want(f.owner.ID, models.NotifyHourly, "UTC")
	f.start()
	f.submit("one")
	f.submit("two")
	links := func(in *store.NewFeedback) { in.Quarantine = []string{"Too many links."} }
	held := f.submit("spam", links)
	f.submit("spam again", links)
	f.submit("other spam", quarantined)
	f.add(models.NotifyHourly.Longest())
	first := f.office.Await(1)[0]
	if first.Subject() != "Web: 2 new" || !strings.Contains(first.Text, "3 submissions were held back") || !strings.Contains(first.Text, "2: Too many links.") {
		t.Errorf("the first digest is %q:\n%s", first.Subject(), first.Text)
	}
	if strings.Contains(first.Text, "spam again") {
		t.Errorf("it shows what was held back:\n%s", first.Text)
	}
	no := false
	if _, err := f.store.Triage(t.Context(), models.ScopeOf(held.OrganizationID), held.ID, models.Triage{Quarantined: &no, Rev: 1}, models.Actor{}); err != nil {
		t.Fatal(err)
	}
	f.add(models.NotifyHourly.Longest())
	second := f.office.Await(2)[1]
	if second.Subject() != "Web: spam" || strings.Contains(second.Text, "held back") {
		t.Errorf("the second digest is %q:\n%s", second.Subject(), second.Text)
	}
}
