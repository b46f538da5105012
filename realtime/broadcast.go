package realtime

import (
	"log/slog"
	"sync"

	"earshot/realtime/protocol"
)

// broadcast is one event or several for many sockets, framed once an encoding.
type broadcast struct {
	log     *slog.Logger
	events  [][]byte // as JSON
	written *written // nil where nothing of it is traced

	mu     sync.Mutex
	framed map[protocol.Encoding][]byte
}

// in gives the frames; nil where the encoding does not have the events.
func (b *broadcast) in(encoding protocol.Encoding) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	frames, done := b.framed[encoding]
	if done {
		return frames
	}
	for _, event := range b.events {
		data, ok, err := protocol.Transcode(encoding, event)
		if err != nil {
			b.log.Error("encode events", "error", err)
		}
		if !ok {
			frames = nil
			break
		}
		frames = appendFrame(frames, finalBit|byte(encoding.Writes(0)), data)
	}
	if b.framed == nil {
		b.framed = map[protocol.Encoding][]byte{}
	}
	b.framed[encoding] = frames
	return frames
}
