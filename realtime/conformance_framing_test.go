package realtime

import (
	"fmt"
	"slices"
	"strings"
)

func framingCases() []conformanceCase {
	cases := []conformanceCase{
		{name: "an empty text", sent: [][]byte{clientText("")}, want: []string{"Error bad_json"}},
		{name: "an empty binary message", sent: [][]byte{clientFrame(wireFin|wireBinary, "")}, want: []string{"close 1003"}},
		{name: "a text of 125 bytes, the length in none of its own", sent: [][]byte{clientText(pingOfSize("p1", 125))}, want: []string{"Pong p1"}},
		{name: "a key of zeros", sent: [][]byte{append([]byte{wireFin | wireText, 0x80 | byte(len(pingEvent("p1"))), 0, 0, 0, 0}, pingEvent("p1")...)},
			want: []string{"Pong p1"}},
		{name: "an event and a dashboard", path: "/dashboard", sent: [][]byte{clientText(pingEvent("p1"))}, want: []string{"Pong p1"}},
		{name: "two frames in one write", sent: oneWrite(clientText(pingEvent("p1")), clientText(pingEvent("p2"))),
			want: []string{"Pong p1", "Pong p2"}},
		{name: "a hundred frames in one write", sent: oneWrite(numbered(100)...), want: pongs(100)},
		{name: "a hundred frames in writes of 97 bytes", sent: writesOf(97, numbered(100)...), want: pongs(100)},
		{name: "a frame and a half in one write, the rest in the next",
			sent: writesOf(60, clientText(pingEvent("p1")), clientText(pingEvent("p2"))), want: []string{"Pong p1", "Pong p2"}},

		{name: "a text that is not masked", sent: [][]byte{append([]byte{wireFin | wireText, byte(len(pingEvent("p1")))}, pingEvent("p1")...)},
			want: []string{"close 1002"}},
		{name: "an empty text that is not masked", sent: [][]byte{{wireFin | wireText, 0}}, want: []string{"close 1002"}},
		{name: "a ping that is not masked", sent: [][]byte{{wireFin | wirePing, 0}}, want: []string{"close 1002"}},
		{name: "a close frame that is not masked", sent: [][]byte{{wireFin | wireClose, 2, 3, 232}}, want: []string{"close 1002"}},
		{name: "a fragment that is not masked, after one that is",
			sent: oneWrite(clientFrame(wireText, "a"), []byte{wireFin | wireContinuation, 1, 'b'}), want: []string{"close 1002"}},
		{name: "a frame that is not masked, after an event",
			sent: oneWrite(clientText(pingEvent("p1")), []byte{wireFin | wireText, 1, 'a'}), want: []string{"Pong p1", "close 1002"}},
		{name: "nothing but the first two bytes of a frame that is not masked", sent: [][]byte{{wireFin | wireText, 126}}, want: []string{"close 1002"}},
	}
	for _, size := range []int{126, 127, 128, 255, 256, 1000, 65535, 65536} {
		event := clientText(pingOfSize("p1", size))
		cases = append(cases,
			conformanceCase{name: fmt.Sprintf("a text of %d bytes", size), sent: [][]byte{event}, want: []string{"Pong p1"}},
			conformanceCase{name: fmt.Sprintf("a text of %d bytes in writes of 997", size), sent: writesOf(997, event), want: []string{"Pong p1"}},
			conformanceCase{name: fmt.Sprintf("a binary message of %d bytes", size),
				sent: [][]byte{clientFrame(wireFin|wireBinary, pingOfSize("p1", size))}, want: []string{"close 1003"}})
	}
	for _, n := range []int{1, 2, 3, 5, 7} { // against the four bytes of the key
		cases = append(cases, conformanceCase{name: fmt.Sprintf("two events in writes of %d bytes", n),
			sent: writesOf(n, clientText(pingEvent("p1")), clientText(pingOfSize("p2", 130))), want: []string{"Pong p1", "Pong p2"}})
	}
	return cases
}

// numbered are events p0, p1 and so on, pongs what answers them.
func numbered(n int) (frames [][]byte) {
	for i := range n {
		frames = append(frames, clientText(pingEvent(fmt.Sprint("p", i))))
	}
	return frames
}

func pongs(n int) (want []string) {
	for i := range n {
		want = append(want, fmt.Sprint("Pong p", i))
	}
	return want
}

