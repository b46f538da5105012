package protocol

import (
	"strings"

	"earshot/models"
)

// Encoding is how the events of one socket are written. It is chosen at the
// upgrade and stays. Its zero value is JSON.
type Encoding uint8

// The encodings. All three have the same rules and lead to the same events: CBOR
// is translated to JSON at the door, and External has another envelope only.
const (
	// JSON is an envelope as JSON, in text frames.
	JSON Encoding = iota
	// CBOR is the same envelope as a map of RFC 8949, in binary frames.
	CBOR
	// External is JSON whose one member is named as the event, which is serde's
	// default for enums. It has no envelope, and the visitor's main events only.
	External
)

// The sub-protocols that an upgrade may offer.
const (
	SubprotocolJSON = "earshot.v1+json"
	SubprotocolCBOR = "earshot.v1+cbor"
)

// TaggingExternal is the value of the visitor's query parameter "tagging" that
// asks for External. The parameter has no other.
const TaggingExternal = "external"

// Subprotocol is the name to answer an offer with.
func (e Encoding) Subprotocol() string {
	switch e {
	case CBOR:
		return SubprotocolCBOR
	case JSON, External:
	}
	return SubprotocolJSON
}

// Negotiate chooses the encoding of an upgrade from its Sec-WebSocket-Protocol
// header (the client's order decides; "" offers nothing and gets JSON) and its
// query parameter "tagging". A client of External need not offer anything; if
// it does, JSON has to be there. Errors are *models.Error with CodeBadRequest.
//
// The answer names enc.Subprotocol() if something was offered, and none if not.
func Negotiate(offered, tagging string) (Encoding, error) {
	if tagging != "" && tagging != TaggingExternal {
		return JSON, models.Errorf(models.CodeBadRequest, "tagging can only be %s", TaggingExternal)
	}
	if offered == "" {
		if tagging == TaggingExternal {
			return External, nil
		}
		return JSON, nil
	}
	for name := range strings.SplitSeq(offered, ",") {
		switch name = strings.TrimSpace(name); {
		case name == SubprotocolJSON && tagging == TaggingExternal:
			return External, nil
		case name == SubprotocolJSON:
			return JSON, nil
		case name == SubprotocolCBOR && tagging == "":
			return CBOR, nil
		}
	}
	if tagging == TaggingExternal {
		return JSON, models.Errorf(models.CodeBadRequest, "tagging=%s goes with %s alone", TaggingExternal, SubprotocolJSON)
	}
	return JSON, models.Errorf(models.CodeBadRequest,
		"none of the offered sub-protocols is known; offer %s or %s", SubprotocolJSON, SubprotocolCBOR)
}

// FrameKind is a kind of WebSocket frame that carries an event: its opcode
// (RFC 6455 §5.2).
type FrameKind uint8

// The two kinds.
const (
	TextFrame   FrameKind = 1
	BinaryFrame FrameKind = 2
)

// Reads reports whether a client may send events in frames of this kind; for
// the other the socket is closed with CloseUnsupported. Text frames have to be
// UTF-8 besides, or it is closed with CloseInvalidPayload.
func (e Encoding) Reads(kind FrameKind) bool {
	switch e {
	case JSON:
		return kind == TextFrame
	case CBOR:
		return kind == BinaryFrame
	case External:
	}
	return kind == TextFrame || kind == BinaryFrame
}

// Writes is the kind of frame for the server's events. last is the kind of the
// client's last frame, zero before its first; only External depends on it.
func (e Encoding) Writes(last FrameKind) FrameKind {
	switch {
	case e == CBOR, e == External && last == BinaryFrame:
		return BinaryFrame
	}
	return TextFrame
}
