package realtime

import "earshot/models/metrics"

// The kinds of sockets, as the metrics name them.
const (
	kindVisitor   = "visitor"
	kindDashboard = "dashboard"
)

// measure adds what is only known at the moment when somebody asks.
func (s *Server) measure() {
	m := s.metrics
	kind := func(value string) metrics.Label { return metrics.Label{Name: "kind", Value: value} }
	m.Gauge("sockets_open", "Sockets that are open.", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.visitors))
	}, kind(kindVisitor))
	m.Gauge("sockets_open", "Sockets that are open.", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.dashboards))
	}, kind(kindDashboard))
	m.Gauge("socket_queue_bytes", "Bytes that wait to be written to sockets.", func() float64 {
		bytes, _ := s.transport.backlog()
		return float64(bytes)
	})
	m.Gauge("sockets_behind", "Sockets whose clients take less than there is for them.", func() float64 {
		_, behind := s.transport.backlog()
		return float64(behind)
	})
	m.Gauge("hub_queue_length", "Committed events that the hub has not come to.", func() float64 { return float64(s.hub.waiting()) })
	m.Gauge("hub_queue_limit", "The most that waits for the hub.", func() float64 { return maxPending })
}
