package files

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"earshot/models"
)

// picture has one red pixel, in the upper left corner of blue ones.
func picture(w, h int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			p.Set(x, y, color.RGBA{0, 0, 255, 255})
		}
	}
	for y := range 8 {
		for x := range 8 {
			p.Set(x, y, color.RGBA{255, 0, 0, 255})
		}
	}
	return p
}

func encoded(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, w, h int) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, picture(w, h)) })
}

func jpegOf(t testing.TB, w, h int) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(w, h), nil) })
}

// withExif puts an orientation and a place into a JPEG.
func withExif(jpeg []byte, orientation uint16) []byte {
	tiff := []byte("II*\x00\x08\x00\x00\x00\x01\x00")
	tiff = binary.LittleEndian.AppendUint16(tiff, 0x0112)
	tiff = binary.LittleEndian.AppendUint16(tiff, 3)
	tiff = binary.LittleEndian.AppendUint32(tiff, 1)
	tiff = binary.LittleEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	tiff = append(tiff, "GPS 48.1374 N 11.5755 E"...)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return append(append(head, segment...), jpeg[2:]...)
}

// pngBomb says to be of 60,000 pixels a side.
func pngBomb(t testing.TB) []byte {
	bomb := pngOf(t, 16, 16)
	binary.BigEndian.PutUint32(bomb[16:], 60_000)
	binary.BigEndian.PutUint32(bomb[20:], 60_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	return bomb
}

const webpPixel = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"

func TestRead(t *testing.T) {
	webp, err := base64.StdEncoding.DecodeString(webpPixel)
	if err != nil {
		t.Fatal(err)
	}
	gifOf := encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, picture(20, 10), nil) })
	commented := func() []byte { // a chunk with words behind the header
		content := pngOf(t, 20, 10)
		chunk := []byte("tEXtComment\x00by Ada")
		block := binary.BigEndian.AppendUint32(nil, uint32(len(chunk)-4))
		block = binary.BigEndian.AppendUint32(append(block, chunk...), crc32.ChecksumIEEE(chunk))
		return append(append(bytes.Clone(content[:33]), block...), content[33:]...)
	}()
	for _, tc := range []struct {
		name, file string
		content    []byte
		want       string // type, or code of the refusal
		as         string
		w, h       int
	}{
		{"PNG", "shot.png", pngOf(t, 20, 10), PNG, "shot.png", 20, 10},
		{"PNG with a comment", "shot.png", commented, PNG, "shot.png", 20, 10},
		{"JPEG", "photo.jpeg", jpegOf(t, 20, 10), JPEG, "photo.jpg", 20, 10},
		{"JPEG with a place", "photo.jpg", withExif(jpegOf(t, 20, 10), 1), JPEG, "photo.jpg", 20, 10},
		{"JPEG on its side", "photo.jpg", withExif(jpegOf(t, 20, 10), 6), JPEG, "photo.jpg", 10, 20},
		{"GIF", "moving.gif", gifOf, PNG, "moving.png", 20, 10},
		{"WebP", "a.webp", webp, JPEG, "a.jpg", 1, 1},
		{"PNG that says to be a page", "page.html", pngOf(t, 20, 10), PNG, "page.png", 20, 10},
		{"PNG with a page behind it", "a.png", append(pngOf(t, 20, 10), "<script>alert(1)</script>"...), PNG, "a.png", 20, 10},
		{"PDF", "bill.pdf", []byte("%PDF-1.7\n…"), PDF, "bill.pdf", 0, 0},
		{"text", "log.txt", []byte("line one\r\n\tline two – ✓\n"), Text, "log.txt", 0, 0},
		{"text that says to be a page", "log.html", []byte("plain words"), Text, "log.txt", 0, 0},
		{"page", "page.html", []byte("<!doctype html><script>alert(1)</script>"), "unsupported_media", "", 0, 0},
		{"page that says to be a PNG", "page.png", []byte(" \n<html>"), "unsupported_media", "", 0, 0},
		{"page behind a mark", "page.txt", []byte("\xef\xbb\xbf<html>"), "unsupported_media", "", 0, 0},
		{"SVG", "logo.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "unsupported_media", "", 0, 0},
		{"SVG as XML", "logo.png", []byte(`<?xml version="1.0"?><svg/>`), "unsupported_media", "", 0, 0},
		{"program", "setup.exe", []byte("MZ\x90\x00\x03"), "unsupported_media", "", 0, 0},
		{"text that is not UTF-8", "log.txt", []byte("caf\xe9"), "unsupported_media", "", 0, 0},
		{"text with a NUL", "log.txt", []byte("a\x00b"), "unsupported_media", "", 0, 0},
		{"text with an escape", "log.txt", []byte("a\x1b[2Jb"), "unsupported_media", "", 0, 0},
		{"ZIP", "a.zip", []byte("PK\x03\x04"), "unsupported_media", "", 0, 0},
		{"nothing", "a.png", nil, "invalid_field", "", 0, 0},
		{"truncated PNG", "a.png", pngOf(t, 200, 100)[:80], "invalid_field", "", 0, 0},
		{"head of a JPEG", "a.jpg", []byte("\xff\xd8\xff\xe0"), "invalid_field", "", 0, 0},
		{"broken WebP", "a.webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "invalid_field", "", 0, 0},
		{"bomb", "a.png", pngBomb(t), "too_large", "", 0, 0},
		{"too much", "a.txt", bytes.Repeat([]byte("a"), models.MaxAttachment+1), "too_large", "", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := NewReader().Read(t.Context(), tc.file, tc.content)
			if err != nil {
				if string(models.CodeOf(err)) != tc.want {
					t.Fatalf("err = %v, want %s", err, tc.want)
				}
				return
			}
			if got.ContentType != tc.want || got.Name != tc.as || got.Width != tc.w || got.Height != tc.h {
				t.Errorf("got %s %q %d×%d, want %s %q %d×%d", got.ContentType, got.Name, got.Width, got.Height, tc.want, tc.as, tc.w, tc.h)
			}
			for _, gone := range []string{"GPS", "Exif", "Ada", "<script>"} {
				if tc.w > 0 && bytes.Contains(got.Content, []byte(gone)) {
					t.Errorf("%s is still in what is kept", gone)
				}
			}
		})
	}
}

