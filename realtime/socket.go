package realtime

import (
	"sync/atomic"
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
	// same is cut off, and so is who sends many that bring nothing.
	excessFrames = 200
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

	frames *rate.Limiter // nil: no limit
	bad    []time.Time
	// heard is the kind of the client's last frame: in some encodings it is answered
	// in the same.
	heard atomic.Uint32
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
	kind := protocol.FrameKind(m.kind)
	switch {
	case !s.encoding.Reads(kind):
		s.shut(protocol.CloseUnsupported)
		return event, "", errClosed
	case kind == protocol.TextFrame && !utf8.Valid(m.payload):
		s.shut(protocol.CloseInvalidPayload)
		return event, "", errClosed
	}
	s.heard.Store(uint32(kind))
	if s.frames != nil && !s.frames.Allow() {
		if !s.excess.Allow() {
			s.shut(protocol.CloseRateLimited)
			return event, "", errClosed
		}
		return event, "", &models.Error{
			Code: models.CodeRateLimited, Message: "too many frames", RetryAfter: time.Second / framesPerSecond,
		}
	}
	return s.in.Decode(s.encoding, m.payload)
}

// Send queues an event that answers the client's event re, or none. It does not
// block; a client that is too slow to take it loses the socket.
func (s *Socket[In, Out]) Send(event Out, re string) error {
	data, ok, err := s.out.Encode(s.encoding, event, protocol.Meta{Re: re})
	if err != nil || !ok {
		return err
	}
	kind := s.encoding.Writes(protocol.FrameKind(s.heard.Load())) //nolint:gosec // one of the two that were stored
	s.pushNow(outgoing{frames: frame(finalBit|byte(kind), data), events: 1})
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
