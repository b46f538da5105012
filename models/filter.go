package models

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// FeedbackFilter narrows feedback down: lists, exports and views, all by the same
// fields. Empty ones admit all.
type FeedbackFilter struct {
	Status   several[Status]   `json:"status,omitempty"`
	Kind     several[Kind]     `json:"kind,omitempty"`
	Rating   several[int]      `json:"rating,omitempty"`
	Priority several[Priority] `json:"priority,omitempty"`
	Tag      string            `json:"tag,omitempty"`
	Assignee string            `json:"assignee,omitempty"` // a member's id, "me" or "none"
	Query    string            `json:"q,omitempty"`
	// HasAttachment: true admits what has a file, false what has none.
	HasAttachment *bool      `json:"has_attachment,omitempty"`
	From          *time.Time `json:"from,omitempty"`
	To            *time.Time `json:"to,omitempty"`
	PageURL       string     `json:"page_url,omitempty"`
	Quarantined   *bool      `json:"quarantined,omitempty"`
	// Unread: true admits what the person who asks has not read.
	Unread *bool `json:"unread,omitempty"`
}

// The longest values, in code points.
const (
	maxQuery   = 500
	maxPageURL = 2048
)

// ReadFeedbackFilter reads a filter, which stands at a path of what was sent. A field
// that is not known is refused, one in another case too: to ignore it would let more
// through than was asked for.
func ReadFeedbackFilter(at string, raw json.RawMessage) (f FeedbackFilter, err error) {
	fields, err := readFields(at, raw)
	if err != nil {
		return f, err
	}
	return f, f.read(at, fields)
}

func readFields(at string, raw json.RawMessage) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if len(bytes.TrimSpace(raw)) > 0 && json.Unmarshal(raw, &fields) != nil {
		return nil, InvalidField(at, "must be an object with the filters of the list")
	}
	return fields, nil
}

func (f *FeedbackFilter) read(at string, fields map[string]json.RawMessage) error {
	var p problems
	names := filterNames()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(names, name) {
			p.add(at+"."+name, "is not a filter")
			continue
		}
		one, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err != nil || json.Unmarshal(one, f) != nil {
			p.add(at+"."+name, "is not a value of this filter")
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	return f.Check(at)
}

func filterNames() []string {
	return []string{
		"status", "kind", "rating", "priority", "tag", "assignee", "q", "has_attachment", "from", "to", "page_url", "quarantined", "unread",
	}
}

// Check checks the values of a filter at a path of what was sent; "" where its fields
// stand alone.
func (f *FeedbackFilter) Check(at string) error {
	if at != "" {
		at += "."
	}
	var p problems
	checkAll(&p, at+"status", f.Status, Status.Valid, Statuses())
	checkAll(&p, at+"kind", f.Kind, Kind.Valid, Kinds())
	checkAll(&p, at+"priority", f.Priority, func(p Priority) bool { return p.Rank() >= 0 }, Priorities())
	checkAll(&p, at+"rating", f.Rating, func(n int) bool { return n >= 1 && n <= 5 }, []int{1, 2, 3, 4, 5})
	if f.Assignee != "" && f.Assignee != AssigneeNone && f.Assignee != AssigneeMe && !ID(f.Assignee).Valid() {
		p.add(at+"assignee", "must be a member's id, me or none")
	}
	for _, text := range []struct {
		name, value string
		longest     int
	}{{"q", f.Query, maxQuery}, {"tag", f.Tag, maxQuery}, {"page_url", f.PageURL, maxPageURL}} {
		if checkText(&p, at+text.name, text.value) {
			checkLength(&p, at+text.name, text.value, 0, text.longest)
		}
	}
	return p.err()
}

func checkAll[T any](p *problems, path string, values []T, valid func(T) bool, all []T) {
	for _, value := range values {
		if !valid(value) {
			p.add(path, "must be of %v", all)
			return
		}
	}
}

// What stands for an assignee in filters: the person who asks, and nobody.
const (
	AssigneeMe   = "me"
	AssigneeNone = "none"
)

// several is one value, several with commas between, or a list of them.
type several[T comparable] []T

// UnmarshalJSON implements json.Unmarshaler.
func (s *several[T]) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]T)(s))
	}
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		for part := range strings.SplitSeq(text, ",") {
			if part == "" {
				continue
			}
			value, err := readOne[T](strings.TrimSpace(part))
			if err != nil {
				return err
			}
			*s = append(*s, value)
		}
		return nil
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*s = several[T]{one}
	return nil
}

func readOne[T any](text string) (value T, err error) {
	if json.Unmarshal([]byte(text), &value) == nil { // a number
		return value, nil
	}
	quoted, err := json.Marshal(text)
	if err == nil {
		err = json.Unmarshal(quoted, &value)
	}
	if err != nil {
		return value, fmt.Errorf("read %q: %w", text, err)
	}
	return value, nil
}

// Values is the filter's values as a plain slice.
func (s several[T]) Values() []T { return slices.Clone([]T(s)) }
