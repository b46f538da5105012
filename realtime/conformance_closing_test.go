package realtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// noStatus is a close frame without a code. What answers it may have none
// either, or say that all is well.
const noStatus = "close or close 1000"

func closingCases() []conformanceCase {
	bye, event := clientClose(1000, ""), clientText(pingEvent("p1"))
	empty := clientFrame(wireFin|wireClose, "")
	long := strings.Repeat("r", 125)
	return []conformanceCase{
		{name: "with a code", sent: [][]byte{bye}, want: []string{"close 1000"}},
		{name: "byte by byte", sent: writesOf(1, clientClose(1000, "bye")), want: []string{"close 1000"}},
		{name: "without a code", sent: [][]byte{empty}, want: []string{noStatus}},
		{name: "with half a code", sent: [][]byte{clientFrame(wireFin|wireClose, "\x03")}, want: []string{"close 1002"}},
		{name: "with a reason", sent: [][]byte{clientClose(1000, "bye, κόσμε")}, want: []string{"close 1000"}},
		{name: "with the longest reason", sent: [][]byte{clientClose(1000, long[:123])}, want: []string{"close 1000"}},
		{name: "with a reason one byte longer", sent: [][]byte{clientClose(1000, long[:124])}, want: []string{"close 1002"}},
		{name: "with its length in eight bytes", sent: [][]byte{append(clientHeader(wireFin|wireClose, 8, 5), masked("\x03\xe8bye")...)},
			want: []string{"close 1002"}},
		// The protocol leaves the code open (§8.1). 1007 tells the sender more than
		// 1002, and is what the same bytes in a message get.
		{name: "with a reason that is not UTF-8", sent: [][]byte{clientClose(1000, "a\xff")}, want: []string{"close 1007"}},
		{name: "with a reason cut off inside a character", sent: [][]byte{clientClose(1000, long[:121]+"\xe2\x82")}, want: []string{"close 1007"}},
		{name: "with a reason that has a surrogate", sent: [][]byte{clientClose(1000, "\xed\xa0\x80")}, want: []string{"close 1007"}},
		{name: "on a dashboard's socket", path: "/dashboard", sent: [][]byte{clientClose(1001, "")}, want: []string{"close 1001"}},
		{name: "after an event", sent: oneWrite(event, bye), want: []string{"Pong p1", "close 1000"}},
		{name: "after a ping", sent: oneWrite(clientPing("x"), bye), want: []string{`pong "x"`, "close 1000"}},
		{name: "after the largest event", sent: oneWrite(clientText(pingOfSize("p1", 65536)), bye), want: []string{"Pong p1", "close 1000"}},

		{name: "with an event behind it", sent: oneWrite(bye, event), want: []string{"close 1000"}},
		{name: "with a ping behind it", sent: oneWrite(bye, clientPing("x")), want: []string{"close 1000"}},
		{name: "twice", sent: oneWrite(bye, bye), want: []string{"close 1000"}},
		{name: "twice, with other codes", sent: oneWrite(clientClose(1001, ""), clientClose(4000, "")), want: []string{"close 1001"}},
		{name: "with a broken frame behind it", sent: oneWrite(bye, []byte{0xFF, 0x00}), want: []string{"close 1000"}},
		{name: "inside a message", sent: oneWrite(clientFrame(wireText, "a"), bye, clientFrame(wireFin|wireContinuation, "b")),
			want: []string{"close 1000"}},
		{name: "inside a binary message", sent: [][]byte{clientFrame(wireBinary, "a"), bye}, want: []string{"close 1000 or close 1003"}},
	}
}

// The codes that the protocol's registry has for peers, and the ranges that are
// for libraries and applications.
func closeCodeCases() (cases []conformanceCase) {
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4500, 4999} {
		cases = append(cases, conformanceCase{name: fmt.Sprintf("%d is answered by itself", code),
			sent: [][]byte{clientClose(code, "reason")}, want: []string{fmt.Sprintf("close %d", code)}})
	}
	for _, code := range []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65535} {
		cases = append(cases,
			conformanceCase{name: fmt.Sprintf("%d may not be sent", code), sent: [][]byte{clientClose(code, "")}, want: []string{"close 1002"}},
			conformanceCase{name: fmt.Sprintf("%d may not be sent with a reason", code),
				sent: [][]byte{clientClose(code, "reason")}, want: []string{"close 1002"}})
	}
	return cases
}

