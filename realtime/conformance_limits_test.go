package realtime

import (
	"fmt"
	"slices"
	"strings"
)

// largest is what an event may have, in one frame or in several.
const largest = 64 << 10

func limitCases() []conformanceCase {
	fits := pingOfSize("p1", largest)
	cases := []conformanceCase{
		{name: "the largest event", sent: [][]byte{clientText(fits)}, want: []string{"Pong p1"}},
		{name: "the largest event three times", sent: oneWrite(clientText(fits), clientText(fits), clientText(fits)),
			want: []string{"Pong p1", "Pong p1", "Pong p1"}},
		{name: "two fragments as large as an event may be", sent: clientFragments(wireText, fits[:largest/2], fits[largest/2:]), want: []string{"Pong p1"}},
		{name: "the largest event and an empty fragment", sent: clientFragments(wireText, fits, ""), want: []string{"Pong p1"}},
		{name: "a ping between fragments does not count", sent: [][]byte{clientFrame(wireText, fits[:largest-1]), clientPing(strings.Repeat("x", 100)),
			clientFrame(wireFin|wireContinuation, fits[largest-1:])}, want: []string{fmt.Sprintf("pong %q", strings.Repeat("x", 100)), "Pong p1"}},
		{name: "past them, a fragment of a huge length", want: []string{"close 1009"},
			sent: [][]byte{clientFrame(wireText, "a"), clientHeader(wireFin|wireContinuation, 8, 1<<63-1)}},
		{name: "the largest event in writes of 1460 bytes", sent: writesOf(1460, clientText(fits)), want: []string{"Pong p1"}},
		{name: "the largest event in fragments of 1300 bytes and writes of 1460",
			sent: writesOf(1460, clientFragments(wireText, pieces(fits, 1300)...)...), want: []string{"Pong p1"}},
	}
	for _, n := range []int{64, 256, 1000, 1300, 4096, 32768} {
		cases = append(cases, conformanceCase{name: fmt.Sprintf("the largest event in fragments of %d bytes", n),
			sent: oneWrite(clientFragments(wireText, pieces(fits, n)...)...), want: []string{"Pong p1"}})
	}
	return cases
}

// What is too large is refused by what its headers say, without waiting for it.
func pastLimitCases() []conformanceCase {
	fits, over := pingOfSize("p1", largest), pingOfSize("p1", largest+1)
	tooBig := []string{"close 1009"}
	huge := func(length uint64) []byte { return clientHeader(wireFin|wireText, 8, length) }
	cases := []conformanceCase{
		{name: "one byte more", sent: [][]byte{clientText(over)}, want: tooBig},
		{name: "one byte more, the header alone", sent: [][]byte{huge(largest + 1)}, want: tooBig},
		{name: "one byte more on a dashboard's socket", path: "/dashboard", sent: [][]byte{clientText(over)}, want: tooBig},
		{name: "an event before it", sent: oneWrite(clientText(pingEvent("p1")), clientText(over)), want: []string{"Pong p1", "close 1009"}},
		{name: "by far, all of it sent", sent: [][]byte{clientText(strings.Repeat(" ", 900<<10))}, want: tooBig, late: true},
		{name: "a binary message", sent: [][]byte{clientFrame(wireFin|wireBinary, over)}, want: []string{"close 1003 or close 1009"}},
		{name: "two fragments", sent: clientFragments(wireText, over[:largest/2], over[largest/2:]), want: tooBig},
		{name: "the largest event and a fragment of one byte", sent: clientFragments(wireText, fits, " "), want: tooBig},
		{name: "the largest event and the header of another fragment", want: tooBig,
			sent: [][]byte{clientFrame(wireText, fits), clientHeader(wireContinuation, 0, 1)}},
		{name: "fragments without end", want: tooBig, sent: oneWrite(append([][]byte{clientFrame(wireText, "")},
			slices.Repeat([][]byte{clientFrame(wireContinuation, strings.Repeat(" ", 1000))}, 100)...)...)},
		{name: "the client does not send the rest", sent: [][]byte{huge(1 << 20)}, want: tooBig, answer: func(*wire) {}},
		{name: "the client answers", sent: [][]byte{huge(1 << 20)}, want: tooBig, answer: func(w *wire) { w.send(clientClose(1009, "")) }},
		{name: "the client sends the rest late", sent: [][]byte{huge(200 << 10), []byte(strings.Repeat("a", 200<<10))}, want: tooBig, late: true},
		{name: "the client has sent more frames", sent: oneWrite(append([][]byte{clientText(over)}, numbered(1000)...)...), want: tooBig, late: true},
	}
	for _, length := range []uint64{1 << 20, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 10, 1 << 40, 1<<63 - 1} {
		cases = append(cases, conformanceCase{name: fmt.Sprintf("a header of %#x bytes", length), sent: [][]byte{huge(length)}, want: tooBig})
	}
	return cases
}

// A length has to take the fewest bytes that it can, and the highest bit of the
// longest form is zero (RFC 6455 §5.2).
func lengthCases() (cases []conformanceCase) {
	event := pingEvent("p1")
	for _, tc := range []struct {
		form, length int
	}{{2, 0}, {2, 1}, {2, len(event)}, {2, 125}, {8, 0}, {8, 1}, {8, len(event)}, {8, 125}, {8, 126}, {8, 1000}, {8, 65535}} {
		payload := strings.Repeat(" ", tc.length)
		if tc.length >= len(event) {
			payload = pingOfSize("p1", tc.length)
		}
		header := clientHeader(wireFin|wireText, tc.form, uint64(tc.length))
		cases = append(cases, conformanceCase{name: fmt.Sprintf("%d in %d bytes", tc.length, tc.form),
			sent: oneWrite(header, masked(payload)), want: []string{"close 1002"}})
	}
	for _, length := range []uint64{1 << 63, 1<<63 + 5, 1<<64 - 1} {
		cases = append(cases, conformanceCase{name: fmt.Sprintf("%#x", length),
			sent: [][]byte{clientHeader(wireFin|wireText, 8, length)}, want: []string{"close 1002"}})
	}
	return append(cases,
		conformanceCase{name: "5 in 2 bytes, in a second fragment", want: []string{"close 1002"},
			sent: oneWrite(clientFrame(wireText, "a"), clientHeader(wireFin|wireContinuation, 2, 5), masked("     "))})
}
