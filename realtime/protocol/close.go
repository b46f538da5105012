package protocol

import (
	"maps"
	"slices"
)

// CloseCode ends a socket with a reason (RFC 6455 §7.4). Of our own codes a
// client reconnects after 4000–4499 and stops after 4500–4999.
type CloseCode uint16

// The close codes of the wire contract.
const (
	CloseNormal         CloseCode = 1000
	CloseGoingAway      CloseCode = 1001
	CloseProtocolError  CloseCode = 1002
	CloseUnsupported    CloseCode = 1003
	CloseInvalidPayload CloseCode = 1007
	CloseTooBig         CloseCode = 1009
	CloseInternal       CloseCode = 1011
	CloseTryAgainLater  CloseCode = 1013

	CloseHeartbeatLost CloseCode = 4001
	CloseSlowConsumer  CloseCode = 4002
	CloseTokenExpired  CloseCode = 4004
	CloseRateLimited   CloseCode = 4005

	CloseBadEvents   CloseCode = 4500
	CloseRevoked     CloseCode = 4502
	CloseKeyDisabled CloseCode = 4503
)

// closeReasons has every code that a socket is closed with. The library itself
// sends CloseProtocolError.
var closeReasons = map[CloseCode]string{
	CloseNormal:         "", // says enough
	CloseGoingAway:      "server is going away",
	CloseProtocolError:  "protocol error",
	CloseUnsupported:    "this sub-protocol uses the other kind of frame",
	CloseInvalidPayload: "text is not valid UTF-8",
	CloseTooBig:         "frame is too large",
	CloseInternal:       "internal error",
	CloseTryAgainLater:  "try again later",
	CloseHeartbeatLost:  "heartbeat lost",
	CloseSlowConsumer:   "events were not read in time",
	CloseTokenExpired:   "token expired",
	CloseRateLimited:    "too many frames",
	CloseBadEvents:      "repeated bad events",
	CloseRevoked:        "session was revoked",
	CloseKeyDisabled:    "project key is disabled",
}

// Reason is the text that goes with the code, at most 123 bytes.
func (c CloseCode) Reason() string { return closeReasons[c] }

// Known reports whether the code is one that a socket of ours is closed with.
func (c CloseCode) Known() bool {
	_, known := closeReasons[c]
	return known
}

// CloseCodes lists all codes in ascending order; the caller owns the slice.
func CloseCodes() []CloseCode { return slices.Sorted(maps.Keys(closeReasons)) }
