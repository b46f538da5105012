package protocol

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

	CloseBadEvents       CloseCode = 4500
	CloseUnauthorized    CloseCode = 4501
	CloseRevoked         CloseCode = 4502
	CloseKeyDisabled     CloseCode = 4503
	CloseConnectionLimit CloseCode = 4507
)

// Reason is the text that goes with the code, at most 123 bytes.
func (c CloseCode) Reason() string {
	switch c {
	case CloseGoingAway:
		return "server is going away"
	case CloseProtocolError:
		return "protocol error"
	case CloseUnsupported:
		return "this sub-protocol uses the other kind of frame"
	case CloseInvalidPayload:
		return "text is not valid UTF-8"
	case CloseTooBig:
		return "frame is too large"
	case CloseInternal:
		return "internal error"
	case CloseTryAgainLater:
		return "try again later"
	case CloseHeartbeatLost:
		return "heartbeat lost"
	case CloseSlowConsumer:
		return "events were not read in time"
	case CloseTokenExpired:
		return "token expired"
	case CloseRateLimited:
		return "too many frames"
	case CloseBadEvents:
		return "repeated bad events"
	case CloseUnauthorized:
		return "unauthorized"
	case CloseRevoked:
		return "session was revoked"
	case CloseKeyDisabled:
		return "project key is disabled"
	case CloseConnectionLimit:
		return "too many connections"
	case CloseNormal:
	}
	return ""
}
