package protocol

import (
	"slices"
	"strings"

	"earshot/models"
)

const (
	// MaxDepth bounds how deeply objects and arrays nest, the outermost counted.
	MaxDepth = 16
	// envelopeDepth is what the envelope takes of it.
	envelopeDepth = 1
)

var (
	errBadJSON  = models.Errorf(models.CodeBadJSON, "this is not valid JSON")
	errNoObject = models.Errorf(models.CodeBadJSON, "this is not a JSON object")
)

// scanner walks a JSON text once and refuses what encoding/json would guess
// about: repeated members, members that differ from a known one in case, lone
// surrogates, NUL, invalid UTF-8, and nesting past MaxDepth.
type scanner struct {
	data    []byte
	pos     int
	badText bool
	badPath string // the known member that the first bad text is in
	missing []models.FieldError
	// bounded: numbers out of every field's range are refused, too.
	bounded  bool
	tooLarge []models.FieldError
	// respelled are the numbers with another spelling than the plain one.
	respelled []respelled
}

// scan checks data against s; base is the number of containers around it. It
// gives the text as encoding/json is to read it.
func scan(data []byte, s *shape, base int) ([]byte, error) {
	sc := scanner{data: data}
	return sc.scan(s, base)
}

func (sc *scanner) scan(s *shape, base int) ([]byte, error) {
	sc.space()
	if !sc.value(member{shape: s}, base, "") {
		return nil, sc.failure()
	}
	if sc.space(); sc.pos != len(sc.data) {
		return nil, errBadJSON
	}
	switch {
	case sc.badText && sc.badPath == "":
		return nil, models.Errorf(models.CodeInvalidText, "text has invalid UTF-8, a lone surrogate or a NUL character")
	case sc.badText:
		return nil, models.InvalidText(sc.badPath, "has invalid UTF-8, a lone surrogate or a NUL character")
	case len(sc.missing) > 0:
		return nil, models.InvalidFields(sc.missing...)
	case len(sc.tooLarge) > 0:
		return nil, models.InvalidFields(sc.tooLarge...)
	}
	return sc.respell(), nil
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
func (sc *scanner) value(m member, depth int, path string) bool {
	if sc.pos >= len(sc.data) {
		return false
	}
	switch c := sc.data[sc.pos]; {
	case c == '{':
		return depth < MaxDepth && sc.object(m.shape, depth+1, path)
	case c == '[':
		return depth < MaxDepth && sc.array(m, depth+1, path)
	case c == '"':
		_, ok := sc.text()
		return ok
	case c == '-' || (c >= '0' && c <= '9'):
		start := sc.pos
		if !sc.number() {
			return false
		}
		if sc.bounded && outOfRange(string(sc.data[start:sc.pos])) {
			sc.tooLarge = append(sc.tooLarge, models.FieldError{Path: path, Message: "is out of range"})
		}
		return true
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

func (sc *scanner) array(m member, depth int, path string) bool {
	sc.pos++
	if sc.space(); sc.take(']') {
		return true
	}
	for {
		sc.space()
		if !sc.value(m, depth, path) {
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
	var m member
	if s != nil {
		m = s.members[name]
		if m.required && sc.pos < len(sc.data) && sc.data[sc.pos] == 'n' {
			sc.missing = append(sc.missing, models.FieldError{Path: join(path, name), Message: "must not be null"})
		}
	}
	bad := sc.badText
	ok = sc.value(m, depth, join(path, name))
	if sc.badText && !bad && sc.badPath == "" && s.has(name) {
		sc.badPath = join(path, name)
	}
	return ok
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