// The server closes its side first (RFC 6455 §7.1.1), at once where it answers,
// and after a moment where the other side owes the answer.
func endingCases() []conformanceCase {
	binary, nothing := [][]byte{clientFrame(wireFin|wireBinary, "")}, func(*wire) {}
	answers := func(frames ...[]byte) func(w *wire) { return func(w *wire) { w.send(frames...) } }
	const later = 4 * time.Second
	return []conformanceCase{
		{name: "the client closed", sent: [][]byte{clientClose(1000, "")}, want: []string{"close 1000"}, answer: nothing, within: time.Second},
		{name: "the client's frame was wrong", sent: [][]byte{{0xFF, 0x80}}, want: []string{"close 1002"}, answer: nothing, within: time.Second},
		{name: "the client answers", sent: binary, want: []string{"close 1003"}, answer: answers(clientClose(1003, "")), within: time.Second},
		{name: "the client answers without a code", sent: binary, want: []string{"close 1003"},
			answer: answers(clientFrame(wireFin|wireClose, "")), within: time.Second},
		{name: "the client answers with another code", sent: binary, want: []string{"close 1003"}, answer: answers(clientClose(1000, "")), within: time.Second},
		{name: "the client ends the connection instead", sent: binary, want: []string{"close 1003"}, within: time.Second},
		{name: "the client says nothing", sent: binary, want: []string{"close 1003"}, answer: nothing, within: later},
		{name: "the client goes on with events", sent: binary, want: []string{"close 1003"}, answer: answers(numbered(100)...), within: later},
		{name: "the client sends more events and then the answer", sent: binary, want: []string{"close 1003"},
			answer: answers(append(numbered(10), clientClose(1003, ""))...), within: time.Second},
	}
}

// lateCases are clients that read late. They find the close frame and the end in
// order, however much they had sent behind what was wrong: a reset would take
// them away.
func lateCases() (cases []conformanceCase) {
	for _, tc := range []struct {
		name string
		sent []byte
		want string
	}{
		{"a wrong frame", []byte{0xFF, 0x80}, "close 1002"},
		{"invalid UTF-8", clientText("\xff"), "close 1007"},
		{"a binary message", clientFrame(wireFin|wireBinary, ""), "close 1003"},
		{"a close frame", clientClose(1000, ""), "close 1000"},
	} {
		for behind, more := range map[string][]byte{
			"events":       oneWrite(numbered(5000)...)[0],
			"wrong frames": []byte(strings.Repeat("\x00", 200<<10)),
		} {
			cases = append(cases,
				conformanceCase{name: tc.name + " and " + behind + " in the same write", sent: oneWrite(tc.sent, more), want: []string{tc.want}, late: true},
				conformanceCase{name: tc.name + " and " + behind + " in further writes", late: true, want: []string{tc.want},
					sent: append([][]byte{tc.sent}, writesOf(20<<10, more)...)})
		}
	}
	return cases
}

// An end without a close frame, wherever it comes, is only an end.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	for name, sent := range map[string][]byte{
		"between frames":             nil,
		"inside a header":            {wireFin | wireText},
		"inside a length":            clientHeader(wireFin|wireText, 8, 1000)[:5],
		"inside a key":               clientHeader(wireFin|wireText, 2, 1000)[:6],
		"inside a payload":           clientText(pingEvent("p1"))[:20],
		"inside a payload of many":   clientText(pingOfSize("p1", 60000))[:50000],
		"between fragments":          clientFrame(wireText, pingEvent("p1")),
		"inside the second fragment": oneWrite(clientFrame(wireText, "a"), clientFrame(wireFin|wireContinuation, "bcd")[:8])[0],
		"inside a ping":              clientPing("payload")[:9],
		"inside a close frame":       clientClose(1000, "")[:7],
		"behind a header":            clientHeader(wireFin|wireText, 0, 5),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dialWire(t, h.addr, "/visitor", "")
			w.want("Connected")
			w.send(sent)
			w.halfClose()
			w.want("end")

			reset := dialWire(t, h.addr, "/visitor", "")
			reset.want("Connected")
			reset.send(sent)
			if err := errors.Join(reset.conn.SetLinger(0), reset.conn.Close()); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Cleanup(func() { wantNobodyLeft(t, h) })
}

