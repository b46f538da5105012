package protocol

import (
	"bytes"
	"encoding/json"

	"earshot/models"
)

// Decode reads one frame of a client in the given encoding. The id is given
// even where the event is refused, as far as it could be read, so that the
// refusal can name it. Errors are *models.Error with CodeBadJSON (whatever the
// encoding), CodeUnknownType, CodeInvalidField, CodeInvalidText or CodeTooLarge.
func (s *Sum[E]) Decode(enc Encoding, frame []byte) (event E, id string, err error) {
	// The socket closes on such a frame. Here it bounds what CBOR grows to as
	// text, which is at most eight times its size.
	if len(frame) > MaxFrame {
		return event, "", models.Errorf(models.CodeTooLarge, "a frame has at most %d bytes", MaxFrame)
	}
	switch enc {
	case JSON:
		return s.decodeEnvelope(frame)
	case CBOR:
		text, err := jsonFromCBOR(frame)
		if err != nil {
			return event, "", err
		}
		event, id, err = s.decodeEnvelope(text)
		return event, id, inWordsOfCBOR(err)
	case External:
	}
	return s.decodeExternal(frame)
}

// Encode writes an event in the given encoding. Not ok means that the encoding
// does not have the event: nothing is to be sent.
func (s *Sum[E]) Encode(enc Encoding, event E, meta Meta) (frame []byte, ok bool, err error) {
	switch enc {
	case JSON:
		frame, err = marshal(s.envelope(event, meta))
	case CBOR:
		if frame, err = marshal(s.envelope(event, meta)); err == nil {
			frame, err = cborFromJSON(frame)
		}
	case External:
		data, has := s.external(event)
		if !has {
			return nil, false, nil
		}
		if data == nil {
			frame, err = marshal(s.name(event))
		} else {
			frame, err = marshal(map[string]any{s.name(event): data})
		}
	}
	return frame, err == nil, err
}

// Transcode writes an event that is there as JSON, as Encode gives it, in
// another encoding. Not ok means that the encoding does not have it.
func Transcode(enc Encoding, event []byte) (frame []byte, ok bool, err error) {
	switch enc {
	case JSON:
		return event, true, nil
	case CBOR:
		frame, err = cborFromJSON(event)
		return frame, err == nil, err
	case External: // it has answers alone
	}
	return nil, false, nil
}

// marshal writes JSON without the escapes that only HTML needs: clients parse
// JSON, none of them HTML.
func marshal(value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
