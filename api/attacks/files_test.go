package attacks

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"earshot/api/apitest"
	"earshot/models"
)

// form is a body of multipart/form-data with one file in it.
func form(t *testing.T, name, declared string, content []byte) (body []byte, kind string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename="%s"`, name)}, "Content-Type": {declared}}
	part, err := w.CreatePart(header)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.FormDataContentType()
}

func TestFiles(t *testing.T) {
	at := newTarget(t, apitest.Unlimited)
	const path = "/w/{key}/attachments"
	file := func(line, name, declared, content string, status int, code models.Code) attempt {
		body, kind := form(t, name, declared, []byte(content))
		return attempt{line, "POST", path, body, []string{"Content-Type", kind}, status, code}
	}
	at.run(t, at.Client(t), []attempt{
		file("picture with a script in it", "logo.svg", "image/svg+xml", `<svg onload="alert(1)"/>`, 415, "unsupported_media"),
		file("page that says to be a picture", "a.png", "image/png", "<html><script>alert(1)</script>", 415, "unsupported_media"),
		file("page behind white space", "a.txt", "text/plain", "\n\t <!doctype html>", 415, "unsupported_media"),
		file("program", "a.pdf", "application/pdf", "MZ\x90\x00", 415, "unsupported_media"),
		file("archive", "a.txt", "text/plain", "PK\x03\x04", 415, "unsupported_media"),
		file("picture cut off", "a.png", "image/png", "\x89PNG\r\n\x1a\n\x00\x00", 422, "invalid_field"),
		file("nothing", "a.png", "image/png", "", 422, "invalid_field"),
		file("name that leads elsewhere", "../../../../etc/passwd", "text/plain", "x", 201, ""),
		file("name with a line end", "a%0d%0aSet-Cookie: x=1.txt", "text/plain", "x", 201, ""),
		file("more than may be", "a.txt", "text/plain", strings.Repeat("a", models.MaxAttachment+1), 413, "too_large"),
		{"form without a boundary", "POST", path, "x", []string{"Content-Type", "multipart/form-data"}, 400, ""},
		{"form that never ends", "POST", path, "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx", []string{"Content-Type", "multipart/form-data; boundary=x"}, 400, "bad_request"},
		{"form of ten thousand parts", "POST", path, strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", 10_000) + "--x--\r\n", []string{"Content-Type", "multipart/form-data; boundary=x"}, 400, ""},
		{"form with a header of 64 KiB", "POST", path, "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + strings.Repeat("a", 64<<10) + "\"\r\n\r\nx\r\n--x--\r\n", []string{"Content-Type", "multipart/form-data; boundary=x"}, 201, ""},
		{"link of one's own making", "GET", "/a/" + string(models.NewID()) + "/" + strings.Repeat("A", 32), nil, nil, 404, "not_found"},
		{"file of nobody", "GET", "/api/v1/attachments/" + string(models.NewID()), nil, []string{"Authorization", "Bearer " + at.owner.Token}, 404, "not_found"},
	})
	t.Run("formula in an export", func(t *testing.T) {
		const formula = `=HYPERLINK("https://evil.example")`
		at.Client(t).Post("/w/"+at.project.Key+"/feedback", map[string]any{"id": models.NewID(), "page_url": origin + "/", "message": formula}, 201)
		if csv := export(t, at); strings.Contains(csv, `,"`+`=HYPERLINK`) || strings.Contains(csv, ",=HYPERLINK") || !strings.Contains(csv, "'=HYPERLINK") {
			t.Errorf("a spreadsheet would run it:\n%s", csv)
		}
	})
}

func export(t *testing.T, at *target) string {
	t.Helper()
	var job struct {
		ID, Status  string
		DownloadURL string `json:"download_url"`
	}
	at.owner.Post("/api/v1/projects/"+string(at.project.ID)+"/exports", `{"format":"csv"}`, 202).JSON(&job)
	for range 1000 {
		if at.owner.Get("/api/v1/jobs/"+job.ID, 200).JSON(&job); job.Status == "succeeded" {
			return string(at.Client(t).Get(strings.TrimPrefix(job.DownloadURL, at.URL), 200).Body)
		}
	}
	t.Fatalf("the export is %+v", job)
	return ""
}
