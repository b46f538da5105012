package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// uploadApp has the server's own settings and one route, which answers with the file
// that readUpload finds.
func uploadApp(f *testing.F) *fiber.App {
	f.Helper()
	s, err := newServer(Config{BaseURL: "https://earshot.example", Secret: make([]byte, minSecret), Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.leave)
	app := s.newApp()
	app.Post("/", func(c *fiber.Ctx) error {
		header, err := readUpload(c)
		if err != nil {
			return s.fail(c, err)
		}
		defer c.Request().RemoveMultipartFormFiles()
		file, err := header.Open()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		if int64(len(content)) != header.Size {
			return fmt.Errorf("%d bytes, of which the header says %d", len(content), header.Size)
		}
		return c.Send(content)
	})
	return app
}

// Whatever the form, it is read as another reader does, or refused as the client's
// fault: with one part "file" that has a name, and no more of the body than that.
func FuzzUpload(f *testing.F) {
	app := uploadApp(f)
	const form = "multipart/form-data; boundary=x"
	part := func(disposition, content string) string {
		return "--x\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n"
	}
	for _, body := range []string{
		part(`name="file"; filename="a.txt"`, "hello") + "--x--\r\n", part(`name="file"; filename="a.txt"`, "hello"), part(`name="file"`, "hello") + "--x--\r\n",
		part(`name="file"; filename="a"`, "1") + part(`name="file"; filename="b"`, "2") + "--x--", part(`name="other"; filename="a"`, "1") + "--x--",
		part(`name="text"`, "t") + part(`name="file"; filename="../../etc/passwd"`, "\x00\r\n--y") + "--x--", part(`name=file; filename*=utf-8''%c3%a4`, "") + "--x--",
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\r\n--x--", "--x--", "",
		part(`name="file"; filename="a"`, "1") + "--x--\xa3", part(`name="file"; filename="a"`, "1") + "--x--\xa3\r\n",
	} {
		f.Add(form, []byte(body))
	}
	for _, kind := range []string{"application/json", "multipart/form-data", "multipart/form-data; boundary=", "Multipart/Form-Data; Boundary=\"x\"", "multipart/mixed; boundary=x", ""} {
		f.Add(kind, []byte(part(`name="file"; filename="a.txt"`, "hello")+"--x--\r\n"))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if len(body) == 0 || len(body) > maxBody || strings.ContainsFunc(kind, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // HTTP has these apart
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://earshot.example/", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(fiber.HeaderContentType, kind)
		answer, err := app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(bufio.NewReader(answer.Body))
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		want, one := onlyFile(kind, body)
		switch {
		case answer.StatusCode == http.StatusOK:
			if !one || !bytes.Equal(got, want) {
				t.Fatalf("%q with %q: a file of %q, want %q, %v", kind, body, got, want, one)
			}
		case one || answer.StatusCode < 400 || answer.StatusCode >= 500 || answer.Header.Get(fiber.HeaderContentType) != "application/problem+json":
			t.Fatalf("%q with %q: %d %s; is there one file: %v", kind, body, answer.StatusCode, got, one)
		}
	})
}

// onlyFile reads a form part by part.
func onlyFile(kind string, body []byte) (content []byte, one bool) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil || media != fiber.MIMEMultipartForm || params["boundary"] == "" {
		return nil, false
	}
	files := 0
	for reader := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // a wrapped one is a form that breaks off
			return content, files == 1
		}
		if err != nil {
			return nil, false
		}
		read, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		if part.FormName() == "file" && part.FileName() != "" {
			files++
			content = read
		}
	}
}
