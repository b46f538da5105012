package protocol

import (
	"encoding/json"
	"reflect"

	"earshot/models"
)

// External tagging writes an event as {"Name":{…}}, and one without data as
// "Name". Clients decode it into enums that admit no variant and need no field
// but those below: whatever else the server has to say is not sent to them.

// externalVisitorServer is what External has of a server's event: the data, nil
// for none, and whether it has the event at all.
func externalVisitorServer(event VisitorServerEvent) (data any, ok bool) {
	switch e := event.(type) {
	case VisitorConnected:
		return struct {
			SessionID models.ID `json:"session_id"`
		}{e.SessionID}, true
	case DraftAccepted:
		return nil, true
	case VisitorFeedbackReceived:
		return struct {
			ID models.ID `json:"id"`
		}{e.ID}, true
	case Error:
		return struct {
			Message string `json:"message"`
		}{e.Message}, true
	case MessageAccepted, MessageRejected, ReplyPosted, StatusChanged, AgentTyping, Resumed, ResumeFailed, GoingAway, Pong:
	}
	return nil, false
}

// externalVisitorClient is the same for what a visitor's client says.
func externalVisitorClient(event VisitorClientEvent) (data any, ok bool) {
	switch event.(type) {
	case DraftChanged, FeedbackSubmitted:
		return event, true
	case Hello, MessageSent, Ping:
	}
	return nil, false
}

// notExternal is that of the dashboard's sums, which External does not serve.
func notExternal[E any](E) (data any, ok bool) { return nil, false }

// externalID is the place of an event's id where there is no envelope: beside
// the event's own fields, as in the body of the visitor's POST.
type externalID struct {
	ID *string `json:"id"`
}

var externalIDShape = shapeOf(reflect.TypeFor[externalID]())

// decodeExternal reads a frame of External. As with the POST, a submission may
// bring its id and is given one if it does not; then it is not known again when
// it is repeated.
func (s *Sum[E]) decodeExternal(frame []byte) (event E, id string, err error) {
	name, data, err := splitExternal(frame)
	if err != nil {
		return event, "", err
	}
	if t, ok := s.byName[name]; !ok || !t.external {
		return event, "", errUnknownType
	}
	var own externalID
	if err := decodeStrict(data, externalIDShape, envelopeDepth, &own); err != nil {
		return event, "", err
	}
	if own.ID != nil {
		id = *own.ID
	}
	if len(id) > maxEnvelopeID {
		return event, "", errEnvelopeID
	}
	if event, err = s.decode(name, data); err != nil {
		return event, id, err
	}
	if _, isSubmission := any(event).(FeedbackSubmitted); isSubmission && own.ID == nil {
		id = string(models.NewID())
	}
	return event, id, nil
}

// splitExternal finds the name and the data of a frame, {} where it has none.
func splitExternal(frame []byte) (name string, data []byte, err error) {
	plain, err := scan(frame, nil, 0)
	if err != nil {
		return "", nil, err
	}
	switch firstByte(plain) {
	case '"':
		err = json.Unmarshal(plain, &name)
	case '{':
		var tagged map[string]json.RawMessage
		err = json.Unmarshal(plain, &tagged)
		if len(tagged) != 1 {
			return "", nil, errNoTag
		}
		for name, data = range tagged {
		}
	default:
		return "", nil, errNoTag
	}
	if err != nil {
		return "", nil, errBadJSON
	}
	if len(data) == 0 || string(data) == "null" {
		data = []byte("{}")
	}
	return name, data, nil
}

var errNoTag = models.Errorf(models.CodeBadJSON, "this is not an object whose one member is named as an event")
