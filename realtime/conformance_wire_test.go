package realtime

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// wire is a client that sends bytes and says in words what comes back.
type wire struct {
	t    testing.TB
	conn *net.TCPConn
	in   *bufio.Reader
}

const wireRequest = "GET %s HTTP/1.1\r\nHost: shop.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"

func dialTCP(t testing.TB, addr string) *wire {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, wait)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{t: t, conn: conn.(*net.TCPConn), in: bufio.NewReader(conn)} //nolint:forcetypeassert // "tcp" gives no other
}

// dialWire is a socket after its handshake; headers are more lines of that.
func dialWire(t testing.TB, addr, path, headers string) *wire {
	t.Helper()
	w := dialTCP(t, addr)
	w.send([]byte(fmt.Sprintf(wireRequest, path, headers)))
	_ = w.conn.SetReadDeadline(time.Now().Add(wait))
	for first := true; ; first = false {
		line, err := w.in.ReadString('\n')
		if err != nil || (first && !strings.HasPrefix(line, "HTTP/1.1 101 ")) {
			t.Fatalf("handshake answered %q (%v), want 101", line, err)
		}
		if line == "\r\n" {
			return w
		}
	}
}

// send writes with pauses. A server that has ended may break off what is still
// written; whether it was to end shows in what is read.
func (w *wire) send(writes ...[]byte) {
	for i, b := range writes {
		if i > 0 {
			time.Sleep(writePause)
		}
		_ = w.conn.SetWriteDeadline(time.Now().Add(wait))
		if _, err := w.conn.Write(b); err != nil {
			return
		}
	}
}

// next describes what comes next: an event as "Pong p1" (its type and what it
// answers) or "Error bad_json", a control frame as `pong "payload"`, the close
// frame as "close 1002", the end of the stream as "end", and otherwise what is
// wrong.
func (w *wire) next() string {
	_ = w.conn.SetReadDeadline(time.Now().Add(wait))
	first, payload, err := w.serverFrame()
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "nothing"
	case errors.Is(err, io.EOF):
		return "end"
	case err != nil:
		return err.Error()
	}
	switch first {
	case wireFin | wireText:
		return describeEvent(payload)
	case wireFin | wirePing:
		return fmt.Sprintf("ping %q", payload)
	case wireFin | wirePong:
		return fmt.Sprintf("pong %q", payload)
	case wireFin | wireClose:
		return describeClose(payload)
	}
	return fmt.Sprintf("a frame with the first byte %#x", first)
}

func describeEvent(payload []byte) string {
	var e event
	switch err := json.Unmarshal(payload, &e); {
	case !utf8.Valid(payload):
		return fmt.Sprintf("text that is not UTF-8: %q", payload)
	case err != nil:
		return fmt.Sprintf("text that is no event: %q", payload)
	case e.Type == "Error":
		return "Error " + string(e.code())
	case e.Re == "":
		return e.Type
	}
	return e.Type + " " + e.Re
}

func describeClose(payload []byte) string {
	switch {
	case len(payload) == 0:
		return "close"
	case len(payload) == 1 || !utf8.Valid(payload[2:]):
		return fmt.Sprintf("malformed close %q", payload)
	}
	return fmt.Sprintf("close %d", binary.BigEndian.Uint16(payload))
}

// serverFrame reads a frame and holds it against what a server may send. What
// ends inside one is io.ErrUnexpectedEOF.
func (w *wire) serverFrame() (first byte, payload []byte, err error) {
	var head [10]byte
	if _, err := io.ReadFull(w.in, head[:1]); err != nil {
		return 0, nil, err
	}
	extended, least := 0, uint64(0)
	if err = w.readInside(head[1:2]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1])
	switch head[1] {
	case 126:
		extended, least = 2, 126
	case 127:
		extended, least = 8, 1<<16
	}
	if extended > 0 {
		number := head[2 : 2+extended]
		if err := w.readInside(number); err != nil {
			return 0, nil, err
		}
		length = 0
		for _, b := range number {
			length = length<<8 | uint64(b)
		}
	}
	switch {
	case head[1]&0x80 != 0:
		return 0, nil, errors.New("a masked frame")
	case length < least:
		return 0, nil, fmt.Errorf("a length of %d in %d bytes", length, extended)
	case length > 1<<20 || (head[0]&0x8 != 0 && length > 125):
		return 0, nil, fmt.Errorf("a frame %#x of %d bytes", head[0], length)
	}
	payload = make([]byte, length)
	return head[0], payload, w.readInside(payload)
}

func (w *wire) readInside(buf []byte) error {
	_, err := io.ReadFull(w.in, buf)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// want compares what comes with what is wanted; where there are several right
// answers they are parted by " or ".
func (w *wire) want(wanted ...string) {
	w.t.Helper()
	for i, want := range wanted {
		got := w.next()
		if !slices.Contains(strings.Split(want, " or "), got) {
			w.t.Fatalf("got %s, want %s (%d of %d: %s)", got, want, i+1, len(wanted), strings.Join(wanted, ", "))
		}
	}
}

// halfClose ends our half of the connection.
func (w *wire) halfClose() { _ = w.conn.CloseWrite() }
