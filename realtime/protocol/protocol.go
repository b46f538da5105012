// Package protocol is the typed contract of Earshot's sockets: four closed sums
// of events, two for each kind of client, with their envelope, their encodings
// and their codes.
//
// An event is a struct; its fields are the members of the envelope's data. The
// unexported method of a sum both admits the struct and gives its name on the
// wire, so there is no event without a name and no name without a type. The
// TypeScript of both front ends is generated from these structs, and switches
// over a sum are checked to be complete in both languages: a new event breaks
// the build wherever it is not handled.
package protocol

import (
	"fmt"
	"reflect"

	"earshot/models"
)

// VisitorClientEvent is what a visitor's client says.
//
//sumtype:decl
type VisitorClientEvent interface{ visitorClientEvent() string }

// VisitorServerEvent is what a visitor's client hears.
//
//sumtype:decl
type VisitorServerEvent interface{ visitorServerEvent() string }

// DashboardClientEvent is what a dashboard says.
//
//sumtype:decl
type DashboardClientEvent interface{ dashboardClientEvent() string }

// DashboardServerEvent is what a dashboard hears.
//
//sumtype:decl
type DashboardServerEvent interface{ dashboardServerEvent() string }

// The four sums with all their events. A test holds these lists against the
// types that implement the interfaces.
var (
	VisitorClient = newSum[VisitorClientEvent](VisitorClientEvent.visitorClientEvent, externalVisitorClient,
		Hello{}, DraftChanged{}, FeedbackSubmitted{}, MessageSent{}, Ping{})

	VisitorServer = newSum[VisitorServerEvent](VisitorServerEvent.visitorServerEvent, externalVisitorServer,
		VisitorConnected{}, DraftAccepted{}, VisitorFeedbackReceived{}, MessageAccepted{}, MessageRejected{},
		ReplyPosted{}, StatusChanged{}, AgentTyping{}, Resumed{}, ResumeFailed{}, GoingAway{}, Error{}, Pong{})

	DashboardClient = newSum[DashboardClientEvent](DashboardClientEvent.dashboardClientEvent, notExternal,
		Subscribe{}, Unsubscribe{}, Reauthenticate{}, ReplySent{}, NoteAdded{}, NoteEdited{}, NoteDeleted{}, Viewing{},
		JobRequested{}, JobCancelled{}, Ping{})

	DashboardServer = newSum[DashboardServerEvent](DashboardServerEvent.dashboardServerEvent, notExternal,
		DashboardConnected{}, Subscribed{}, DashboardFeedbackReceived{}, FeedbackUpdated{}, FeedbackErased{}, FeedbackImported{},
		MessagePosted{}, DashboardNoteAdded{}, DashboardNoteEdited{}, DashboardNoteDeleted{},
		DashboardDraftChanged{}, PresenceState{}, PresenceDiff{}, MessageAccepted{}, MessageRejected{},
		JobStarted{}, LogLine{}, Progress{}, JobFinished{}, AuthExpiring{}, ResyncRequired{}, GoingAway{}, Error{}, Pong{})
)

var errUnknownType = models.Errorf(models.CodeUnknownType, "there is no event of this type")

// Sum is a closed set of events E.
type Sum[E any] struct {
	name     func(E) string
	external func(E) (data any, ok bool)
	events   []EventType
	byName   map[string]EventType
}

// EventType is one event of a sum: its name on the wire and its struct.
type EventType struct {
	Name     string
	Type     reflect.Type
	shape    *shape
	external bool // External has it
}

// NewSum makes a closed set of an interface's events, each given once in any
// state; name is the interface's method.
func NewSum[E any](name func(E) string, events ...E) *Sum[E] {
	return newSum(name, notExternal, events...)
}

func newSum[E any](name func(E) string, external func(E) (any, bool), events ...E) *Sum[E] {
	s := &Sum[E]{name: name, external: external, byName: make(map[string]EventType, len(events))}
	for _, event := range events {
		t := EventType{Name: name(event), Type: reflect.TypeOf(event), shape: shapeOf(reflect.TypeOf(event))}
		_, t.external = external(event)
		s.events = append(s.events, t)
		s.byName[t.Name] = t
	}
	return s
}

// Events lists the sum's events in the order they are documented.
func (s *Sum[E]) Events() []EventType { return s.events }

// decode makes the event called name from its JSON members.
func (s *Sum[E]) decode(name string, data []byte) (E, error) {
	var none E
	t, ok := s.byName[name]
	if !ok {
		return none, errUnknownType
	}
	value := reflect.New(t.Type)
	if err := decodeStrict(data, t.shape, envelopeDepth, value.Interface()); err != nil {
		return none, err
	}
	event, ok := value.Elem().Interface().(E)
	if !ok {
		return none, fmt.Errorf("event %s is not in its sum", name)
	}
	return event, nil
}
