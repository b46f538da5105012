package realtime

import (
	"encoding/binary"
	"strings"
	"time"
)

// The parts of a frame's first byte (RFC 6455 §5.2).
const (
	wireFin  = 0x80
	wireRSV1 = 0x40
	wireRSV2 = 0x20
	wireRSV3 = 0x10

	wireContinuation = 0x0
	wireText         = 0x1
	wireBinary       = 0x2
	wireClose        = 0x8
	wirePing         = 0x9
	wirePong         = 0xA
)

// wireKey is the key that frames are masked with: no two bytes alike, so that a
// payload which is taken up at the wrong byte of the key is seen.
const wireKey = "\x37\xfa\x21\x3d"

// writePause parts two writes, so that the server reads them apart.
const writePause = time.Millisecond

// clientFrame is a masked frame with the shortest form of its length; first is
// its first byte.
func clientFrame(first byte, payload string) []byte {
	form := 0
	switch n := len(payload); {
	case n > 0xFFFF:
		form = 8
	case n > 125:
		form = 2
	}
	return append(clientHeader(first, form, uint64(len(payload))), masked(payload)...)
}

// clientHeader is all of a masked frame that goes before its payload; the length
// takes no bytes of its own, 2 or 8.
func clientHeader(first byte, form int, length uint64) []byte {
	head := []byte{first}
	switch form {
	case 0:
		head = append(head, 0x80|byte(length))
	case 2:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(length))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), length)
	}
	return append(head, wireKey...)
}

func masked(payload string) []byte {
	out := []byte(payload)
	for i := range out {
		out[i] ^= wireKey[i%len(wireKey)]
	}
	return out
}

func clientText(payload string) []byte { return clientFrame(wireFin|wireText, payload) }
func clientPing(payload string) []byte { return clientFrame(wireFin|wirePing, payload) }
func clientPong(payload string) []byte { return clientFrame(wireFin|wirePong, payload) }

func clientClose(code uint16, reason string) []byte {
	return clientFrame(wireFin|wireClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// clientFragments is a message of one fragment a part.
func clientFragments(opcode byte, parts ...string) [][]byte {
	frames := make([][]byte, len(parts))
	for i, part := range parts {
		first := byte(wireContinuation)
		if i == 0 {
			first = opcode
		}
		if i == len(parts)-1 {
			first |= wireFin
		}
		frames[i] = clientFrame(first, part)
	}
	return frames
}

// pieces cuts a text into pieces of n bytes, without regard to characters.
func pieces(text string, n int) (parts []string) {
	for ; len(text) > n; text = text[n:] {
		parts = append(parts, text[:n])
	}
	return append(parts, text)
}

// oneWrite is several frames in a single write.
func oneWrite(frames ...[]byte) [][]byte {
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
	}
	return [][]byte{all}
}

// writesOf is several frames in writes of n bytes, wherever those end.
func writesOf(n int, frames ...[]byte) (writes [][]byte) {
	for _, part := range pieces(string(oneWrite(frames...)[0]), n) {
		writes = append(writes, []byte(part))
	}
	return writes
}

// pingEvent is the least that a client may say: its answer names id.
func pingEvent(id string) string { return `{"type":"Ping","id":"` + id + `","data":{}}` }

// pingOfSize is a ping of n bytes.
func pingOfSize(id string, n int) string {
	e := pingEvent(id)
	return e + strings.Repeat(" ", n-len(e))
}
