package metrics

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// What one submission by POST counts, with the commit that it shares with nobody.
func BenchmarkSubmission(b *testing.B) {
	m := New("test", "")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.HTTP.InFlight.Inc()
			m.Submitted("accepted")
			m.Writer.Batch.Observe(1)
			m.Writer.Seconds.Observe(.001)
			m.Hub.Published.Add(1)
			m.Hub.Delivered.Add(1)
			m.HTTP.InFlight.Dec()
			m.HTTP.Answered("POST", "/w/:key/feedback", 201, .002)
		}
	})
}

func TestNames(t *testing.T) {
	m := New("test", "")
	m.Gauge("sockets_open", "Sockets.", func() float64 { return 3 }, Label{"kind", "visitor"})
	names := m.Names()
	for name, want := range map[string][]string{
		"earshot_http_requests_total": {"method", "route", "status"},
		"earshot_sockets_open":        {"kind"},
		"earshot_commit_writes":       {},
	} {
		if got, known := names[name]; !known || !slices.Equal(got, want) {
			t.Errorf("%s has the labels %v, known %t, want %v", name, got, known, want)
		}
	}
	var text bytes.Buffer
	if err := m.Write(&text); err != nil || !strings.Contains(text.String(), "\nearshot_sockets_open{kind=\"visitor\"} 3\n") {
		t.Errorf("%v\n%.500s", err, text.String())
	}
}