func pingCases() []conformanceCase {
	bytes := strings.Repeat("\x00\xff\xfe\xfd\xfc\xfb", 25)
	tooLong := clientFrame(wireFin|wirePing, bytes[:126])
	return []conformanceCase{
		{name: "without payload", sent: [][]byte{clientPing("")}, want: []string{`pong ""`}},
		{name: "with a text", sent: [][]byte{clientPing("Hello")}, want: []string{`pong "Hello"`}},
		{name: "with bytes that are no text", sent: [][]byte{clientPing(bytes[:6])}, want: []string{fmt.Sprintf("pong %q", bytes[:6])}},
		{name: "of 125 bytes", sent: [][]byte{clientPing(bytes[:125])}, want: []string{fmt.Sprintf("pong %q", bytes[:125])}},
		{name: "of 125 bytes, byte by byte", sent: writesOf(1, clientPing(bytes[:125])), want: []string{fmt.Sprintf("pong %q", bytes[:125])}},
		{name: "of 126 bytes", sent: [][]byte{tooLong}, want: []string{"close 1002"}},
		{name: "of 126 bytes, the first two bytes alone", sent: [][]byte{tooLong[:2]}, want: []string{"close 1002"}},
		{name: "of 5 bytes, their number in two", sent: [][]byte{append(clientHeader(wireFin|wirePing, 2, 5), masked("hello")...)},
			want: []string{"close 1002"}},
		{name: "of 65536 bytes", sent: [][]byte{clientFrame(wireFin|wirePing, strings.Repeat("a", 65536))}, want: []string{"close 1002"}},
		{name: "on a dashboard's socket", path: "/dashboard", sent: [][]byte{clientPing("x")}, want: []string{`pong "x"`}},
		{name: "between events", sent: oneWrite(clientText(pingEvent("p1")), clientPing("x"), clientText(pingEvent("p2"))),
			want: []string{"Pong p1", `pong "x"`, "Pong p2"}},
		{name: "one after the other", sent: [][]byte{clientPing("1"), nil, nil, nil, clientText(pingEvent("p1")), clientPing("2")},
			want: []string{`pong "1"`, "Pong p1", `pong "2"`}},

		{name: "a pong that nobody asked for", sent: [][]byte{clientPong("")}},
		{name: "a pong with payload", sent: [][]byte{clientPong("unasked")}},
		{name: "a pong of 125 bytes", sent: [][]byte{clientPong(bytes[:125])}},
		{name: "a pong of 126 bytes", sent: [][]byte{clientPong(bytes[:126])}, want: []string{"close 1002"}},
		{name: "a pong, then a ping", sent: oneWrite(clientPong("a"), clientPing("b")), want: []string{`pong "b"`}},
		{name: "a thousand pongs", sent: oneWrite(slices.Repeat([][]byte{clientPong("a")}, 1000)...)},
	}
}

func reservedBitCases() (cases []conformanceCase) {
	for bits := byte(wireRSV3); bits <= wireRSV1|wireRSV2|wireRSV3; bits += wireRSV3 {
		cases = append(cases, conformanceCase{name: fmt.Sprintf("bits %#x of a text", bits),
			sent: [][]byte{clientFrame(wireFin|bits|wireText, pingEvent("p1"))}, want: []string{"close 1002"}})
	}
	for _, bit := range []byte{wireRSV1, wireRSV2, wireRSV3} {
		after := func(name string, f []byte) conformanceCase {
			return conformanceCase{name: fmt.Sprintf("bit %#x of %s", bit, name),
				sent: oneWrite(clientText(pingEvent("p1")), f, clientPing("x")), want: []string{"Pong p1", "close 1002"}}
		}
		cases = append(cases,
			after("a text after an event", clientFrame(wireFin|bit|wireText, pingEvent("p2"))),
			after("an empty text", clientFrame(wireFin|bit|wireText, "")),
			after("a binary message", clientFrame(wireFin|bit|wireBinary, "a")),
			after("a first fragment", clientFrame(bit|wireText, "a")),
			after("a ping", clientFrame(wireFin|bit|wirePing, "")),
			after("a pong", clientFrame(wireFin|bit|wirePong, "")),
			after("a close frame", clientFrame(wireFin|bit|wireClose, "\x03\xe8")),
			conformanceCase{name: fmt.Sprintf("bit %#x of a continuation", bit),
				sent: oneWrite(clientFrame(wireText, "a"), clientFrame(wireFin|bit|wireContinuation, "b")), want: []string{"close 1002"}},
			conformanceCase{name: fmt.Sprintf("bit %#x, byte by byte", bit),
				sent: writesOf(1, clientFrame(wireFin|bit|wireText, "a")), want: []string{"close 1002"}})
	}
	return cases
}

func opcodeCases() (cases []conformanceCase) {
	for _, opcode := range []byte{0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		name := func(what string) string { return fmt.Sprintf("%#x %s", opcode, what) }
		empty, full := clientFrame(wireFin|opcode, ""), clientFrame(wireFin|opcode, "payload")
		cases = append(cases,
			conformanceCase{name: name("without payload"), sent: [][]byte{empty}, want: []string{"close 1002"}},
			conformanceCase{name: name("with payload"), sent: [][]byte{full}, want: []string{"close 1002"}},
			conformanceCase{name: name("between an event and a ping"), sent: oneWrite(clientText(pingEvent("p1")), full, clientPing("x")),
				want: []string{"Pong p1", "close 1002"}},
			conformanceCase{name: name("byte by byte after an event"), sent: writesOf(1, clientText(pingEvent("p1")), empty),
				want: []string{"Pong p1", "close 1002"}},
			conformanceCase{name: name("not final"), sent: [][]byte{clientFrame(opcode, "a")}, want: []string{"close 1002"}},
			conformanceCase{name: name("inside a message"), sent: oneWrite(clientFrame(wireText, "a"), full), want: []string{"close 1002"}},
			conformanceCase{name: name("and no more than its first two bytes"), sent: [][]byte{full[:2]}, want: []string{"close 1002"}})
	}
	return cases
}
