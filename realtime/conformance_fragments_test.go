package realtime

import (
	"fmt"
	"slices"
	"strings"
)

func fragmentationCases() []conformanceCase {
	one, two := pingEvent("p1"), pingEvent("p2")
	halves := clientFragments(wireText, one[:9], one[9:])
	quarters := clientFragments(wireText, pieces(one, (len(one)+3)/4)...)
	start, end := clientFrame(wireText, "a"), clientFrame(wireFin|wireContinuation, "b")
	empty := clientFrame(wireContinuation, "")
	return []conformanceCase{
		{name: "two fragments in one write", sent: oneWrite(halves...), want: []string{"Pong p1"}},
		{name: "two fragments in two writes", sent: halves, want: []string{"Pong p1"}},
		{name: "two fragments byte by byte", sent: writesOf(1, halves...), want: []string{"Pong p1"}},
		{name: "every byte a fragment, in one write", sent: oneWrite(clientFragments(wireText, pieces(one, 1)...)...), want: []string{"Pong p1"}},
		{name: "every byte a fragment, in writes of their own", sent: clientFragments(wireText, pieces(one, 1)...), want: []string{"Pong p1"}},
		{name: "two fragmented messages in one write",
			sent: oneWrite(append(slices.Clone(halves), clientFragments(wireText, pieces(two, 7)...)...)...), want: []string{"Pong p1", "Pong p2"}},
		{name: "on a dashboard's socket", path: "/dashboard", sent: halves, want: []string{"Pong p1"}},

		{name: "an empty first fragment", sent: oneWrite(clientFragments(wireText, "", one)...), want: []string{"Pong p1"}},
		{name: "an empty last fragment", sent: oneWrite(clientFragments(wireText, one, "")...), want: []string{"Pong p1"}},
		{name: "empty fragments between", sent: oneWrite(clientFragments(wireText, one[:5], "", "", one[5:])...), want: []string{"Pong p1"}},
		{name: "nothing but empty fragments", sent: oneWrite(clientFragments(wireText, "", "", "")...), want: []string{"Error bad_json"}},
		{name: "a thousand empty fragments inside a message", want: []string{"Pong p1"},
			sent: oneWrite(slices.Concat([][]byte{halves[0]}, slices.Repeat([][]byte{empty}, 1000), [][]byte{halves[1]})...)},

		{name: "a ping between two fragments, in one write", sent: oneWrite(halves[0], clientPing("x"), halves[1]), want: []string{`pong "x"`, "Pong p1"}},
		{name: "a ping between two fragments, in writes of their own", sent: [][]byte{halves[0], clientPing("x"), halves[1]},
			want: []string{`pong "x"`, "Pong p1"}},
		{name: "a ping between two fragments, byte by byte", sent: writesOf(1, halves[0], clientPing("x"), halves[1]),
			want: []string{`pong "x"`, "Pong p1"}},
		{name: "a ping of 125 bytes between two fragments", sent: [][]byte{halves[0], clientPing(strings.Repeat("x", 125)), halves[1]},
			want: []string{fmt.Sprintf("pong %q", strings.Repeat("x", 125)), "Pong p1"}},
		{name: "a ping that is answered before the message goes on", sent: [][]byte{halves[0], clientPing("x"), nil, nil, nil, nil, halves[1]},
			want: []string{`pong "x"`, "Pong p1"}},
		{name: "pings between four fragments", want: []string{`pong "1"`, `pong "2"`, "Pong p1"},
			sent: [][]byte{quarters[0], clientPing("1"), quarters[1], quarters[2], nil, nil, clientPing("2"), quarters[3]}},
		{name: "a pong between two fragments", sent: oneWrite(halves[0], clientPong("x"), halves[1]), want: []string{"Pong p1"}},

		{name: "a fragmented ping", sent: [][]byte{clientFrame(wirePing, "a"), clientFrame(wireFin|wireContinuation, "b")}, want: []string{"close 1002"}},
		{name: "a fragmented pong", sent: [][]byte{clientFrame(wirePong, "a"), clientFrame(wireFin|wireContinuation, "b")}, want: []string{"close 1002"}},
		{name: "a fragmented close frame", sent: [][]byte{clientFrame(wireClose, "\x03"), clientFrame(wireFin|wireContinuation, "\xe8")},
			want: []string{"close 1002"}},
		{name: "a ping that is not final inside a message", sent: oneWrite(halves[0], clientFrame(wirePing, ""), halves[1]), want: []string{"close 1002"}},

		{name: "a last fragment of no message", sent: oneWrite(end, clientText(one)), want: []string{"close 1002"}},
		{name: "a middle fragment of no message", sent: oneWrite(clientFrame(wireContinuation, "a"), clientText(one)), want: []string{"close 1002"}},
		{name: "an empty last fragment of no message", sent: [][]byte{clientFrame(wireFin|wireContinuation, "")}, want: []string{"close 1002"}},
		{name: "one fragment too many", sent: oneWrite(append(slices.Clone(halves), end)...), want: []string{"Pong p1", "close 1002"}},
		{name: "a last fragment after a message in one frame", sent: [][]byte{clientText(one), end}, want: []string{"Pong p1", "close 1002"}},
		{name: "a text inside a message", sent: oneWrite(start, clientText(two)), want: []string{"close 1002"}},
		{name: "a text inside a message, in writes of their own", sent: [][]byte{start, clientText(two)}, want: []string{"close 1002"}},
		{name: "a first fragment inside a message", sent: oneWrite(start, start, end), want: []string{"close 1002"}},
		{name: "a text after two fragments of another", sent: oneWrite(start, clientFrame(wireContinuation, "b"), clientText(two), end),
			want: []string{"close 1002"}},
		{name: "a binary frame inside a text", sent: oneWrite(start, clientFrame(wireFin|wireBinary, "b")), want: []string{"close 1002"}},

		{name: "a binary message in fragments", sent: oneWrite(clientFragments(wireBinary, one[:9], one[9:])...), want: []string{"close 1003"}},
		{name: "a binary message in fragments, in writes of their own", sent: clientFragments(wireBinary, pieces(one, 5)...), want: []string{"close 1003"}},
		{name: "a binary message after an event", sent: oneWrite(clientText(one), clientFrame(wireFin|wireBinary, one), clientText(two)),
			want: []string{"Pong p1", "close 1003"}},
		{name: "a binary message on a dashboard's socket", path: "/dashboard", sent: [][]byte{clientFrame(wireFin|wireBinary, one)},
			want: []string{"close 1003"}},
	}
}
