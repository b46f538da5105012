package realtime

import (
	"context"
	"errors"
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
	// received is the reader's own.
	received string
	// heard is the kind of the client's last frame: in some encodings it is answered
	// in the same.
	heard atomic.Uint32
}

// Recv waits for the client's next event; one goroutine may do so. A refusal
// (*models.Error) concerns one event, named by Received where it had an id, and
// the socket goes on. After ctx's own error it does, too; any other error is the
// socket's end.
func (s *Socket[In, Out]) Recv(ctx context.Context) (event In, err error) {
	if ctx.Done() != nil && ctx != s.ctx {
		defer s.until(ctx)()
	}
	for {
		m, err := s.read()
		if err != nil {
			return event, err
		}
		event, s.received, err = s.decode(m)
		if err == errClosed { //nolint:errorlint // ours, never wrapped
			continue // read waits for the other side's close frame
		}
		return event, err
	}
}

// each has every event handled, and every refusal told by refused, until the
// socket ends or parks.
func (s *Socket[In, Out]) each(handle func(event In, id string) error, refused func(err error, id string) error) error {
	for {
		event, err := s.Recv(s.ctx)
		if err == nil {
			err = handle(event, s.received)
		} else if !errors.As(err, new(*models.Error)) {
			return err // parked, the socket may be another goroutine's by now
		}
		if err != nil {
			if err := refused(err, s.received); err != nil {
				return err
			}
		}
	}
}

// Received is the id that the client gave the event of the last Recv, "" where it
// gave none.
func (s *Socket[In, Out]) Received() string { return s.received }

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
		_, id, _ := s.in.Decode(s.encoding, m.payload) // to say which was refused
		return event, id, &models.Error{
			Code: models.CodeRateLimited, Message: "too many frames", RetryAfter: time.Second / framesPerSecond,
		}
	}
	return s.in.Decode(s.encoding, m.payload)
}

// Send queues an event. It does not block; a client that is too slow to take it
// loses the socket. It may be called by any goroutine.
func (s *Socket[In, Out]) Send(ctx context.Context, event Out) error {
	return s.Answer(ctx, event, "")
}

// Answer is Send of an event that answers the client's event re.
func (s *Socket[In, Out]) Answer(ctx context.Context, event Out, re string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.answer(event, re)
}

// answer is Answer for who is not to be held up by anything.
func (s *Socket[In, Out]) answer(event Out, re string) error {
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
	s.transport.metrics.Refused(s.kind, string(code))
	if err := s.answer(event, re); err != nil {
		return err
	}
	switch code { //nolint:exhaustive // all others are the client's mistakes
	case models.CodeRateLimited, models.CodeInternal, models.CodeUnavailable, models.CodeStorageFull, models.CodeConflict:
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
