package realtime

import (
	"strings"
	"testing"
)

// pendingCase is a case that the server does not pass yet, or all whose names
// begin alike, with what it does instead.
type pendingCase struct{ name, does string }

// pendingConformance is to become empty: a case is enabled by the removal of its
// line.
func pendingConformance() []pendingCase {
	return []pendingCase{
		{"handshake/two keys", "takes the first"},
		{"handshake/two version lines", "takes the first"},
		{"handshake/our sub-protocol in the second line", "reads the first line alone, and answers 400"},
		{"handshake/Connection in two lines", "reads the first line alone, and answers 426"},
		{"handshake/HEAD", "answers 426 without naming what to upgrade to"},
	}
}

func skipPending(t *testing.T, name string) {
	t.Helper()
	for _, pending := range pendingConformance() {
		if strings.HasPrefix(name, pending.name) {
			t.Skip("the server does not pass this yet: it " + pending.does)
		}
	}
}

// A line that names nothing would hide that its case is gone or has another name.
func TestPendingConformanceNamesCases(t *testing.T) {
	t.Parallel()
	var names []string
	for _, section := range conformanceSections() {
		for _, tc := range section.cases {
			names = append(names, section.name+"/"+tc.name)
		}
	}
	for _, tc := range handshakeCases() {
		names = append(names, "handshake/"+tc.name)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			t.Errorf("two cases are called %q", name)
		}
		seen[name] = true
	}
	for _, pending := range pendingConformance() {
		found := false
		for _, name := range names {
			found = found || strings.HasPrefix(name, pending.name)
		}
		if !found {
			t.Errorf("%q names no case", pending.name)
		}
	}
}
