package api

import "time"

// HurryStreams shortens the times of the streams that are opened from now on.
func (s *Server) HurryStreams(heartbeat, check, patience time.Duration) {
	s.streams.heartbeat, s.streams.check, s.streams.patience = heartbeat, check, patience
}

// HurryAnswers shortens the time that clients get to take an answer in. It is
// to be called before Serve.
func (s *Server) HurryAnswers(d time.Duration) { s.app.Server().WriteTimeout = d }

// OpenStreams counts the streams that have not ended.
func (s *Server) OpenStreams() int {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return len(s.streams.open)
}

// WaitingPolls counts the visitors' polls that wait.
func (s *Server) WaitingPolls() int {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	return s.waiting.all
}

// HeldPerAddress is how many calls that wait one address may have.
const HeldPerAddress = heldPerAddress
