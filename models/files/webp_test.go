package files

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image/color"
	"image/png"
	"runtime"
	"testing"

	"earshot/models"
)

// webpOf puts chunks into a WebP.
func webpOf(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func chunk(id string, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	out := append(binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data))), data...)
	return append(out, make([]byte, len(data)%2)...)
}

func uint24(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16)} }

// canvas is of a WebP with these flags (RFC 9649 §2.7): 0x10 alpha, 0x02 animation.
func canvas(flags byte, w, h int) []byte {
	return chunk("VP8X", []byte{flags, 0, 0, 0}, uint24(w-1), uint24(h-1))
}

func frame(w, h int, chunks ...[]byte) []byte {
	return chunk("ANMF", make([]byte, 6), uint24(w-1), uint24(h-1), uint24(100), []byte{0}, bytes.Join(chunks, nil))
}

// lossy is a red picture of one pixel that says to be of another size.
func lossy(t testing.TB, w, h int) []byte {
	t.Helper()
	whole, err := base64.StdEncoding.DecodeString(webpPixel)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(whole[12:])
	binary.LittleEndian.PutUint16(out[8+6:], uint16(w))
	binary.LittleEndian.PutUint16(out[8+8:], uint16(h))
	return out
}

// lossless is a plain picture (RFC 9649 §3): a size, no transforms, and codes of one
// symbol each, which take no bits a pixel.
func lossless(w, h int, c color.NRGBA) []byte {
	var bits []bool
	put := func(value, n int) {
		for i := range n {
			bits = append(bits, value>>i&1 == 1)
		}
	}
	put(0x2f, 8)
	put(w-1, 14)
	put(h-1, 14)
	put(0, 1+3)                                        // alpha, version
	put(0, 1+1+1)                                      // transforms, cache of colours, meta codes
	for _, v := range []uint8{c.G, c.R, c.B, c.A, 0} { // the last one is of distances
		put(0b101, 3) // a simple code, of one symbol, that has eight bits
		put(int(v), 8)
	}
	data := make([]byte, (len(bits)+7)/8)
	for i, bit := range bits {
		if bit {
			data[i/8] |= 1 << (i % 8)
		}
	}
	return chunk("VP8L", data)
}

var blue = color.NRGBA{B: 255, A: 255}

// bombs say to be small, and have something in them that is large.
func bombs(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"lossy":                             webpOf(lossy(t, 16_000, 16)),
		"lossless":                          webpOf(lossless(16_000, 16_000, blue)),
		"lossless, of many pixels":          webpOf(lossless(7_000, 7_000, blue)),
		"a canvas":                          webpOf(canvas(0, 1<<24, 16), lossless(16, 16, blue)),
		"lossy in a small canvas":           webpOf(canvas(0, 1, 1), lossy(t, 12_000, 12_000)),
		"lossless in a small canvas":        webpOf(canvas(0, 1, 1), lossless(16_000, 16_000, blue)),
		"behind the picture":                webpOf(lossless(1, 1, blue), lossless(16_000, 16_000, blue)),
		"behind an unknown chunk":           webpOf(canvas(0, 1, 1), chunk("abcd", []byte("odd")), lossless(16_000, 16_000, blue)),
		"a frame":                           webpOf(canvas(2, 1, 1), frame(20_000, 20_000, lossless(1, 1, blue))),
		"lossless in a small frame":         webpOf(canvas(2, 1, 1), frame(1, 1, lossless(16_000, 16_000, blue))),
		"lossy in a small frame":            webpOf(canvas(2, 1, 1), frame(1, 1, lossy(t, 12_000, 12_000))),
		"lossless in the second frame":      webpOf(canvas(2, 1, 1), frame(1, 1, lossless(1, 1, blue)), frame(1, 1, lossless(16_000, 16_000, blue))),
		"lossless behind the alpha channel": webpOf(canvas(0x10, 1, 1), chunk("ALPH", []byte{0, 255}), lossless(16_000, 16_000, blue)),
	}
}

// Nothing is taken apart of a WebP in which anything is too large, wherever that is.
func TestWebPBounds(t *testing.T) {
	for name, content := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := NewReader().Read(t.Context(), "a.webp", content)
			runtime.ReadMemStats(&after)
			if models.CodeOf(err) != models.CodeTooLarge {
				t.Errorf("err = %v, want too_large", err)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
				t.Errorf("it took %d bytes to see that", took)
			}
		})
	}
}

// What lies about its size without being large is broken, and so is what has no picture.
func TestBrokenWebP(t *testing.T) {
	for name, content := range map[string][]byte{
		"lossy in a smaller canvas":    webpOf(canvas(0, 4, 4), lossy(t, 8, 8)),
		"lossless in a smaller canvas": webpOf(canvas(0, 4, 4), lossless(8, 8, blue)),
		"no picture":                   webpOf(canvas(0, 4, 4)),
		"half a canvas":                webpOf(chunk("VP8X", make([]byte, 9)), lossless(4, 4, blue)),
		"half a picture":               webpOf(chunk("VP8L", []byte{0x2f, 0})),
		"an empty frame":               webpOf(canvas(2, 4, 4), frame(4, 4)),
		"half a frame":                 webpOf(canvas(2, 4, 4), chunk("ANMF", make([]byte, 11))),
		"a frame in a frame":           webpOf(canvas(2, 4, 4), frame(4, 4, frame(4, 4, lossless(4, 4, blue)))),
		"a chunk longer than the file": append(webpOf(), "VP8L\xff\xff\xff\xff/"...),
	} {
		if _, err := NewReader().Read(t.Context(), "a.webp", content); models.CodeOf(err) != models.CodeInvalidField {
			t.Errorf("%s: err = %v, want invalid_field", name, err)
		}
	}
}

// The size that is kept is that of the picture, and its pixels are.
func TestLosslessWebP(t *testing.T) {
	for name, content := range map[string][]byte{
		"alone":       webpOf(lossless(20, 10, blue)),
		"in a canvas": webpOf(canvas(0, 20, 10), lossless(20, 10, blue)),
		"with words":  webpOf(canvas(0, 20, 10), lossless(20, 10, blue), chunk("XMP ", []byte("by Ada"))),
	} {
		got, err := NewReader().Read(t.Context(), "a.webp", content)
		if err != nil || got.ContentType != PNG || got.Width != 20 || got.Height != 10 {
			t.Fatalf("%s: got %s %d×%d (%v), want a PNG of 20×10", name, got.ContentType, got.Width, got.Height, err)
		}
		picture, err := png.Decode(bytes.NewReader(got.Content))
		if err != nil || color.NRGBAModel.Convert(picture.At(19, 9)) != blue || bytes.Contains(got.Content, []byte("Ada")) {
			t.Errorf("%s: the picture is %v (%v), want it blue, and without words", name, picture.At(19, 9), err)
		}
	}
}
