package protocol

import (
	"encoding/json"
	"unicode/utf8"
)

// text steps past a string and gives its value. A string with escapes costs an
// allocation more; names seldom have any.
func (sc *scanner) text() (string, bool) {
	start := sc.pos
	sc.pos++
	plain := true
	for sc.pos < len(sc.data) {
		switch c := sc.data[sc.pos]; {
		case c == '"':
			sc.pos++
			return sc.unquote(start, plain)
		case c == '\\':
			plain = false
			if !sc.escape() {
				return "", false
			}
		case c < ' ':
			return "", false
		case c < utf8.RuneSelf:
			sc.pos++
		default:
			r, size := utf8.DecodeRune(sc.data[sc.pos:])
			if r == utf8.RuneError && size == 1 {
				sc.badText = true
			}
			sc.pos += size
		}
	}
	return "", false
}

func (sc *scanner) unquote(start int, plain bool) (string, bool) {
	if plain {
		return string(sc.data[start+1 : sc.pos-1]), true
	}
	var s string
	return s, json.Unmarshal(sc.data[start:sc.pos], &s) == nil
}

// escape steps past one escape sequence, both halves of a surrogate pair taken
// together.
func (sc *scanner) escape() bool {
	sc.pos++
	if sc.pos >= len(sc.data) {
		return false
	}
	c := sc.data[sc.pos]
	sc.pos++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
	default:
		return false
	}
	r, ok := sc.hex4()
	switch {
	case !ok:
		return false
	case r == 0, r >= 0xDC00 && r <= 0xDFFF:
		sc.badText = true
	case r >= 0xD800 && r <= 0xDBFF:
		low := rune(0)
		if next := sc.pos; sc.word(`\u`) {
			if low, ok = sc.hex4(); !ok {
				return false
			}
			if low < 0xDC00 || low > 0xDFFF {
				sc.pos = next // not our other half: judged on its own
			}
		}
		if low < 0xDC00 || low > 0xDFFF {
			sc.badText = true
		}
	}
	return true
}

func (sc *scanner) hex4() (rune, bool) {
	if len(sc.data)-sc.pos < 4 {
		return 0, false
	}
	var r rune
	for _, c := range sc.data[sc.pos : sc.pos+4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			r |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			r |= rune(c-'A') + 10
		default:
			return 0, false
		}
	}
	sc.pos += 4
	return r, true
}
