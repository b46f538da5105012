package api

import (
	"context"
	"sync"
	"time"

	"earshot/models"
)

// streams are the open streams of staff.
type streams struct {
	places places
	// heartbeat is the longest silence, check how often it is seen whether a stream
	// may go on, patience how long a write may take.
	heartbeat, check, patience time.Duration

	mu   sync.Mutex
	open map[*stream]struct{}
	all  sync.WaitGroup
}

func newStreams(unlimited bool) *streams {
	return &streams{
		places: places{unlimited: unlimited}, open: map[*stream]struct{}{},
		heartbeat: 15 * time.Second, check: 5 * time.Second, patience: 10 * time.Second,
	}
}

// openStream counts a stream and makes its context. Afterwards it is asked once
// more whether the session goes on: it may have ended before closeStreams could
// find the stream here.
func (s *Server) openStream(st *stream, who asker) (err error) {
	if st.release, err = s.streams.places.take(who.address); err != nil {
		return err
	}
	if at := st.claims.ExpiresAt; at.IsZero() {
		st.ctx, st.end = context.WithCancel(s.leaving)
	} else {
		st.ctx, st.end = context.WithTimeout(s.leaving, at.Sub(s.now()))
	}
	s.streams.mu.Lock()
	s.streams.open[st] = struct{}{}
	s.streams.all.Add(1)
	s.streams.mu.Unlock()
	if err := s.stillMember(st.ctx, st.claims); err != nil {
		s.closeStream(st)
		if s.leaving.Err() != nil {
			return &models.Error{Code: models.CodeUnavailable, Message: "the server is going away", RetryAfter: time.Second}
		}
		return err
	}
	return nil
}

func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// closeStream is called by the stream's goroutine at its end.
func (s *Server) closeStream(st *stream) {
	st.end()
	st.release()
	s.streams.mu.Lock()
	delete(s.streams.open, st)
	s.streams.mu.Unlock()
	s.streams.all.Done()
}

// closeStreams ends the streams of a session.
func (s *Server) closeStreams(session models.ID) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	for st := range s.streams.open {
		if st.claims.SessionID == session {
			st.end()
		}
	}
}

// abortStreams cuts off the streams whose readers take nothing, and returns when
// there are none any more.
func (s *Server) abortStreams() {
	s.streams.mu.Lock()
	for st := range s.streams.open {
		_ = st.conn.Close()
	}
	s.streams.mu.Unlock()
	s.streams.all.Wait()
}
