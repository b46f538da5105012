package protocol

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"earshot/models"
)

const (
	// MaxDepth bounds how deeply objects and arrays nest, the outermost counted.
	MaxDepth = 16
	// envelopeDepth is what the envelope takes of it.
	envelopeDepth = 1
	// Up to this many members a list is searched faster than a map is made.
	fewMembers = 16
)

var errBadJSON = models.Errorf(models.CodeBadJSON, "this is not valid JSON")

// scanner walks a JSON text once and refuses what encoding/json would guess
// about: repeated members, members that differ from a known one in case, lone
// surrogates, NUL, invalid UTF-8, and nesting past MaxDepth.
type scanner struct {
	data    []byte
	pos     int
	badText bool
	missing []models.FieldError
}

// scan checks data against s; base is the number of containers around it.
func scan(data []byte, s *shape, base int) error {
	sc := scanner{data: data}
	sc.space()
	if !sc.value(s, base, "") {
		return sc.failure()
	}
	if sc.space(); sc.pos != len(data) {
		return errBadJSON
	}
	switch {
	case sc.badText:
		return models.Errorf(models.CodeInvalidText, "text has invalid UTF-8, a lone surrogate or a NUL character")
	case len(sc.missing) > 0:
		return &models.Error{Code: models.CodeInvalidField, Message: "some fields are not valid", Fields: sc.missing}
	}
	return nil
}

func (sc *scanner) failure() error {
	if sc.badText && sc.pos >= len(sc.data) {
		return models.Errorf(models.CodeInvalidText, "text is not valid")
	}
	return errBadJSON
}

func (sc *scanner) space() {
	for sc.pos < len(sc.data) {
		switch sc.data[sc.pos] {
		case ' ', '\t', '\n', '\r':
			sc.pos++
		default:
			return
		}
	}
}

// value reports whether a well-formed value stands at pos, and steps past it.
func (sc *scanner) value(s *shape, depth int, path string) bool {
	if sc.pos >= len(sc.data) {
		return false
	}
	switch c := sc.data[sc.pos]; {
	case c == '{':
		return depth < MaxDepth && sc.object(s, depth+1, path)
	case c == '[':
		return depth < MaxDepth && sc.array(s, depth+1, path)
	case c == '"':
		_, ok := sc.text()
		return ok
	case c == '-' || (c >= '0' && c <= '9'):
		return sc.number()
	default:
		return sc.word("true") || sc.word("false") || sc.word("null")
	}
}

func (sc *scanner) word(w string) bool {
	if len(sc.data)-sc.pos < len(w) || string(sc.data[sc.pos:sc.pos+len(w)]) != w {
		return false
	}
	sc.pos += len(w)
	return true
}

func (sc *scanner) take(c byte) bool {
	if sc.pos < len(sc.data) && sc.data[sc.pos] == c {
		sc.pos++
		return true
	}
	return false
}

func (sc *scanner) array(s *shape, depth int, path string) bool {
	sc.pos++
	if sc.space(); sc.take(']') {
		return true
	}
	for {
		sc.space()
		if !sc.value(s, depth, path) {
			return false
		}
		if sc.space(); sc.take(']') {
			return true
		}
		if !sc.take(',') {
			return false
		}
	}
}

func (sc *scanner) object(s *shape, depth int, path string) bool {
	sc.pos++
	var seen names
	if sc.space(); !sc.take('}') {
		for {
			if sc.space(); !sc.member(s, depth, path, &seen) {
				return false
			}
			if sc.space(); sc.take('}') {
				break
			}
			if !sc.take(',') {
				return false
			}
		}
	}
	if s != nil {
		sc.require(s, path, &seen)
	}
	return true
}

// require notes which members are missing, in an order that is always the same.
func (sc *scanner) require(s *shape, path string, seen *names) {
	known := len(sc.missing)
	for name, m := range s.members {
		if m.required && !seen.has(name) {
			sc.missing = append(sc.missing, models.FieldError{Path: join(path, name), Message: "is missing"})
		}
	}
	slices.SortFunc(sc.missing[known:], func(a, b models.FieldError) int { return strings.Compare(a.Path, b.Path) })
}

func (sc *scanner) member(s *shape, depth int, path string, seen *names) bool {
	if sc.pos >= len(sc.data) || sc.data[sc.pos] != '"' {
		return false
	}
	name, ok := sc.text()
	if !ok || seen.has(name) || (s != nil && s.misspelled(name)) {
		return false
	}
	sc.space()
	if !sc.take(':') {
		return false
	}
	sc.space()
	seen.add(name)
	var below *shape
	if s != nil {
		m := s.members[name]
		below = m.shape
		if m.required && sc.pos < len(sc.data) && sc.data[sc.pos] == 'n' {
			sc.missing = append(sc.missing, models.FieldError{Path: join(path, name), Message: "must not be null"})
		}
	}
	return sc.value(below, depth, join(path, name))
}

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

// number follows RFC 8259 §6.
func (sc *scanner) number() bool {
	sc.take('-')
	if !sc.take('0') && !sc.digits() {
		return false
	}
	if sc.take('.') && !sc.digits() {
		return false
	}
	if sc.take('e') || sc.take('E') {
		if !sc.take('+') {
			sc.take('-')
		}
		return sc.digits()
	}
	return true
}

func (sc *scanner) digits() bool {
	start := sc.pos
	for sc.pos < len(sc.data) && sc.data[sc.pos] >= '0' && sc.data[sc.pos] <= '9' {
		sc.pos++
	}
	return sc.pos > start
}

// names is the set of members seen in one object. It stays linear: an object
// made of 40,000 members costs 40,000 look-ups.
type names struct {
	few  []string
	many map[string]struct{}
}

func (n *names) has(name string) bool {
	if n.many != nil {
		_, ok := n.many[name]
		return ok
	}
	for _, known := range n.few {
		if known == name {
			return true
		}
	}
	return false
}

func (n *names) add(name string) {
	if n.many == nil && len(n.few) < fewMembers {
		n.few = append(n.few, name)
		return
	}
	if n.many == nil {
		n.many = make(map[string]struct{}, 4*fewMembers)
		for _, known := range n.few {
			n.many[known] = struct{}{}
		}
	}
	n.many[name] = struct{}{}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
