// Package files looks at what strangers upload. What a file is, its content says and
// nothing else; images are taken apart and made anew, so that what is kept has no
// metadata and is nothing but the picture.
package files

import (
	"bytes"
	"context"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/webp"

	"earshot/models"
)

// The types that are kept.
const (
	PNG  = "image/png"
	JPEG = "image/jpeg"
	PDF  = "application/pdf"
	Text = "text/plain; charset=utf-8"
)

const (
	// maxSide and maxPixels bound an image before it is taken apart: 40 megapixels
	// take 160 MB of memory, which is more than cameras of telephones make.
	maxSide   = 12_000
	maxPixels = 40_000_000
	// jpegQuality is what eyes do not tell from the original.
	jpegQuality = 90
	maxName     = 100
	// atOnce is how many images are taken apart at the same time, and patience how
	// long the others wait.
	atOnce   = 2
	patience = 10 * time.Second
)

// File is a file as it is kept.
type File struct {
	Name          string
	ContentType   string
	Content       []byte
	Width, Height int
}

// Reader looks at files, a few images at once.
type Reader struct{ slots chan struct{} }

// NewReader makes a Reader.
func NewReader() *Reader { return &Reader{slots: make(chan struct{}, atOnce)} }

// Read looks at a file. CodeUnsupportedMedia where it is none of the types that are
// kept, CodeInvalidField where it is empty or broken, CodeTooLarge where it or its
// picture is.
func (r *Reader) Read(ctx context.Context, name string, content []byte) (File, error) {
	switch {
	case len(content) == 0:
		return File{}, models.InvalidField("file", "is empty")
	case len(content) > models.MaxAttachment:
		return File{}, models.Errorf(models.CodeTooLarge, "a file may have at most 10 MiB")
	}
	if decode := imageOf(content); decode != nil {
		return r.picture(ctx, name, content, *decode)
	}
	switch {
	case bytes.HasPrefix(content, []byte("%PDF-")):
		return File{Name: displayName(name, ".pdf"), ContentType: PDF, Content: content}, nil
	case isText(content):
		return File{Name: displayName(name, ".txt"), ContentType: Text, Content: content}, nil
	}
	return File{}, models.Errorf(models.CodeUnsupportedMedia, "a file must be a PNG, JPEG, WebP or GIF image, a PDF, or plain text in UTF-8")
}

// format is how an image is read: its bounds first.
type format struct {
	bounds func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
	jpeg   bool // has an orientation, and is kept as JPEG
}

// imageOf knows images by their first bytes; nil where it is none.
func imageOf(content []byte) *format {
	is := func(magic string) bool { return bytes.HasPrefix(content, []byte(magic)) }
	switch {
	case is("\x89PNG\r\n\x1a\n"):
		return &format{bounds: reading(png.DecodeConfig), decode: reading(png.Decode)}
	case is("\xff\xd8\xff"):
		return &format{bounds: reading(jpeg.DecodeConfig), decode: reading(jpeg.Decode), jpeg: true}
	case is("GIF87a"), is("GIF89a"): // the first picture of it
		return &format{bounds: reading(gif.DecodeConfig), decode: reading(gif.Decode)}
	case is("RIFF") && len(content) > 12 && string(content[8:12]) == "WEBP":
		return &format{bounds: webpBounds, decode: reading(webp.Decode)}
	}
	return nil
}

func reading[T any](read func(io.Reader) (T, error)) func([]byte) (T, error) {
	return func(content []byte) (T, error) { return read(bytes.NewReader(content)) }
}

// picture makes an image anew.
func (r *Reader) picture(ctx context.Context, name string, content []byte, f format) (File, error) {
	broken := models.InvalidField("file", "is a broken image")
	bounds, err := f.bounds(content)
	if err != nil || bounds.Width <= 0 || bounds.Height <= 0 {
		return File{}, broken
	}
	if bounds.Width > maxSide || bounds.Height > maxSide || bounds.Width*bounds.Height > maxPixels {
		return File{}, models.Errorf(models.CodeTooLarge, "an image may have at most %d pixels a side and %d megapixels", maxSide, maxPixels/1_000_000)
	}
	release, err := r.acquire(ctx)
	if err != nil {
		return File{}, err
	}
	defer release()
	picture, err := f.decode(content)
	if err != nil {
		return File{}, broken
	}
	if f.jpeg {
		picture = upright(picture, orientation(content))
	}
	var out bytes.Buffer
	file := File{Width: picture.Bounds().Dx(), Height: picture.Bounds().Dy()}
	if opaque, ok := picture.(interface{ Opaque() bool }); f.jpeg || ok && opaque.Opaque() && isPhoto(picture) {
		file.ContentType, file.Name = JPEG, displayName(name, ".jpg")
		err = jpeg.Encode(&out, picture, &jpeg.Options{Quality: jpegQuality})
	} else {
		file.ContentType, file.Name = PNG, displayName(name, ".png")
		err = png.Encode(&out, picture)
	}
	if err != nil {
		return File{}, err
	}
	if out.Len() > 2*models.MaxAttachment { // what was packed better than PNG can
		return File{}, models.Errorf(models.CodeTooLarge, "this image is too large")
	}
	file.Content = out.Bytes()
	return file, nil
}

// isPhoto reports whether an image was kept with loss already, as WebP's are.
func isPhoto(picture image.Image) bool {
	_, ok := picture.(*image.YCbCr)
	return ok
}

func (r *Reader) acquire(ctx context.Context) (release func(), err error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }, nil
	case <-ctx.Done():
	case <-timeout.C:
	}
	return nil, &models.Error{Code: models.CodeUnavailable, Message: "too many images come at this time", RetryAfter: patience}
}

// isText reports whether a file is text that no browser takes for anything else.
func isText(content []byte) bool {
	if !utf8.Valid(content) {
		return false
	}
	for _, c := range content {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' || c == 0x7f {
			return false
		}
	}
	// Markup begins with a tag, wherever a browser looks for one (MIME Sniffing §7.1).
	start := bytes.TrimLeft(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), "\t\n\f\r ")
	return !bytes.HasPrefix(start, []byte("<"))
}

// displayName is a file's name for people: without a path, without what would change
// how it is read, and with the extension of what it is.
func displayName(name, extension string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			return -1
		case strings.ContainsRune(`/\:*?"<>|%;`, r):
			return '_'
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	if runes := []rune(name); len(runes) > maxName-len(extension) {
		name = strings.TrimSpace(string(runes[:maxName-len(extension)]))
	}
	if name == "" {
		name = "file"
	}
	return name + extension
}
