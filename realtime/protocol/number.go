package protocol

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// maxDigits is that of int64: a whole number with more is out of every range.
const maxDigits = 19

// maxPlain is how many digits ECMAScript writes before it uses an exponent.
const maxPlain = 21

// respelled is a number in the text with its plain spelling.
type respelled struct {
	start, end int
	text       string
}

// number follows RFC 8259 §6. A number's value decides and not its spelling:
// 5.0 and 5e0 are 5, for fields of whole numbers and for what is compared as
// text, whichever encoding and whichever client it comes from.
func (sc *scanner) number() bool {
	start := sc.pos
	if !sc.spelling() {
		return false
	}
	if spelling := sc.data[start:sc.pos]; !isPlain(spelling) {
		if text := plainNumber(string(spelling)); text != string(spelling) {
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

// plainNumber is the spelling that ECMAScript has for the value of a JSON
// number: without fraction and exponent where it is whole and has at most
// maxDigits, else the shortest of the float64 with exactly this value. A number
// that is no such float keeps its spelling, and with it its digits.
func plainNumber(spelling string) string {
	digits, exponent := decimal(spelling)
	switch {
	case digits == "":
		return "0"
	case exponent >= 0 && exponent <= maxDigits-len(digits):
		return sign(spelling) + digits + strings.Repeat("0", exponent)
	}
	f, err := strconv.ParseFloat(spelling, 64)
	if err != nil {
		return spelling
	}
	shortest, err := json.Marshal(f)
	if err != nil {
		return spelling
	}
	if d, e := decimal(string(shortest)); d != digits || e != exponent {
		return spelling
	}
	return string(shortest)
}

// outOfRange reports whether a number is beyond what any field takes: those of
// int64, which float64 have as neighbours.
func outOfRange(spelling string) bool {
	f, err := strconv.ParseFloat(spelling, 64)
	if err != nil || math.Abs(f) > math.MaxInt64 {
		return true
	}
	if digits, exponent := decimal(spelling); exponent >= 0 && len(digits)+exponent == maxDigits {
		_, err := strconv.ParseInt(sign(spelling)+digits+strings.Repeat("0", exponent), 10, 64)
		return err != nil
	}
	return false
}

// isPlain knows at a glance most spellings that plainNumber would not change:
// whole numbers, and fractions of no more digits than a float64 tells apart (15,
// DBL_DIG of C11 §5.2.4.2.2).
func isPlain(spelling []byte) bool {
	if !bytes.ContainsAny(spelling, ".eE") {
		return len(spelling) <= maxPlain && string(spelling) != "-0"
	}
	return len(spelling) <= 15 && !bytes.ContainsAny(spelling, "eE") &&
		spelling[len(spelling)-1] != '0' && !bytes.Contains(spelling, []byte("0.00"))
}

// decimal is the value of a JSON number as digits × 10^exponent, without zeros
// at either end of the digits; none are left of 0. Its work is bounded by the
// spelling's length, however large the exponent.
func decimal(spelling string) (digits string, exponent int) {
	const beyond = 1 << 30 // more than any float's, and safe to add to
	mantissa := strings.TrimPrefix(spelling, "-")
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		exponent, _ = strconv.Atoi(mantissa[i+1:]) // the nearest int where it is out of range
		exponent = max(-beyond, min(exponent, beyond))
		mantissa = mantissa[:i]
	}
	integer, fraction, _ := strings.Cut(mantissa, ".")
	all := strings.TrimLeft(integer+fraction, "0")
	digits = strings.TrimRight(all, "0")
	return digits, exponent - len(fraction) + len(all) - len(digits)
}

func sign(spelling string) string {
	if strings.HasPrefix(spelling, "-") {
		return "-"
	}
	return ""
}

// respell is the text with all numbers in their plain spelling.
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
