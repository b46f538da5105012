package realtime

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// conformanceCase says what a server has to make of bytes (RFC 6455). What is
// wanted is in the words of wire.next. Unless it ends with the socket's end, the
// socket has to be alive afterwards, and to close as it should.
type conformanceCase struct {
	name string
	sent [][]byte // one write each
	want []string
	path string // the visitor's, unless said
	late bool   // what comes is read only after a while
	// answer is what the client makes of the server's close frame: it ends its
	// side of the connection, unless said. within is the end's time.
	answer func(w *wire)
	within time.Duration
}

func (tc conformanceCase) ends() bool {
	return len(tc.want) > 0 && strings.HasPrefix(tc.want[len(tc.want)-1], "close")
}

func (tc conformanceCase) run(t *testing.T, h *harness) {
	path := tc.path
	if path == "" {
		path = "/visitor"
	}
	w := dialWire(t, h.addr, path, "")
	w.want("Connected")
	w.send(tc.sent...)
	if tc.late {
		time.Sleep(50 * time.Millisecond)
	}
	w.want(tc.want...)
	if !tc.ends() {
		w.send(clientText(pingEvent("alive")))
		w.want("Pong alive")
		w.send(clientClose(1000, ""))
		w.want("close 1000")
	}
	closed := time.Now()
	if tc.answer != nil {
		tc.answer(w)
	} else {
		w.halfClose()
	}
	w.want("end")
	if took := time.Since(closed); tc.within > 0 && took > tc.within {
		t.Errorf("the connection ended after %v, want it within %v", took, tc.within)
	}
}

type conformanceSection struct {
	name  string
	cases []conformanceCase
}

// conformanceSections are the parts of the protocol.
func conformanceSections() []conformanceSection {
	return []conformanceSection{
		{"framing", framingCases()},
		{"lengths", lengthCases()},
		{"pings and pongs", pingCases()},
		{"reserved bits", reservedBitCases()},
		{"opcodes", opcodeCases()},
		{"fragmentation", fragmentationCases()},
		{"valid UTF-8", validTextCases()},
		{"invalid UTF-8", invalidTextCases()},
		{"closing", closingCases()},
		{"close codes", closeCodeCases()},
		{"endings", endingCases()},
		{"late readers", lateCases()},
		{"limits", limitCases()},
		{"past the limits", pastLimitCases()},
		{"bad events", badEventCases()},
	}
}

// Cases run one beside the other, on one server.
func TestConformance(t *testing.T) {
	t.Parallel()
	h := start(t, true)
	t.Cleanup(func() { wantNobodyLeft(t, h) })
	for _, section := range conformanceSections() {
		for _, tc := range section.cases {
			name := section.name + "/" + tc.name
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tc.run(t, h)
			})
		}
	}
}

// wantNobodyLeft asks the server itself who is here, once all cases are through.
func wantNobodyLeft(t *testing.T, h *harness) {
	w := dialWire(t, h.addr, "/dashboard", "")
	w.want("Connected")
	w.send(clientText(`{"type":"Subscribe","id":"s1","data":{"project_id":"` + string(h.project.ID) + `"}}`))
	w.want("Subscribed s1")
	for began := time.Now(); ; {
		_, payload, err := w.serverFrame()
		switch {
		case err != nil:
			t.Fatalf("wait for the visitors to go: %v", err)
		case strings.Contains(string(payload), `"visitors":0`):
			return
		case time.Since(began) > wait:
			t.Fatalf("visitors are left: %s", payload)
		}
	}
}

func badEventCases() []conformanceCase {
	const mostBad = 10 // in a minute
	unknown := clientText(`{"type":"Nope","data":{}}`)
	return []conformanceCase{
		{name: "an unknown event", sent: [][]byte{unknown}, want: []string{"Error unknown_type"}},
		{name: "no JSON", sent: [][]byte{clientText("hello")}, want: []string{"Error bad_json"}},
		{name: "a dashboard's event on a visitor's socket", sent: [][]byte{clientText(`{"type":"Unsubscribe","data":{}}`)},
			want: []string{"Error unknown_type"}},
		{name: "a visitor's event on a dashboard's socket", path: "/dashboard", sent: [][]byte{clientText(`{"type":"Hello","data":{}}`)},
			want: []string{"Error unknown_type"}},
		{name: "nine bad events", sent: oneWrite(slices.Repeat([][]byte{unknown}, mostBad-1)...),
			want: slices.Repeat([]string{"Error unknown_type"}, mostBad-1)},
		{name: "ten bad events in one write, and more", sent: oneWrite(slices.Repeat([][]byte{unknown}, 5*mostBad)...),
			want: append(slices.Repeat([]string{"Error unknown_type"}, mostBad), "close 4500")},
		{name: "ten bad events on a dashboard's socket", path: "/dashboard", sent: slices.Repeat([][]byte{unknown}, mostBad),
			want: append(slices.Repeat([]string{"Error unknown_type"}, mostBad), "close 4500")},
	}
}