// Only the newest ping needs an answer (RFC 6455 §5.5.3); the others may have
// one, in order.
func TestNewestPingIsAnswered(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	for name, n := range map[string]int{"ten": 10, "a thousand": 1000} {
		for _, writes := range []string{"one write", "many writes"} {
			t.Run(name+" in "+writes, func(t *testing.T) {
				t.Parallel()
				w := dialWire(t, h.addr, "/visitor", "")
				w.want("Connected")
				var pings [][]byte
				for i := range n {
					pings = append(pings, clientPing(fmt.Sprintf("%06d", i)))
				}
				all := oneWrite(pings...)
				if writes == "many writes" {
					all = writesOf(n, pings...)
				}
				w.send(all...)
				newest := fmt.Sprintf("pong %q", fmt.Sprintf("%06d", n-1))
				for last := ""; last != newest; {
					got := w.next()
					if !strings.HasPrefix(got, "pong ") || got <= last || got > newest {
						t.Fatalf("got %s after %q, want newer pongs up to %s", got, last, newest)
					}
					last = got
				}
				w.send(clientText(pingEvent("alive")))
				w.want("Pong alive")
			})
		}
	}
}

// Who goes on for long past the limit is told so, and then cut off.
func TestLongExcessOfFramesIsCutOff(t *testing.T) {
	t.Parallel()
	h := start(t, false)
	w := dialWire(t, h.addr, "/visitor", "")
	w.want("Connected")
	w.send(oneWrite(numbered(1000)...)...)
	answered, refused := 0, 0
	for got := w.next(); got != "close 4005"; got = w.next() {
		switch {
		case strings.HasPrefix(got, "Pong "):
			answered++
		case got == "Error rate_limited":
			refused++
		default:
			t.Fatalf("got %s after %d answers and %d refusals, want close 4005", got, answered, refused)
		}
	}
	if answered < 20 || refused < 100 { // a second's frames, and some seconds' excess
		t.Errorf("%d were answered and %d refused, want at least 20 and 100", answered, refused)
	}
	w.halfClose()
	w.want("end")
}

// Where a binary message is refused is the server's choice, but one for all: a
// whole frame and a first fragment are refused at the same point.
func TestBinaryIsRefusedAtOnePoint(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	frame := clientFrame(wireFin|wireBinary, "payload")
	fragment := clientFrame(wireBinary, "payload")
	unfinished := []struct {
		name string
		sent []byte
	}{
		{"a header", frame[:6]},
		{"a frame without its end", frame[:8]},
		{"a header of a frame of many bytes", clientHeader(wireFin|wireBinary, 2, 1000)},
		{"a fragment without its end", fragment[:8]},
		{"a fragment", fragment},
		{"two fragments of more", oneWrite(fragment, clientFrame(wireContinuation, "b"))[0]},
	}
	sockets := make([]*wire, len(unfinished))
	for i, tc := range unfinished {
		sockets[i] = dialWire(t, h.addr, "/visitor", "")
		sockets[i].want("Connected")
		sockets[i].send(tc.sent)
	}
	// The first says which point it is; the others have had as much time by then.
	_ = sockets[0].conn.SetReadDeadline(time.Now().Add(time.Second))
	_, err := sockets[0].in.Peek(1)
	for i, w := range sockets[1:] {
		if err == nil {
			w.want("close 1003")
			continue
		}
		_ = w.conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := w.in.Peek(1); err == nil {
			t.Errorf("%s is refused at once, a header is not", unfinished[i+1].name)
		}
	}
}
