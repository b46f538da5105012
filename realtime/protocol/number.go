package protocol

import (
	"strconv"
	"strings"
)

// maxDigits is that of int64. A number with more is out of every range, and
// encoding/json says so of its first spelling.
const maxDigits = 19

// respelled is a whole number in the text with its plain spelling.
type respelled struct {
	start, end int
	text       string
}

// number follows RFC 8259 §6. Where a whole number is wanted its value decides
// and not its spelling: 5.0 and 5e0 are 5.
func (sc *scanner) number(whole bool) bool {
	start := sc.pos
	if !sc.spelling() {
		return false
	}
	if whole {
		if text, ok := wholeNumber(string(sc.data[start:sc.pos])); ok {
			sc.respelled = append(sc.respelled, respelled{start, sc.pos, text})
		}
	}
	return true
}

func (sc *scanner) spelling() bool {
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

// wholeNumber is the plain spelling of a JSON number that has a fraction or an
// exponent and is whole all the same. Its work is bounded by the spelling's
// length, however large the exponent.
func wholeNumber(spelling string) (plain string, ok bool) {
	if !strings.ContainsAny(spelling, ".eE") {
		return "", false
	}
	unsigned := strings.TrimPrefix(spelling, "-")
	mantissa, exponent := unsigned, 0
	if i := strings.IndexAny(unsigned, "eE"); i >= 0 {
		mantissa = unsigned[:i]
		exponent, _ = strconv.Atoi(unsigned[i+1:]) // the nearest int where it is out of range
	}
	integer, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(integer+fraction, "0")
	if digits == "" {
		return "0", true
	}
	// What is cut from the end are powers of ten.
	significant := strings.TrimRight(digits, "0")
	zeros := len(digits) - len(significant) - len(fraction)
	if exponent < -zeros || exponent > maxDigits-zeros {
		return "", false
	}
	plain = significant + strings.Repeat("0", zeros+exponent)
	if len(unsigned) < len(spelling) {
		plain = "-" + plain
	}
	return plain, len(plain) <= maxDigits+1
}

// respell is the text with all whole numbers in their plain spelling.
func (sc *scanner) respell() []byte {
	if len(sc.respelled) == 0 {
		return sc.data
	}
	var out []byte
	last := 0
	for _, r := range sc.respelled {
		out = append(append(out, sc.data[last:r.start]...), r.text...)
		last = r.end
	}
	return append(out, sc.data[last:]...)
}
