package trace

import (
	"encoding/hex"
	"testing"
)

// Cases of https://www.w3.org/TR/trace-context/#traceparent-header-field-values.
func TestReadParent(t *testing.T) {
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for _, tc := range []struct {
		name, header   string
		valid, sampled bool
	}{
		{"sampled", "00-" + trace + "-" + span + "-01", true, true},
		{"not sampled", "00-" + trace + "-" + span + "-00", true, false},
		{"with further flags", "00-" + trace + "-" + span + "-ff", true, true},
		{"a later version", "01-" + trace + "-" + span + "-01-more", true, true},
		{"a later version that runs on", "01-" + trace + "-" + span + "-01more", false, false},
		{"this version with more", "00-" + trace + "-" + span + "-01-more", false, false},
		{"the version that never is", "ff-" + trace + "-" + span + "-01", false, false},
		{"upper case", "00-0AF7651916CD43DD8448EB211C80319C-" + span + "-01", false, false},
		{"no hexadecimal", "00-0af7651916cd43dd8448eb211c80319g-" + span + "-01", false, false},
		{"a version of letters", "0x-" + trace + "-" + span + "-01", false, false},
		{"no trace", "00-00000000000000000000000000000000-" + span + "-01", false, false},
		{"no span", "00-" + trace + "-0000000000000000-01", false, false},
		{"other dashes", "00_" + trace + "-" + span + "-01", false, false},
		{"short", "00-" + trace + "-" + span + "-1", false, false},
		{"nothing", "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := ReadParent(tc.header)
			if !tc.valid {
				if p != (Parent{}) {
					t.Errorf("read %+v, want nothing", p)
				}
				return
			}
			if hex.EncodeToString(p.Context.TraceID[:]) != trace || hex.EncodeToString(p.Context.SpanID[:]) != span || p.Unsampled == tc.sampled {
				t.Errorf("read %+v, want the ids and sampled %t", p, tc.sampled)
			}
		})
	}
}
