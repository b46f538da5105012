package protocol

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"earshot/models"
)

// Decoder reads JSON texts of one shape strictly: what encoding/json would
// guess about is refused. Members that T does not have are ignored, so that a
// newer client can talk to an older server.
type Decoder[T any] struct{ shape *shape }

// NewDecoder prepares a Decoder; make it once, it may be shared.
func NewDecoder[T any]() Decoder[T] {
	return Decoder[T]{shape: shapeOf(reflect.TypeFor[T]())}
}

// Decode reads one JSON text. Its errors are *models.Error.
func (d Decoder[T]) Decode(data []byte) (T, error) {
	var value T
	if d.shape != nil && firstByte(data) != '{' {
		return value, errNoObject
	}
	err := decodeStrict(data, d.shape, 0, &value)
	return value, err
}

// CheckJSON refuses what Decoder refuses, and numbers out of every range, for a
// text that another decoder reads into a value of type t afterwards. It gives the
// text as that one is to read it.
func CheckJSON(data []byte, t reflect.Type) ([]byte, error) {
	s := shapeOf(t)
	if s != nil {
		s = s.optional()
	}
	sc := scanner{data: data, bounded: true}
	return sc.scan(s, 0)
}

// optional is the shape with no member required: the other decoder has its own
// word for a missing one.
func (s *shape) optional() *shape {
	loose := &shape{members: make(map[string]member, len(s.members))}
	for name, m := range s.members {
		if m.shape != nil {
			m.shape = m.shape.optional()
		}
		m.required = false
		loose.members[name] = m
	}
	return loose
}

func decodeStrict(data []byte, s *shape, base int, into any) error {
	plain, err := scan(data, s, base)
	if err != nil {
		return err
	}
	if s != nil && firstByte(data) != '{' {
		return models.Errorf(models.CodeInvalidField, "must be an object")
	}
	err = json.Unmarshal(plain, into)
	if err == nil {
		return nil
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return models.InvalidField(wrong.Field, "must be "+kindName(wrong.Type))
	}
	return errBadJSON
}

func firstByte(data []byte) byte {
	if trimmed := strings.TrimLeft(string(data[:min(len(data), 64)]), " \t\r\n"); trimmed != "" {
		return trimmed[0]
	}
	for _, c := range data {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Pointer:
		return kindName(t.Elem())
	default:
		return "a whole number in range"
	}
}
