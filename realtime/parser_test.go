package realtime

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"earshot/realtime/protocol"
)

// parseAll feeds data in pieces of size, as a connection would.
func parseAll(p *parser, data []byte, size int) (all []message, err error) {
	data = bytes.Clone(data) // it is unmasked in place
	var unread []byte
	for len(data) > 0 {
		n := min(size, len(data))
		unread = append(unread, data[:n]...)
		data = data[n:]
		for {
			n, m, complete, err := p.next(unread)
			unread = unread[n:]
			if err != nil {
				return all, err
			}
			if complete {
				all = append(all, message{m.kind, bytes.Clone(m.payload)})
			}
			if n == 0 {
				break
			}
		}
	}
	return all, nil
}

func TestParserGivesTheSameInAnyPieces(t *testing.T) {
	long := strings.Repeat("0123456789", 700)
	var wire []byte
	for _, frame := range [][]byte{
		clientFrame(finalBit|kindText, "hello"), clientFrame(finalBit|kindText, ""), clientFrame(finalBit|kindPing, "p"),
		clientFrame(kindBinary, long[:100]), clientFrame(finalBit|kindPong, ""), clientFrame(kindContinuation, ""),
		clientFrame(finalBit|kindContinuation, long[100:]), clientFrame(finalBit|kindText, long[:130]), clientFrame(finalBit|kindClose, ""),
	} {
		wire = append(wire, frame...)
	}
	want := []message{
		{kindText, []byte("hello")}, {kindText, nil}, {kindPing, []byte("p")}, {kindPong, nil},
		{kindBinary, []byte(long)}, {kindText, []byte(long[:130])}, {kindClose, nil},
	}
	for size := 1; size <= len(wire); size += 1 + size/7 {
		got, err := parseAll(&parser{limit: len(long)}, wire, size)
		if err != nil || len(got) != len(want) {
			t.Fatalf("in pieces of %d: %d messages and %v, want %d", size, len(got), err, len(want))
		}
		for i := range want {
			if got[i].kind != want[i].kind || !bytes.Equal(got[i].payload, want[i].payload) {
				t.Fatalf("in pieces of %d: message %d is %x %q, want %x %q", size, i, got[i].kind, got[i].payload, want[i].kind, want[i].payload)
			}
		}
	}
}

func TestParserTakesNoMoreThanTheLimit(t *testing.T) {
	over := strings.Repeat("x", 101)
	for name, wire := range map[string][]byte{
		"in one frame":  clientFrame(finalBit|kindText, over),
		"in two frames": append(clientFrame(kindText, over[:60]), clientFrame(finalBit|kindContinuation, over[60:])...),
	} {
		var broken frameError
		if _, err := parseAll(&parser{limit: 100}, wire, 8); !errors.As(err, &broken) || broken.code != protocol.CloseTooBig {
			t.Errorf("%s: %v, want close code %d", name, err, protocol.CloseTooBig)
		}
		if _, err := parseAll(&parser{limit: 101}, wire, 8); err != nil {
			t.Errorf("%s, of the limit: %v", name, err)
		}
	}
}

// FuzzParser holds the parser to giving the same for the same bytes, however
// they come, and to its limit.
func FuzzParser(f *testing.F) {
	f.Add(clientFrame(finalBit|kindText, "hello"), uint8(1))
	f.Add(append(clientFrame(kindBinary, "a"), clientFrame(finalBit|kindContinuation, strings.Repeat("b", 200))...), uint8(3))
	f.Add(append(clientFrame(kindText, ""), clientFrame(finalBit|kindClose, "\x03\xe8")...), uint8(7))
	f.Add([]byte{finalBit | kindText, maskBit | 127, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, uint8(2))
	f.Fuzz(func(t *testing.T, wire []byte, size uint8) {
		const limit = 1 << 10
		whole, wholeErr := parseAll(&parser{limit: limit}, wire, max(len(wire), 1))
		pieces, piecesErr := parseAll(&parser{limit: limit}, wire, int(size)+1)
		if !errors.Is(piecesErr, wholeErr) && !errors.Is(wholeErr, piecesErr) {
			t.Fatalf("whole: %v, in pieces: %v", wholeErr, piecesErr)
		}
		if len(whole) != len(pieces) {
			t.Fatalf("whole: %d messages, in pieces: %d", len(whole), len(pieces))
		}
		for i := range whole {
			if whole[i].kind != pieces[i].kind || !bytes.Equal(whole[i].payload, pieces[i].payload) {
				t.Fatalf("message %d: %x %q whole, %x %q in pieces", i, whole[i].kind, whole[i].payload, pieces[i].kind, pieces[i].payload)
			}
			if len(whole[i].payload) > limit {
				t.Fatalf("message %d has %d bytes, the limit is %d", i, len(whole[i].payload), limit)
			}
		}
	})
}

// Frames that bring nothing are cheap to send by the million.
func TestFloodOfEmptyFramesIsCutOff(t *testing.T) {
	for name, frame := range map[string][]byte{
		"pings":        clientFrame(finalBit|kindPing, "x"),
		"pongs":        clientFrame(finalBit|kindPong, ""),
		"empty pieces": clientFrame(kindContinuation, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, false)
			c := h.dialRaw("/visitor")
			flood := clientFrame(kindText, `{"type":"Ping",`) // its end never comes
			for range framesPerSecond + excessFrames + 100 {
				flood = append(flood, frame...)
			}
			if _, err := c.conn.Write(flood); err != nil {
				t.Fatal(err)
			}
			c.wantCloseAndEnd(protocol.CloseRateLimited)
		})
	}
}
