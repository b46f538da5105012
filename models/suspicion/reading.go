package suspicion

import (
	"strings"
	"unicode"
)

const (
	// repeated is how often one character follows itself, and monotonous how long a
	// text of no more than fewRunes different characters is, where nobody means it.
	repeated   = 40
	monotonous = 60
	fewRunes   = 5
	// spoken is how many letters outside of links say something about them.
	spoken = 20
	// The numbers of FNV-1a (RFC 9923): a text is hashed letter by letter.
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// reading is what one pass over a message finds.
type reading struct {
	hash    uint64 // of its letters, whatever their case and what is between them
	letters int
	foreign int // links to other sites
	outside int // letters outside of links
	markup  bool
	dull    bool
}

// read looks at a message, written on a page of the host.
func read(message, host string) (r reading) {
	r.hash = fnvOffset
	var seen [fewRunes + 1]rune
	kinds, run, length := 0, 0, 0
	last := rune(-1)
	linkUntil := -1
	for i, c := range message {
		length++
		if i > linkUntil {
			if end, foreign := linkAt(message[i:], host); end > 0 {
				linkUntil = i + end - 1
				if foreign {
					r.foreign++
				}
			} else if (c == '<' || c == '[') && markupAt(message[i+1:]) {
				r.markup = true
			}
		}
		if run++; c != last {
			last, run = c, 1
		}
		r.dull = r.dull || run >= repeated
		if kinds <= fewRunes {
			kinds = note(&seen, kinds, c)
		}
		if c = letter(c); c >= 0 {
			r.letters++
			r.hash = (r.hash ^ uint64(c)) * fnvPrime
			if i > linkUntil {
				r.outside++
			}
		}
	}
	r.dull = r.dull || length >= monotonous && kinds <= fewRunes
	return r
}

// letter is a letter in lower case, -1 for anything else. Digits are left out: spam
// is numbered.
func letter(c rune) rune {
	switch {
	case c >= 'a' && c <= 'z':
		return c
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c < unicode.MaxASCII || !unicode.IsLetter(c):
		return -1
	}
	return unicode.ToLower(c)
}

// note counts a character that was not there yet.
func note(seen *[fewRunes + 1]rune, kinds int, c rune) int {
	for _, known := range seen[:kinds] {
		if known == c {
			return kinds
		}
	}
	if kinds < len(seen) {
		seen[kinds] = c
	}
	return kinds + 1
}

// linkAt is the length of a link that a text begins with, 0 where it does not.
// foreign says that it leads away from the host.
func linkAt(text, host string) (length int, foreign bool) {
	rest := text
	switch text[0] {
	case 'h', 'H':
		rest = trimPrefixFold(trimPrefixFold(rest, "http"), "s")
		if rest = strings.TrimPrefix(rest, "://"); len(text)-len(rest) < len("http://") {
			return 0, false
		}
	case 'w', 'W':
		if trimPrefixFold(text, "www.") == text {
			return 0, false
		}
	default:
		return 0, false
	}
	site := rest[:indexOr(rest, "/?#:[]<>\"' \t\r\n")]
	length = len(text) - len(rest) + indexOr(rest, " \t\r\n<>[]\"'")
	return length, site != "" && !strings.EqualFold(strings.TrimSuffix(site, "."), host)
}

func trimPrefixFold(s, prefix string) string {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):]
	}
	return s
}

// indexOr is where the first of some characters stands, the text's length where
// none does.
func indexOr(s, any string) int {
	if i := strings.IndexAny(s, any); i >= 0 {
		return i
	}
	return len(s)
}

// markupAt knows a link in HTML or BBCode behind its bracket.
func markupAt(text string) bool {
	switch {
	case text == "":
		return false
	case text[0] == 'a' || text[0] == 'A':
		return trimPrefixFold(text, "a href") != text
	case text[0] == 'u' || text[0] == 'U':
		return trimPrefixFold(text, "url=") != text || trimPrefixFold(text, "url]") != text
	case text[0] == 'l' || text[0] == 'L':
		return trimPrefixFold(text, "link=") != text
	}
	return false
}

// pageHost is the host of a page, as links to it begin.
func pageHost(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	return rest[:indexOr(rest, "/?#:")]
}

func (r reading) signs() (found signs) {
	switch {
	case r.foreign >= 5:
		found |= manyLinks
	case r.foreign >= 2:
		found |= someLinks
	}
	if r.foreign > 0 && r.outside < spoken {
		found |= onlyLinks
	}
	if r.markup {
		found |= markup
	}
	if r.dull {
		found |= repetitive
	}
	return found
}
