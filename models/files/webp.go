package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"

	"golang.org/x/image/riff"
)

var errNoPicture = errors.New("webp: no picture")

// webpBounds is the largest size that anything in a WebP says to have: its canvas
// (VP8X), its picture (VP8 or VP8L), and the frames of an animation (ANMF) with the
// pictures in them (RFC 9649 §2.5–2.7). The canvas alone is no bound, for what takes
// the memory is the picture, and a file may say of the two what it likes. It reads
// heads and nothing else: a file may have a million of them.
func webpBounds(content []byte) (image.Config, error) {
	_, chunks, err := riff.NewReader(bytes.NewReader(content))
	if err != nil {
		return image.Config{}, err
	}
	var w webpSize
	if err := w.read(chunks, false); err != nil {
		return image.Config{}, err
	}
	if !w.picture {
		return image.Config{}, errNoPicture
	}
	return image.Config{Width: w.width, Height: w.height}, nil
}

// webpSize is what was read of a file.
type webpSize struct {
	width, height int
	picture       bool // there is one
}

func (w *webpSize) note(width, height int) {
	w.width, w.height = max(w.width, width), max(w.height, height)
}

// read looks at chunks up to where they cannot be told apart any more: there, the
// decoder ends too, which reads them with the same reader. A frame has no frames.
func (w *webpSize) read(chunks *riff.Reader, frame bool) error {
	for {
		id, size, data, err := chunks.Next()
		if err != nil {
			return nil //nolint:nilerr // see above
		}
		switch string(id[:]) {
		case "VP8X":
			err = w.readSize(data, 4)
		case "VP8 ":
			err = w.readLossy(data)
		case "VP8L":
			err = w.readLossless(data)
		case "ANMF":
			if !frame {
				err = w.readFrame(data, size)
			}
		}
		if err != nil {
			return err
		}
	}
}

// readSize reads two numbers of 24 bits, each less by one than what it means, that
// stand behind some other bytes.
func (w *webpSize) readSize(data io.Reader, behind int) error {
	buf := make([]byte, behind+6)
	if _, err := io.ReadFull(data, buf); err != nil {
		return err
	}
	number := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	w.note(number(buf[behind:])+1, number(buf[behind+3:])+1)
	return nil
}

// readLossy reads the head of a key frame (RFC 6386 §9.1): three bytes, three that are
// always the same, and the size in the lower 14 bits of two numbers each.
func (w *webpSize) readLossy(data io.Reader) error {
	var head [10]byte
	if _, err := io.ReadFull(data, head[:]); err != nil {
		return err
	}
	const mask = 1<<14 - 1
	w.note(int(binary.LittleEndian.Uint16(head[6:]))&mask, int(binary.LittleEndian.Uint16(head[8:]))&mask)
	w.picture = true
	return nil
}

// readLossless reads the size behind the first byte: two numbers of 14 bits, each less
// by one than what it means (RFC 9649 §3).
func (w *webpSize) readLossless(data io.Reader) error {
	var head [5]byte
	if _, err := io.ReadFull(data, head[:]); err != nil {
		return err
	}
	const mask = 1<<14 - 1
	bits := int(binary.LittleEndian.Uint32(head[1:]))
	w.note(bits&mask+1, bits>>14&mask+1)
	w.picture = true
	return nil
}

// readFrame reads a frame: where it is, its size, and, where a list has its type, how
// long it is shown and how it is laid over the others. The rest is chunks.
func (w *webpSize) readFrame(data io.Reader, size uint32) error {
	const before = 12 // bytes: place and size
	if size < before {
		return errNoPicture
	}
	if err := w.readSize(data, 6); err != nil {
		return err
	}
	_, chunks, err := riff.NewListReader(size-before, data)
	if err != nil {
		return err
	}
	return w.read(chunks, true)
}
