package realtime

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"earshot/realtime/protocol"
)

// What a client's frame is (RFC 6455 §5.2).
const (
	kindContinuation byte = 0x0
	kindText         byte = 0x1
	kindBinary       byte = 0x2
	kindClose        byte = 0x8
	kindPing         byte = 0x9
	kindPong         byte = 0xA
)

const (
	finalBit    = 0x80
	reservedBit = 0x70
	kindBits    = 0x0F
	controlBit  = 0x08
	maskBit     = 0x80
	lengthBits  = 0x7F

	maxControlPayload = 125
	maxHeader         = 14
	maxControlFrame   = maxHeader + maxControlPayload
)

// message is a whole message or a control frame. Its payload is the parser's
// and lasts until the next call.
type message struct {
	kind    byte
	payload []byte
}

// frameError ends a socket: the client broke the protocol.
type frameError struct {
	code   protocol.CloseCode
	detail string
}

func (e frameError) Error() string { return fmt.Sprintf("websocket: %s (%d)", e.detail, e.code) }

func protocolError(detail string) error { return frameError{protocol.CloseProtocolError, detail} }

var errTooBig = frameError{protocol.CloseTooBig, "the message is too big"}

// parser takes a client's bytes apart (RFC 6455 §5). It keeps what came of a
// message in pieces; the rest of a frame's header it leaves to the caller.
type parser struct {
	limit int // of a message, in bytes
	// empty counts the frames that brought nothing: control frames and pieces
	// without payload. The caller may set it back.
	empty int

	// The data frame whose payload is on its way, where inFrame.
	inFrame bool
	final   bool
	left    int
	mask    [4]byte

	// The message whose pieces are on their way; its kind is 0 where there is none.
	kind    byte
	partial []byte
}

// idle reports whether the parser is between two messages.
func (p *parser) idle() bool { return !p.inFrame && p.kind == 0 }

// next consumes data, which it unmasks in place. It returns how much; where it
// consumed nothing and no message is complete, it needs more to begin with.
func (p *parser) next(data []byte) (n int, m message, complete bool, err error) {
	if p.kind == 0 {
		p.partial = nil // the last message's
	}
	if p.inFrame {
		return p.payload(data)
	}
	h, n, err := parseHeader(data)
	if err != nil || n == 0 {
		return 0, m, false, err
	}
	if h.kind&controlBit != 0 {
		if len(data) < n+h.length {
			return 0, m, false, nil
		}
		payload := data[n : n+h.length]
		unmask(payload, &h.mask)
		p.empty++
		return n + h.length, message{h.kind, payload}, true, nil
	}
	if err := p.begin(h); err != nil {
		return 0, m, false, err
	}
	used, m, complete, err := p.payload(data[n:])
	return n + used, m, complete, err
}

// begin checks a data frame against the message that it is a part of.
func (p *parser) begin(h header) error {
	switch {
	case h.kind == kindContinuation && p.kind == 0:
		return protocolError("there is nothing to continue")
	case h.kind != kindContinuation && p.kind != 0:
		return protocolError("the last message has not ended")
	case h.length > p.limit-len(p.partial):
		return errTooBig
	}
	if h.kind != kindContinuation {
		p.kind = h.kind
	}
	if h.length == 0 && !h.final {
		p.empty++
	}
	p.inFrame, p.final, p.left, p.mask = true, h.final, h.length, h.mask
	return nil
}

// payload takes what data has of the frame. A message that is in data whole is
// handed out where it lies.
func (p *parser) payload(data []byte) (n int, m message, complete bool, err error) {
	n = min(len(data), p.left)
	piece := data[:n]
	unmask(piece, &p.mask)
	p.left -= n
	whole := p.left == 0 && p.final && p.partial == nil
	if !whole && n > 0 {
		if p.partial == nil {
			p.partial = make([]byte, 0, min(n+p.left, readBuffer)) // not what the header promises
		}
		p.partial = append(p.partial, piece...)
	}
	if p.left > 0 {
		return n, m, false, nil
	}
	p.inFrame = false
	if !p.final {
		return n, m, false, nil
	}
	m = message{p.kind, p.partial}
	if whole {
		m.payload = piece
	}
	p.kind = 0
	return n, m, true, nil
}

// header is a frame's, checked by itself.
type header struct {
	final  bool
	kind   byte
	length int
	mask   [4]byte
}

// parseHeader returns the header's size too, which is 0 where it is incomplete.
func parseHeader(data []byte) (h header, size int, err error) {
	if len(data) < 2 {
		return h, 0, nil
	}
	h.final, h.kind = data[0]&finalBit != 0, data[0]&kindBits
	short := int(data[1] & lengthBits)
	switch {
	case data[0]&reservedBit != 0:
		return h, 0, protocolError("a reserved bit is set")
	case h.kind > kindBinary && h.kind < kindClose || h.kind > kindPong:
		return h, 0, protocolError("the opcode is not known")
	case data[1]&maskBit == 0:
		return h, 0, protocolError("the frame is not masked")
	case h.kind&controlBit != 0 && (!h.final || short > maxControlPayload):
		return h, 0, protocolError("a control frame is in pieces or too long")
	}
	h.length, size, err = parseLength(short, data)
	if err != nil || size == 0 || len(data) < size+len(h.mask) {
		return h, 0, err
	}
	copy(h.mask[:], data[size:])
	return h, size + len(h.mask), nil
}

// parseLength returns the size of the header without its mask, too; it is 0
// where the header is incomplete.
func parseLength(short int, data []byte) (length, size int, err error) {
	switch {
	case short < 126:
		return short, 2, nil
	case short == 126 && len(data) >= 4:
		length = int(binary.BigEndian.Uint16(data[2:]))
		if length < 126 {
			return 0, 0, protocolError("the length is not in its shortest form")
		}
		return length, 4, nil
	case short == 127 && len(data) >= 10:
		long := binary.BigEndian.Uint64(data[2:])
		switch {
		case long <= 0xFFFF, long > 1<<63-1:
			return 0, 0, protocolError("the length is not in its shortest form")
		case long > 1<<30:
			return 0, 0, errTooBig
		}
		return int(long), 10, nil
	}
	return 0, 0, nil
}

// unmask undoes the client's mask (RFC 6455 §5.3) and turns it, so that it fits
// the bytes that follow.
func unmask(data []byte, mask *[4]byte) {
	word := binary.LittleEndian.Uint32(mask[:])
	double := uint64(word)<<32 | uint64(word)
	for len(data) >= 8 {
		binary.LittleEndian.PutUint64(data, binary.LittleEndian.Uint64(data)^double)
		data = data[8:]
	}
	for i := range data {
		data[i] ^= mask[i%4]
	}
	turned := *mask
	for i := range mask {
		mask[i] = turned[(i+len(data))%4]
	}
}

// closeCode checks a close frame's payload (RFC 6455 §5.5.1, §7.4) and returns
// the code to answer it with, which is its own where it has one.
func closeCode(payload []byte) (protocol.CloseCode, error) {
	if len(payload) == 0 {
		return protocol.CloseNormal, nil
	}
	if len(payload) == 1 {
		return 0, protocolError("a close frame has half a code")
	}
	code := binary.BigEndian.Uint16(payload)
	switch {
	case code < 1000, code >= 5000, code > 1014 && code < 3000, code >= 1004 && code <= 1006:
		return 0, protocolError("the close code may not be sent")
	case !utf8.Valid(payload[2:]):
		return 0, frameError{protocol.CloseInvalidPayload, "the reason is not UTF-8"}
	}
	return protocol.CloseCode(code), nil
}