// The red corner is where the camera's holder saw it.
func TestOrientation(t *testing.T) {
	red := func(p image.Image, x, y int) bool { r, _, b, _ := p.At(x, y).RGBA(); return r > b }
	for orientation, corner := range map[uint16][2]bool{ // right, below
		1: {false, false}, 2: {true, false}, 3: {true, true}, 4: {false, true}, 5: {false, false}, 6: {true, false}, 7: {true, true}, 8: {false, true},
	} {
		got, err := NewReader().Read(t.Context(), "a.jpg", withExif(jpegOf(t, 64, 32), orientation))
		if err != nil {
			t.Fatal(err)
		}
		p, err := jpeg.Decode(bytes.NewReader(got.Content))
		if err != nil {
			t.Fatal(err)
		}
		x, y := 2, 2
		if corner[0] {
			x = p.Bounds().Dx() - 3
		}
		if corner[1] {
			y = p.Bounds().Dy() - 3
		}
		if !red(p, x, y) {
			t.Errorf("orientation %d: the corner is not at %d, %d of %v", orientation, x, y, p.Bounds())
		}
	}
}

func TestDisplayName(t *testing.T) {
	for given, want := range map[string]string{
		"../../etc/passwd": "passwd.txt", `C:\Users\ada\log.txt`: "log.txt", "photo\u202egnp.exe": "photognp.txt", "": "file.txt", "...": "file.txt",
		"a\nb\x00c.txt": "abc.txt", `q"uo;te%.txt`: "q_uo_te_.txt", "caf\xe9.txt": "caf.txt", strings.Repeat("ä", 300): strings.Repeat("ä", 96) + ".txt",
		".htaccess": "file.txt", "日本語.log": "日本語.txt",
	} {
		if got := displayName(given, ".txt"); got != want {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	webp, _ := base64.StdEncoding.DecodeString(webpPixel)
	for _, seed := range [][]byte{pngOf(f, 4, 4), withExif(jpegOf(f, 4, 4), 6), webp, pngBomb(f), []byte("%PDF-"), []byte("text"), []byte("<svg/>")} {
		f.Add("name.png", seed)
	}
	for _, bomb := range bombs(f) {
		f.Add("name.webp", bomb)
	}
	f.Add("name.webp", webpOf(canvas(2, 4, 4), frame(4, 4, lossless(4, 4, blue))))
	reader := NewReader()
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		got, err := reader.Read(t.Context(), name, content)
		if err != nil {
			if models.CodeOf(err) == models.CodeInternal {
				t.Fatal(err)
			}
			return
		}
		if strings.ContainsAny(got.Name, "/\\\r\n\x00\"") || len([]rune(got.Name)) > maxName {
			t.Errorf("name = %q", got.Name)
		}
		if got.ContentType != PNG && got.ContentType != JPEG && got.ContentType != PDF && got.ContentType != Text {
			t.Errorf("type = %q", got.ContentType)
		}
	})
}
