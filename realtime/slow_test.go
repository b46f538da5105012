package realtime

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"earshot/realtime/protocol"
)

// socketBuffer is small, so that little is enough to fill a connection, and
// large enough to take whole segments: a smaller one makes the kernel probe for
// room, at intervals of up to seconds.
const socketBuffer = 64 << 10

// rawClient is a connection after its handshake, without a library that would
// read by itself or answer anything.
type rawClient struct {
	t    *testing.T
	conn *net.TCPConn
	in   *bufio.Reader
}

func (h *harness) dialRaw(path string) *rawClient {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	c := &rawClient{h.t, conn.(*net.TCPConn), bufio.NewReader(conn)} //nolint:forcetypeassert // "tcp" gives no other
	if err := c.conn.SetReadBuffer(socketBuffer); err != nil {
		h.t.Fatal(err)
	}
	_, err = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		h.t.Fatal(err)
	}
	for line := ""; line != "\r\n"; {
		if line, err = c.in.ReadString('\n'); err != nil {
			h.t.Fatal(err)
		}
	}
	return c
}

// frame reads one of the server's frames.
func (c *rawClient) frame() (opcode byte, payload []byte, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(wait))
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1])
	switch size {
	case 126:
		var n uint16
		err = binary.Read(c.in, binary.BigEndian, &n)
		size = uint64(n)
	case 127:
		err = binary.Read(c.in, binary.BigEndian, &size)
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(c.in, payload)
	return head[0], payload, err
}

// ping sends one of the client's own events, masked with zeros.
func (c *rawClient) ping() error {
	const event = `{"type":"Ping","data":{}}`
	_, err := c.conn.Write(append([]byte{opText, 0x80 | byte(len(event)), 0, 0, 0, 0}, event...))
	return err
}

// wantCloseAndEnd reads to the end of the stream, which must come in order right
// after a close frame with code.
func (c *rawClient) wantCloseAndEnd(code protocol.CloseCode) {
	c.t.Helper()
	got := protocol.CloseCode(0)
	for {
		opcode, payload, err := c.frame()
		switch {
		case errors.Is(err, io.EOF) && got == code:
			return
		case err != nil:
			c.t.Fatalf("the stream ended with %v after close code %d, want %d and then the end", err, got, code)
		case got != 0:
			c.t.Fatalf("frame %#x came after the close frame", opcode)
		case opcode == opClose && len(payload) >= 2:
			got = protocol.CloseCode(binary.BigEndian.Uint16(payload))
		}
	}
}

// overflow pushes events until the queue of the only dashboard has no room, and
// waits until a part of what was pushed is on its way.
func (h *harness) overflow() {
	h.t.Helper()
	out := outgoing{frames: frame(opText, []byte(`"`+strings.Repeat("a", 30<<10)+`"`)), events: 1}
	h.eachDashboard(func(d *dashboard) {
		tcp, ok := d.net.(*net.TCPConn)
		if !ok {
			h.t.Fatalf("the socket is a %T", d.net)
		}
		_ = tcp.SetWriteBuffer(socketBuffer)
		for !d.isClosing() {
			d.push(out)
		}
	})
}

// A reader that pauses, for longer than one write may take, finds on its return
// why it was cut off, although it goes on sending.
func TestSlowReaderThatReturnsFindsTheCloseFrame(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		pause time.Duration
	}{
		{"short pause", 2 * time.Second},
		{"longer than a write may take", writeDeadline + 2*time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, true)
			c := h.dialRaw("/dashboard")
			if opcode, payload, err := c.frame(); err != nil || !strings.Contains(string(payload), "Connected") {
				t.Fatalf("got %#x %s (%v), want Connected", opcode, payload, err)
			}
			h.overflow()
			for end := time.Now().Add(tc.pause); time.Now().Before(end); time.Sleep(tc.pause / 20) {
				if err := c.ping(); err != nil {
					t.Fatalf("send during the pause: %v", err)
				}
			}
			c.wantCloseAndEnd(protocol.CloseSlowConsumer)
		})
	}
}

// One that never returns is gone in bounded time.
func TestReaderThatStopsIsGivenUp(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	c := h.dialRaw("/dashboard")
	if _, _, err := c.frame(); err != nil {
		t.Fatal(err)
	}
	h.overflow()
	began := time.Now()
	for open := 1; open > 0; time.Sleep(10 * time.Millisecond) {
		open = 0
		h.eachDashboard(func(*dashboard) { open++ })
		if took := time.Since(began); took > slowGrace+closeLinger+time.Second {
			t.Fatalf("the socket is still open after %v", took)
		}
	}
	if took := time.Since(began); took < slowGrace-time.Second {
		t.Errorf("the socket went after %v, want it to have %v", took, slowGrace)
	}
}
