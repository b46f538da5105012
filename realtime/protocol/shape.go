package protocol

import (
	"encoding/json"
	"reflect"
	"strings"
)

// shape is what the strict decoder knows of a struct: its members' names, which
// of them must be there, and the shapes below. A nil shape admits any value.
type shape struct {
	members map[string]member
}

type member struct {
	shape    *shape
	required bool
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

// shapeOf derives the shape from a struct's json tags, by the naming rules of
// encoding/json. A member without omitempty or omitzero whose type is not a
// pointer has to be there.
func shapeOf(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer || (t.Kind() == reflect.Slice && t != rawMessage) {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" {
		return nil
	}
	s := &shape{members: make(map[string]member, t.NumField())}
	for i := range t.NumField() {
		field := t.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		below := shapeOf(field.Type)
		switch {
		case field.Anonymous && tag == "" && below != nil:
			for name, m := range below.members {
				s.members[name] = m
			}
		case field.IsExported() && field.Tag.Get("json") != "-":
			if tag == "" {
				tag = field.Name
			}
			s.members[tag] = member{
				shape:    below,
				required: !strings.Contains(options, "omit") && field.Type.Kind() != reflect.Pointer,
			}
		}
	}
	return s
}

// has reports whether a member is known.
func (s *shape) has(name string) bool {
	if s == nil {
		return false
	}
	_, ok := s.members[name]
	return ok
}

// misspelled reports whether name differs only in case from a member it is not.
// encoding/json would take one for the other.
func (s *shape) misspelled(name string) bool {
	if s.has(name) {
		return false
	}
	for known := range s.members {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}
