package protocol

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// cborFromJSON is the CBOR of a JSON text: lengths definite, heads as short as
// can be, members in the order they have. Translating what encoding/json made of
// an event means that both encodings have the same members, forms of times and
// omissions, without a second set of tags. Numbers are whole where JSON spells
// them so and 64 bits hold them; all others are floats of 64 bits.
func cborFromJSON(text []byte) ([]byte, error) {
	w := cborWriter{scanner: scanner{data: text}, out: make([]byte, 0, len(text))}
	w.space()
	if !w.item() {
		return nil, fmt.Errorf("translate JSON to CBOR: no value at byte %d", w.pos)
	}
	if w.space(); w.pos != len(text) {
		return nil, fmt.Errorf("translate JSON to CBOR: a second value at byte %d", w.pos)
	}
	return w.out, nil
}

type cborWriter struct {
	scanner
	out []byte
}

// item writes the value at pos and reports whether there was one.
func (w *cborWriter) item() bool {
	if w.pos >= len(w.data) {
		return false
	}
	switch w.data[w.pos] {
	case '{':
		return w.list(cborMap, '}', w.pair)
	case '[':
		return w.list(cborArray, ']', w.item)
	case '"':
		return w.string()
	case 't':
		w.out = append(w.out, cborTrue)
		return w.word("true")
	case 'f':
		w.out = append(w.out, cborFalse)
		return w.word("false")
	case 'n':
		w.out = append(w.out, cborNull)
		return w.word("null")
	default:
		return w.numeral()
	}
}

func (w *cborWriter) pair() bool {
	if w.pos >= len(w.data) || w.data[w.pos] != '"' || !w.string() {
		return false
	}
	if w.space(); !w.take(':') {
		return false
	}
	w.space()
	return w.item()
}

// list writes the head of a list, which has its length, after the entries. Few
// have more than the 23 that fit in one byte.
func (w *cborWriter) list(major, closing byte, entry func() bool) bool {
	start, length := len(w.out), 0
	w.out = append(w.out, 0)
	w.pos++
	for w.space(); !w.take(closing); w.space() {
		if length > 0 {
			if !w.take(',') {
				return false
			}
			w.space()
		}
		if !entry() {
			return false
		}
		length++
	}
	var head [9]byte
	w.out = slices.Replace(w.out, start, start+1, appendCBORHead(head[:0], major, uint64(length))...)
	return true
}

func (w *cborWriter) string() bool {
	s, ok := w.text()
	w.out = append(appendCBORHead(w.out, cborText, uint64(len(s))), s...)
	return ok
}

func (w *cborWriter) numeral() bool {
	start := w.pos
	if !w.spelling() {
		return false
	}
	text := string(w.data[start:w.pos])
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		w.out = appendCBORHead(w.out, cborUnsigned, n)
		return true
	}
	if text[0] == '-' {
		if n, err := strconv.ParseUint(text[1:], 10, 64); err == nil && n > 0 {
			w.out = appendCBORHead(w.out, cborNegative, n-1)
			return true
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	w.out = binary.BigEndian.AppendUint64(append(w.out, cborFloat64), math.Float64bits(f))
	return err == nil
}

// appendCBORHead writes a head in its shortest form (RFC 8949 §4.2.1).
func appendCBORHead(out []byte, major byte, argument uint64) []byte {
	switch {
	case argument < 24:
		return append(out, major|byte(argument))
	case argument <= math.MaxUint8:
		return append(out, major|24, byte(argument))
	case argument <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(out, major|25), uint16(argument))
	case argument <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(out, major|26), uint32(argument))
	}
	return binary.BigEndian.AppendUint64(append(out, major|27), argument)
}
