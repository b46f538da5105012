package realtime

import (
	"fmt"
	"slices"
)

// An event's id comes back in its answer, so what is in it is what was read.
const manyLengths = "aκ€😀ß語𝄞z" // characters of one, two, three and four bytes

func validTextCases() []conformanceCase {
	event := pingEvent(manyLengths)
	answer := []string{"Pong " + manyLengths}
	cases := []conformanceCase{
		{name: "in one frame", sent: [][]byte{clientText(event)}, want: answer},
		{name: "byte by byte", sent: writesOf(1, clientText(event)), want: answer},
		{name: "every byte a fragment", sent: oneWrite(clientFragments(wireText, pieces(event, 1)...)...), want: answer},
		{name: "every byte a fragment and a write", sent: clientFragments(wireText, pieces(event, 1)...), want: answer},
		{name: "a ping inside a character", sent: oneWrite(clientFrame(wireText, event[:25]), clientPing("κ"), clientFrame(wireFin|wireContinuation, event[25:])),
			want: append([]string{`pong "κ"`}, answer...)},
		{name: "an empty fragment inside a character", sent: oneWrite(clientFragments(wireText, event[:25], "", event[25:])...), want: answer},
		{name: "escapes of both halves of a pair", sent: [][]byte{clientText(pingEvent(`\ud83d\ude00`))}, want: []string{"Pong 😀"}},
		// These are texts, if not ones that JSON allows: they are answered.
		{name: "a byte order mark before the event", sent: [][]byte{clientText("\ufeff" + pingEvent("p1"))}, want: []string{"Error bad_json"}},
		{name: "a byte order mark alone", sent: [][]byte{clientText("\ufeff")}, want: []string{"Error bad_json"}},
		{name: "a NUL", sent: [][]byte{clientText(pingEvent("\x00"))}, want: []string{"Error bad_json or Error invalid_text"}},
		{name: "a control character", sent: [][]byte{clientText(pingEvent("\x1f"))}, want: []string{"Error bad_json"}},
		{name: "an escape of half a pair", sent: [][]byte{clientText(pingEvent(`\ud800`))}, want: []string{"Error invalid_text"}},
	}
	var frames, fragments, want = [][]byte{}, [][]byte{}, []string{}
	for at := 1; at < len(event); at++ {
		fragments = append(fragments, clientFragments(wireText, event[:at], event[at:])...)
		frame := clientText(event)
		frames = append(frames, frame[:6+at], frame[6+at:])
		want = append(want, answer[0])
	}
	cases = append(cases,
		conformanceCase{name: "two fragments, cut at every byte", sent: oneWrite(fragments...), want: want},
		conformanceCase{name: "two writes, cut at every byte", sent: frames, want: want})
	// The first and the last of each length, beside the surrogates, and
	// noncharacters, which are no errors.
	for _, c := range []rune{
		0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF, 0xD7FF, 0xE000, 0xFFFD, 0xFEFF, 0xFDD0, 0xFFFE, 0x1FFFE, 0x1FFFF, 0x10FFFE,
	} {
		cases = append(cases, conformanceCase{name: fmt.Sprintf("%U", c), sent: [][]byte{clientText(pingEvent(string(c)))},
			want: []string{"Pong " + string(c)}})
	}
	return cases
}

func invalidTextCases() (cases []conformanceCase) {
	for _, invalid := range []struct{ name, bytes string }{
		{"a continuation byte, the first", "\x80"},
		{"a continuation byte, the last", "\xbf"},
		{"six continuation bytes", "\x80\xbf\x80\xbf\x80\xbf"},
		{"two bytes, cut off", "\xc3"},
		{"three bytes, cut off after one", "\xe2"},
		{"three bytes, cut off after two", "\xe2\x82"},
		{"four bytes, cut off after one", "\xf0"},
		{"four bytes, cut off after two", "\xf0\x9f"},
		{"four bytes, cut off after three", "\xf0\x9f\x98"},
		{"a start after a start", "\xe2\x82\xc3\xa4"},
		{"a letter inside a character", "\xe2a\x82"},
		{"0xC0", "\xc0"},
		{"0xC1 and a continuation", "\xc1\xbf"},
		{"a slash in two bytes", "\xc0\xaf"},
		{"a slash in three bytes", "\xe0\x80\xaf"},
		{"a slash in four bytes", "\xf0\x80\x80\xaf"},
		{"a slash in five bytes", "\xf8\x80\x80\x80\xaf"},
		{"a slash in six bytes", "\xfc\x80\x80\x80\x80\xaf"},
		{"a NUL in two bytes", "\xc0\x80"},
		{"the last of two bytes in three", "\xe0\x9f\xbf"},
		{"the last of three bytes in four", "\xf0\x8f\xbf\xbf"},
		{"the first surrogate", "\xed\xa0\x80"},
		{"the last surrogate", "\xed\xbf\xbf"},
		{"a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
		{"the first past the last character", "\xf4\x90\x80\x80"},
		{"0xF5", "\xf5\x80\x80\x80"},
		{"five bytes", "\xf8\x88\x80\x80\x80"},
		{"six bytes", "\xfc\x84\x80\x80\x80\x80"},
		{"0xFE", "\xfe"},
		{"0xFF", "\xff"},
		{"a byte order mark of two bytes", "\xff\xfe"},
	} {
		whole := pingEvent("ab" + invalid.bytes + "cd")
		cases = append(cases,
			conformanceCase{name: invalid.name + " in the middle", sent: [][]byte{clientText(whole)}, want: []string{"close 1007"}},
			conformanceCase{name: invalid.name + " at the end", sent: [][]byte{clientText("ab" + invalid.bytes)}, want: []string{"close 1007"}},
			conformanceCase{name: invalid.name + ", every byte a fragment",
				sent: oneWrite(clientFragments(wireText, pieces(whole, 1)...)...), want: []string{"close 1007"}})
	}
	broken := pingEvent("\xff")
	return append(cases,
		conformanceCase{name: "byte by byte", sent: writesOf(1, clientText(broken)), want: []string{"close 1007"}},
		conformanceCase{name: "in the first fragment, with valid ones behind",
			sent: clientFragments(wireText, broken[:26], broken[26:], "   "), want: []string{"close 1007"}},
		conformanceCase{name: "between events", want: []string{"Pong p1", "close 1007"},
			sent: oneWrite(clientText(pingEvent("p1")), clientText(broken), clientText(pingEvent("p2")))},
		conformanceCase{name: "a character begun at the end of one message, ended in the next", want: []string{"close 1007"},
			sent: oneWrite(clientText("\xe2\x82"), clientText("\xac"))},
		conformanceCase{name: "the longest text, wrong in its last byte", want: []string{"close 1007"},
			sent: [][]byte{clientText(pingOfSize("p1", 65535) + "\xe2")}},
		conformanceCase{name: "on a dashboard's socket", path: "/dashboard", sent: [][]byte{clientText(broken)}, want: []string{"close 1007"}},
		conformanceCase{name: "more than fits in one write after it", want: []string{"close 1007"},
			sent: oneWrite(slices.Repeat([][]byte{clientText(broken)}, 1000)...)},
	)
}
