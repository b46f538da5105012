package protocol

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/x448/float16"

	"earshot/models"
)

// CBOR is read by translating it to the JSON text that says the same, which
// then goes the way of every JSON text. So there is one set of rules for
// members, depth, texts and numbers, and what has no word in JSON is refused:
// byte strings, tags, undefined, NaN, the infinities, keys that are no texts.

// The major types of RFC 8949 §3.1, in the place that they have in a head.
const (
	cborUnsigned = iota << 5
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborSimple
)

// The values of major type 7, as whole heads.
const (
	cborFalse   = cborSimple | 20
	cborTrue    = cborSimple | 21
	cborNull    = cborSimple | 22
	cborFloat16 = cborSimple | 25
	cborFloat32 = cborSimple | 26
	cborFloat64 = cborSimple | 27
)

// cborGrammar admits one well-formed item of definite lengths, without tags. Its
// own bound on depth, 32, only keeps the recursion small: MaxDepth is the
// scanner's. It takes no length for granted that the bytes do not bear out.
var cborGrammar = newCBORGrammar()

func newCBORGrammar() cbor.DecMode {
	mode, err := cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden,
		TagsMd:      cbor.TagsForbidden,
		NaN:         cbor.NaNDecodeForbidden,
		Inf:         cbor.InfDecodeForbidden,
	}.DecMode()
	if err != nil {
		panic(err) // these very options are known to be good
	}
	return mode
}

var (
	errCBORValue   = badCBOR("byte strings, undefined and simple values are not used here")
	errCBORKey     = badCBOR("a key is not a text")
	errCBORMembers = badCBOR("a key is repeated or differs from a known one in case only, or it nests deeper than " +
		strconv.Itoa(MaxDepth))
	errCBORNoMap = badCBOR("it is not a map")
)

func badCBOR(why string) error {
	return models.Errorf(models.CodeBadJSON, "this is not valid CBOR: %s", why)
}

// inWordsOfCBOR replaces the refusals that speak of JSON.
func inWordsOfCBOR(err error) error {
	switch {
	case errors.Is(err, errBadJSON):
		return errCBORMembers
	case errors.Is(err, errNoObject):
		return errCBORNoMap
	}
	return err
}

// jsonFromCBOR is the JSON text of a CBOR item. Texts that are not UTF-8 remain
// what they are, for the scanner to find.
func jsonFromCBOR(data []byte) ([]byte, error) {
	if err := cborGrammar.Wellformed(data); err != nil {
		return nil, badCBOR(strings.TrimPrefix(err.Error(), "cbor: "))
	}
	r := cborReader{rest: data, out: make([]byte, 0, len(data)+len(data)/4)}
	if err := r.value(); err != nil {
		return nil, err
	}
	return r.out, nil
}

// cborReader translates CBOR that is known to be well-formed.
type cborReader struct {
	rest []byte
	out  []byte
}

// head steps past the head of an item. Where the argument is a float it is its
// bits.
func (r *cborReader) head() (initial byte, argument uint64) {
	initial = r.rest[0]
	r.rest = r.rest[1:]
	switch initial & 31 {
	case 24:
		argument, r.rest = uint64(r.rest[0]), r.rest[1:]
	case 25:
		argument, r.rest = uint64(binary.BigEndian.Uint16(r.rest)), r.rest[2:]
	case 26:
		argument, r.rest = uint64(binary.BigEndian.Uint32(r.rest)), r.rest[4:]
	case 27:
		argument, r.rest = binary.BigEndian.Uint64(r.rest), r.rest[8:]
	default:
		argument = uint64(initial & 31)
	}
	return initial, argument
}

func (r *cborReader) value() error {
	initial, argument := r.head()
	switch initial &^ 31 {
	case cborUnsigned:
		r.out = strconv.AppendUint(r.out, argument, 10)
	case cborNegative:
		r.negative(argument)
	case cborText:
		r.text(argument)
	case cborArray:
		return r.array(argument)
	case cborMap:
		return r.members(argument)
	case cborSimple:
		return r.simple(initial, argument)
	default:
		return errCBORValue
	}
	return nil
}

// negative writes -1-n, which for the largest n is one more than uint64 holds.
func (r *cborReader) negative(n uint64) {
	if n == math.MaxUint64 {
		r.out = append(r.out, "-18446744073709551616"...)
		return
	}
	r.out = strconv.AppendUint(append(r.out, '-'), n+1, 10)
}

func (r *cborReader) array(length uint64) error {
	r.out = append(r.out, '[')
	for i := range length {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		if err := r.value(); err != nil {
			return err
		}
	}
	r.out = append(r.out, ']')
	return nil
}

func (r *cborReader) members(length uint64) error {
	r.out = append(r.out, '{')
	for i := range length {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		initial, argument := r.head()
		if initial&^31 != cborText {
			return errCBORKey
		}
		r.text(argument)
		r.out = append(r.out, ':')
		if err := r.value(); err != nil {
			return err
		}
	}
	r.out = append(r.out, '}')
	return nil
}

func (r *cborReader) simple(initial byte, bits uint64) error {
	switch initial {
	case cborFalse:
		r.out = append(r.out, "false"...)
	case cborTrue:
		r.out = append(r.out, "true"...)
	case cborNull:
		r.out = append(r.out, "null"...)
	case cborFloat16:
		return r.float(float64(float16.Frombits(uint16(bits)).Float32())) //nolint:gosec // the head has two bytes
	case cborFloat32:
		return r.float(float64(math.Float32frombits(uint32(bits)))) //nolint:gosec // the head has four bytes
	case cborFloat64:
		return r.float(math.Float64frombits(bits))
	default:
		return errCBORValue
	}
	return nil
}

// float writes a number as ECMAScript does: the shortest digits that tell it
// from others, and none after the point where it is whole.
func (r *cborReader) float(f float64) error {
	digits, err := json.Marshal(f)
	if err != nil {
		return badCBOR("a number is not finite")
	}
	r.out = append(r.out, digits...)
	return nil
}

// text writes a JSON string with no more escapes than JSON needs.
func (r *cborReader) text(length uint64) {
	const hex = "0123456789abcdef"
	r.out = append(r.out, '"')
	for _, c := range r.rest[:length] {
		switch {
		case c == '"' || c == '\\':
			r.out = append(r.out, '\\', c)
		case c == '\n':
			r.out = append(r.out, '\\', 'n')
		case c == '\r':
			r.out = append(r.out, '\\', 'r')
		case c == '\t':
			r.out = append(r.out, '\\', 't')
		case c < ' ':
			r.out = append(r.out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			r.out = append(r.out, c)
		}
	}
	r.out, r.rest = append(r.out, '"'), r.rest[length:]
}
