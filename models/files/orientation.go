package files

import (
	"encoding/binary"
	"image"
	"image/color"
)

// orientation is how a camera was held, 1 to 8, as its JPEG says (Exif 3.0 §4.6.5,
// tag 0x0112); 1, upright, where it does not. It is read because it is lost with
// the rest of the metadata.
func orientation(content []byte) int {
	const marker, exif = 0xff, "Exif\x00\x00"
	for at := 2; at+4 <= len(content) && content[at] == marker; {
		kind, size := content[at+1], int(binary.BigEndian.Uint16(content[at+2:]))
		end := at + 2 + size
		if kind == 0xda || size < 2 || end > len(content) { // the picture begins
			return 1
		}
		segment := content[at+4 : end]
		if kind == 0xe1 && len(segment) > len(exif) && string(segment[:len(exif)]) == exif {
			return orientationOf(segment[len(exif):])
		}
		at = end
	}
	return 1
}

// orientationOf reads the tag in a TIFF header's first directory.
func orientationOf(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	const entry = 12 // bytes
	directory := int64(order.Uint32(tiff[4:]))
	if directory+2 > int64(len(tiff)) {
		return 1
	}
	count := int64(order.Uint16(tiff[directory:]))
	for i := range count {
		at := directory + 2 + i*entry
		if at+entry > int64(len(tiff)) {
			return 1
		}
		if order.Uint16(tiff[at:]) == 0x0112 {
			if value := int(order.Uint16(tiff[at+8:])); value >= 1 && value <= 8 {
				return value
			}
			return 1
		}
	}
	return 1
}

// upright turns a picture as its orientation says.
func upright(picture image.Image, orientation int) image.Image {
	if orientation <= 1 {
		return picture
	}
	return turned{picture, orientation}
}

// turned is a picture seen turned: nothing is copied.
type turned struct {
	image.Image
	orientation int
}

// Bounds implements image.Image.
func (t turned) Bounds() image.Rectangle {
	b := t.Image.Bounds()
	if t.orientation >= 5 { // lies on its side
		return image.Rect(0, 0, b.Dy(), b.Dx())
	}
	return image.Rect(0, 0, b.Dx(), b.Dy())
}

// At implements image.Image.
func (t turned) At(x, y int) color.Color {
	b := t.Image.Bounds()
	w, h := b.Dx()-1, b.Dy()-1
	switch t.orientation {
	case 2:
		x = w - x
	case 3:
		x, y = w-x, h-y
	case 4:
		y = h - y
	case 5:
		x, y = y, x
	case 6:
		x, y = y, h-x
	case 7:
		x, y = w-y, h-x
	case 8:
		x, y = w-y, x
	}
	return t.Image.At(b.Min.X+x, b.Min.Y+y)
}
