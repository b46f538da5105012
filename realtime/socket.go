package realtime

import (
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"earshot/models"
	"earshot/realtime/protocol"
)

// What a client may do on one socket.
const (
	framesPerSecond = 20
	draftsPerSecond = 5
	// Frames past the limit are refused; who goes on for some seconds all the
	// same is cut off.
	refusedFrames = 200
	// badEvents in badEventsPeriod end the socket.
	badEvents       = 10
	badEventsPeriod = time.Minute
)

// Socket is a typed socket: In is what the client may say, Out what it hears.
// Visitors and dashboards are its two instances.
type Socket[In, Out any] struct {
	*conn
	in  *protocol.Sum[In]
	out *protocol.Sum[Out]

	frames  *rate.Limiter // nil: no limit
	refused *rate.Limiter
	bad     []time.Time
}

// Recv waits for the client's next event. A refusal (*models.Error) concerns
// one event, named by id where it had one, and the socket goes on; any other
// error is its end.
func (s *Socket[In, Out]) Recv() (event In, id string, err error) {
	for {
		m, err := s.read()
		if err != nil {
			return event, "", err
		}
		event, id, err = s.decode(m)
		if err == errClosed { //nolint:errorlint // ours, never wrapped
			continue // read waits for the other side's close frame
		}
		return event, id, err
	}
}

func (s *Socket[In, Out]) decode(m message) (event In, id string, err error) {
	switch {
	case m.kind != kindText:
		s.shut(protocol.CloseUnsupported)
		return event, "", errClosed
	case !utf8.Valid(m.payload):
		s.shut(protocol.CloseInvalidPayload)
		return event, "", errClosed
	}
	if s.frames != nil && !s.frames.Allow() {
		if !s.refused.Allow() {
			s.shut(protocol.CloseRateLimited)
			return event, "", errClosed
		}
		return event, "", &models.Error{
			Code: models.CodeRateLimited, Message: "too many frames", RetryAfter: time.Second / framesPerSecond,
		}
	}
	return protocol.Decode(s.in, m.payload)
}

// Send queues an event that answers the client's event re, or none. It does not
// block; a client that is too slow to take it loses the socket.
func (s *Socket[In, Out]) Send(event Out, re string) error {
	data, err := protocol.Encode(s.out, event, protocol.Meta{Re: re})
	if err != nil {
		return err
	}
	s.pushNow(outgoing{frames: frame(opText, data), events: 1})
	return nil
}

// refuse tells the client why an event was refused, and ends the socket of one
// that goes on sending what is refused.
func (s *Socket[In, Out]) refuse(event Out, code models.Code, re string) error {
	if err := s.Send(event, re); err != nil {
		return err
	}
	switch code { //nolint:exhaustive // all others are the client's mistakes
	case models.CodeRateLimited, models.CodeInternal, models.CodeUnavailable, models.CodeStorageFull:
		return nil
	}
	now := s.now()
	recent := s.bad[:0]
	for _, at := range s.bad {
		if now.Sub(at) < badEventsPeriod {
			recent = append(recent, at)
		}
	}
	if s.bad = append(recent, now); len(s.bad) >= badEvents {
		s.shut(protocol.CloseBadEvents)
	}
	return nil
}
