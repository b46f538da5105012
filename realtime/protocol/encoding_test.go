package protocol

import (
	"testing"

	"earshot/models"
)

func TestNegotiate(t *testing.T) {
	for _, tc := range []struct {
		offered, tagging string
		want             Encoding
		answer           string
		refused          bool
	}{
		{offered: "", want: JSON, answer: SubprotocolJSON},
		{offered: "earshot.v1+json", want: JSON, answer: SubprotocolJSON},
		{offered: "earshot.v1+cbor", want: CBOR, answer: SubprotocolCBOR},
		{offered: "earshot.v1+cbor, earshot.v1+json", want: CBOR, answer: SubprotocolCBOR},
		{offered: "earshot.v1+json,earshot.v1+cbor", want: JSON, answer: SubprotocolJSON},
		{offered: "soap ,\tearshot.v1+cbor", want: CBOR, answer: SubprotocolCBOR},
		{offered: "", tagging: "external", want: External, answer: SubprotocolJSON},
		{offered: "earshot.v1+cbor, earshot.v1+json", tagging: "external", want: External, answer: SubprotocolJSON},

		{offered: "soap", refused: true},
		{offered: " ", refused: true},
		{offered: "EARSHOT.V1+JSON", refused: true}, // RFC 6455 §4.1 compares with case
		{offered: "earshot.v1+json2", refused: true},
		{offered: "soap", tagging: "external", refused: true},
		{offered: "earshot.v1+cbor", tagging: "external", refused: true},
		{offered: "", tagging: "internal", refused: true},
		{offered: "earshot.v1+json", tagging: "External", refused: true},
	} {
		got, err := Negotiate(tc.offered, tc.tagging)
		switch {
		case tc.refused:
			if models.CodeOf(err) != models.CodeBadRequest {
				t.Errorf("Negotiate(%q, %q) = %d, %v; want bad_request", tc.offered, tc.tagging, got, err)
			}
		case err != nil || got != tc.want || got.Subprotocol() != tc.answer:
			t.Errorf("Negotiate(%q, %q) = %d (%s), %v; want %d (%s)", tc.offered, tc.tagging, got, got.Subprotocol(), err, tc.want, tc.answer)
		}
	}
}

func TestKindsOfFrames(t *testing.T) {
	const none, ping = FrameKind(0), FrameKind(9)
	for _, tc := range []struct {
		enc                             Encoding
		readsText, readsBinary          bool
		atFirst, afterText, afterBinary FrameKind
	}{
		{JSON, true, false, TextFrame, TextFrame, TextFrame},
		{CBOR, false, true, BinaryFrame, BinaryFrame, BinaryFrame},
		{External, true, true, TextFrame, TextFrame, BinaryFrame},
	} {
		if text, binary := tc.enc.Reads(TextFrame), tc.enc.Reads(BinaryFrame); text != tc.readsText || binary != tc.readsBinary {
			t.Errorf("%s reads text: %v, binary: %v; want %v, %v", allEncodings[tc.enc], text, binary, tc.readsText, tc.readsBinary)
		}
		if tc.enc.Reads(none) || tc.enc.Reads(ping) {
			t.Errorf("%s reads frames that carry no event", allEncodings[tc.enc])
		}
		for last, want := range map[FrameKind]FrameKind{none: tc.atFirst, TextFrame: tc.afterText, BinaryFrame: tc.afterBinary} {
			if got := tc.enc.Writes(last); got != want {
				t.Errorf("%s writes frames of kind %d after one of kind %d, want %d", allEncodings[tc.enc], got, last, want)
			}
		}
	}
}

func TestFramesAreBounded(t *testing.T) {
	for enc, called := range allEncodings {
		if _, _, err := VisitorClient.Decode(enc, make([]byte, MaxFrame+1)); models.CodeOf(err) != models.CodeTooLarge {
			t.Errorf("a frame of %d bytes as %s: %v, want too_large", MaxFrame+1, called, err)
		}
	}
	// The worst a frame can do to the text it is translated to.
	for name, frame := range map[string][]byte{
		"control characters": append([]byte{0x79, 0xff, 0xfc}, make([]byte, 0xfffc)...),
		"half floats":        halves(MaxFrame),
	} {
		text, err := jsonFromCBOR(frame)
		if err != nil || len(text) > 8*MaxFrame {
			t.Errorf("%s: a frame of %d bytes becomes a text of %d (%v), want at most eight times as much", name, len(frame), len(text), err)
		}
	}
}

// halves is a list of the half-precision float with the longest spelling.
func halves(size int) []byte {
	n := (size - 3) / 3
	frame := []byte{cborArray | 25, byte(n >> 8), byte(n)}
	for range n {
		frame = append(frame, cborFloat16, 0x80, 0x01) // -5.960464477539063e-08
	}
	return frame
}
