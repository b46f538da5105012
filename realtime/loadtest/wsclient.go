package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// wsClient is as little WebSocket client as a load test can do with: client and
// server share the machine, and what the client burns is taken from the server.
type wsClient struct {
	conn   net.Conn
	r      *bufio.Reader
	opened time.Time
}

const dialTimeout = 20 * time.Second

// dialSocket opens a socket at path, with a Bearer token where it is not "" and further
// lines of the header.
func dialSocket(addr, path, token string, readBuffer int, header ...string) (*wsClient, error) {
	conn, err := net.DialTimeout("tcp", addr, dialTimeout)
	if err != nil {
		return nil, err
	}
	var request strings.Builder
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", path, addr)
	if token != "" {
		fmt.Fprintf(&request, "Authorization: Bearer %s\r\n", token)
	}
	for _, line := range header {
		request.WriteString(line + "\r\n")
	}
	request.WriteString("\r\n")
	c := &wsClient{conn: conn, r: bufio.NewReaderSize(conn, readBuffer), opened: time.Now()}
	if err := c.handshake(request.String()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (c *wsClient) handshake(request string) error {
	if err := c.conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(c.conn, request); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return &upgradeError{response.StatusCode}
	}
	return c.conn.SetDeadline(time.Time{})
}

// upgradeError is the status of a socket that was refused.
type upgradeError struct{ code int }

// Error is the status.
func (e *upgradeError) Error() string { return fmt.Sprintf("upgrade answered %d", e.code) }

// send writes one masked text frame (RFC 6455 §5.3). The mask is zero, which
// spares the client the work of masking and changes nothing for the server.
func (c *wsClient) send(text string) error {
	frame := []byte{0x81}
	switch n := len(text); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	default:
		frame = append(frame, 0x80|126)
		frame = binary.BigEndian.AppendUint16(frame, uint16(n)) //nolint:gosec // far below 64 KiB
	}
	frame = append(frame, 0, 0, 0, 0)
	_, err := c.conn.Write(append(frame, text...))
	return err
}

// next gives the payload of the next text frame, valid until the call after it.
// Pings are answered; a close frame is an error.
func (c *wsClient) next() ([]byte, error) {
	for {
		header, err := c.r.Peek(2)
		if err != nil {
			return nil, err
		}
		opcode, size, skip := header[0]&0x0f, int(header[1]&0x7f), 2
		switch size {
		case 126:
			if header, err = c.r.Peek(4); err != nil {
				return nil, err
			}
			size, skip = int(binary.BigEndian.Uint16(header[2:])), 4
		case 127:
			return nil, errors.New("frame is larger than a load test expects")
		}
		whole, err := c.r.Peek(skip + size)
		if err != nil {
			return nil, err
		}
		if _, err := c.r.Discard(skip + size); err != nil {
			return nil, err
		}
		payload := whole[skip:]
		switch opcode {
		case 1:
			return payload, nil
		case 8:
			return nil, closed(payload)
		case 9:
			if _, err := c.conn.Write([]byte{0x8A, 0x80, 0, 0, 0, 0}); err != nil {
				return nil, err
			}
		}
	}
}

// closedError is the server's close frame.
type closedError struct {
	code   int
	reason string
}

// Error is the frame's content.
func (e *closedError) Error() string { return fmt.Sprintf("closed with %d %s", e.code, e.reason) }

func closed(payload []byte) error {
	if len(payload) < 2 {
		return errors.New("closed without a code")
	}
	return &closedError{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
}

// sendClose answers a close frame.
func (c *wsClient) sendClose(code int) error {
	_, err := c.conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, byte(code >> 8), byte(code)}) //nolint:gosec // four digits
	return err
}

var seqMember = []byte(`"seq":`)

// seqOf reads the seq of a durable event; 0 for an ephemeral one.
func seqOf(event []byte) int64 {
	// The envelope's members come before data and are short.
	head := event[:min(len(event), 160)]
	i := bytes.Index(head, seqMember)
	if i < 0 {
		return 0
	}
	digits := head[i+len(seqMember):]
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	seq, err := strconv.ParseInt(string(digits[:end]), 10, 64)
	if err != nil {
		return 0
	}
	return seq
}
