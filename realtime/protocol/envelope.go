package protocol

import (
	"encoding/json"
	"errors"
	"reflect"

	"earshot/models"
)

// MaxFrame bounds a client's frame, in bytes.
const MaxFrame = 64 << 10

// maxEnvelopeID bounds an id that is only sent back; the ids that mean
// something are 36 characters.
const maxEnvelopeID = 64

// clientEnvelope is what every client event is wrapped in.
type clientEnvelope struct {
	Type string          `json:"type"`
	ID   string          `json:"id,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
}

var clientShape = shapeOf(reflect.TypeFor[clientEnvelope]())

var errEnvelopeID = models.InvalidField("id", "must be a UUIDv7 in lower case")

// Decode reads one frame of a client that speaks JSON.
func Decode[E any](sum *Sum[E], frame []byte) (event E, id string, err error) {
	return sum.Decode(JSON, frame)
}

func (s *Sum[E]) decodeEnvelope(frame []byte) (event E, id string, err error) {
	if firstByte(frame) != '{' {
		return event, "", errNoObject
	}
	var env clientEnvelope
	if err := decodeStrict(frame, clientShape, 0, &env); err != nil {
		return event, readableID(frame, err), err
	}
	if len(env.ID) > maxEnvelopeID {
		return event, "", errEnvelopeID
	}
	// null says as much as nothing: of an event without required fields, enough.
	if len(env.Data) == 0 || string(env.Data) == "null" {
		env.Data = []byte("{}")
	}
	event, err = s.decode(env.Type, env.Data)
	return event, env.ID, err
}

// readableID finds the id of a frame that is JSON but was refused, so that the
// sender learns which of its events it was.
func readableID(frame []byte, err error) string {
	if models.CodeOf(err) == models.CodeBadJSON {
		return ""
	}
	var env struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(frame, &env) != nil || !models.ID(env.ID).Valid() {
		return ""
	}
	return env.ID
}

// Meta is what a server event carries beside its data. Epoch and Seq mark the
// durable ones.
type Meta struct {
	Re    string
	Epoch models.Epoch
	Seq   int64
}

type serverEnvelope struct {
	Type  string       `json:"type"`
	Re    string       `json:"re,omitempty"`
	Epoch models.Epoch `json:"epoch,omitempty"`
	Seq   int64        `json:"seq,omitempty"`
	Data  any          `json:"data"`
}

func (s *Sum[E]) envelope(event E, meta Meta) serverEnvelope {
	return serverEnvelope{Type: s.name(event), Re: meta.Re, Epoch: meta.Epoch, Seq: meta.Seq, Data: event}
}

// Encode writes a server event as JSON.
func Encode[E any](sum *Sum[E], event E, meta Meta) ([]byte, error) {
	return marshal(sum.envelope(event, meta))
}

// Rejection is ErrorEvent for messages.
func Rejection(err error) MessageRejected {
	return MessageRejected(ErrorEvent(err))
}

// ErrorEvent is the event that tells a client of err. A failure of our own is
// told without its cause.
func ErrorEvent(err error) Error {
	var e *models.Error
	if !errors.As(err, &e) {
		return Error{Code: models.CodeInternal, Message: "something went wrong on our side"}
	}
	return Error{Code: e.Code, Message: e.Error(), Errors: e.Fields, RetryAfterMS: e.RetryAfter.Milliseconds()}
}
