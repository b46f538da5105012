package realtime

import (
	"encoding/binary"

	"earshot/realtime/protocol"
)

// The opcodes that a server sends (RFC 6455 §5.2), with the final bit set: our
// messages are small and go out in one frame.
const (
	opText  = 0x81
	opClose = 0x88
	opPing  = 0x89
	opPong  = 0x8A
)

// frame puts a server's frame header (RFC 6455 §5.2, unmasked) before payload.
// The result is the same for every client, so that a publication is framed once
// for all of them.
func frame(opcode byte, payload []byte) []byte {
	return appendFrame(make([]byte, 0, len(payload)+10), opcode, payload)
}

func appendFrame(buf []byte, opcode byte, payload []byte) []byte {
	switch n := len(payload); {
	case n < 126:
		buf = append(buf, opcode, byte(n))
	case n <= 0xFFFF:
		buf = append(buf, opcode, 126)
		buf = binary.BigEndian.AppendUint16(buf, uint16(n))
	default:
		buf = append(buf, opcode, 127)
		buf = binary.BigEndian.AppendUint64(buf, uint64(n))
	}
	return append(buf, payload...)
}

// closeFrame ends a socket with a code and its reason (RFC 6455 §5.5.1).
func closeFrame(code protocol.CloseCode) []byte {
	payload := binary.BigEndian.AppendUint16(make([]byte, 0, 64), uint16(code))
	return frame(opClose, append(payload, code.Reason()...))
}
