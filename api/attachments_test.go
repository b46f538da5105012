package api_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/blob"
	"earshot/models/blob/blobtest"
	"earshot/models/jobs"
)

func screenshot(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewRGBA(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// upload sends a file as a visitor does.
func upload(t *testing.T, s *apitest.Server, project api.Project, name string, content []byte, headers ...string) *apitest.Response {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.Client(t).Do(post, "/w/"+project.Key+"/attachments", body.Bytes(), append(headers, "Content-Type", form.FormDataContentType())...)
}

func uploaded(t *testing.T, r *apitest.Response) models.ID {
	t.Helper()
	var file api.Uploaded
	r.Want(201).JSON(&file)
	return file.ID
}

func attached(message string, ids ...models.ID) map[string]any {
	return map[string]any{"id": models.NewID(), "page_url": "https://shop.example/", "message": message, "attachment_ids": ids}
}

func files(t *testing.T, dir string) int { return filesIn(t, blob.Location{Folder: dir}) }

// filesIn counts the attachments' contents.
func filesIn(t *testing.T, at blob.Location) (n int) {
	t.Helper()
	kept, err := blob.Open(at, blobtest.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range kept.List(t.Context(), attachments.Folder) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	t.Run("in the data folder", func(t *testing.T) {
		at := blob.Location{Folder: t.TempDir()}
		testAttachments(t, at, func(c *api.Config) { c.DataDir = at.Folder })
	})
	t.Run("in another folder", func(t *testing.T) { testFilesIn(t, blob.Location{Folder: t.TempDir()}) })
	t.Run("in a bucket", func(t *testing.T) { testFilesIn(t, blobtest.Start(t).Location) })
}

func testFilesIn(t *testing.T, at blob.Location) {
	testAttachments(t, at, func(c *api.Config) { c.Files, c.FilesCredentials = at, blobtest.Credentials })
}

func testAttachments(t *testing.T, at blob.Location, option apitest.Option) {
	ahead := &clock{}
	s := apitest.Start(t, ahead.option, option)
	owner, project := s.Project(t, "https://shop.example")
	other := owner.Project()
	token := models.NewResumeToken()
	picture := uploaded(t, upload(t, s, project, `..\my "shot".png`, screenshot(t), "Origin", "https://shop.example", "Authorization", "Bearer "+token))
	text := uploaded(t, upload(t, s, project, "log.txt", []byte("line")))
	foreign := uploaded(t, upload(t, s, other, "log.txt", []byte("line")))
	send := func(body map[string]any) *apitest.Response {
		return s.Client(t).Do(post, "/w/"+project.Key+"/feedback", body)
	}
	with := func(body map[string]any, token string) map[string]any { body["resume_token"] = token; return body }
	for name, body := range map[string]map[string]any{
		"of nobody":                with(attached("x", models.NewID()), token),
		"of another project":       with(attached("x", foreign), token),
		"of another session":       with(attached("x", picture), models.NewResumeToken()),
		"of nobody's session":      attached("x", picture),
		"twice":                    with(attached("x", text, text), token),
		"no id":                    with(attached("x", models.ID("nonsense")), token),
		"six":                      with(attached("x", text, models.NewID(), models.NewID(), models.NewID(), models.NewID(), models.NewID()), token),
		"a good one and a bad one": with(attached("x", text, models.NewID()), token),
	} {
		if p := send(body).Want(422).Problem(); p.Code != models.CodeInvalidField || !strings.HasPrefix(p.Errors[0].Path, "attachment_ids") {
			t.Errorf("%s: %+v, want attachment_ids refused", name, p)
		}
	}
	body := with(attached("See the files", text, picture), token)
	send(body).Want(201)
	send(body).Want(200)
	if p := send(with(attached("Mine, too", text), token)).Want(422).Problem(); p.Errors[0].Path != "attachment_ids.0" {
		t.Errorf("a file was given away twice: %+v", p)
	}
	item := "/api/v1/feedback/" + string(body["id"].(models.ID))
	var shown api.Feedback
	owner.Get(item, 200).JSON(&shown)
	if len(shown.Attachments) != 2 || shown.Attachments[0].ID != text || shown.Attachments[1].Name != "my _shot_.png" ||
		*shown.Attachments[1].Width != 40 || *shown.Attachments[1].Height != 30 || shown.Attachments[0].Width != nil {
		t.Fatalf("attachments = %+v", shown.Attachments)
	}
	var me api.Me
	owner.Get("/api/v1/me", 200).JSON(&me)
	for format, want := range map[models.ExportFormat]string{
		models.ExportJSONL: `"attachments":[{"id":"` + string(text) + `","name":"log.txt","content_type":"text/plain; charset=utf-8","size":4},{"id":"` + string(picture) + `","name":"my _shot_.png"`,
		models.ExportCSV:   `"log.txt, my _shot_.png"`,
	} {
		var out strings.Builder
		err := jobs.Write(t.Context(), s.Store(), models.ScopeOf(me.Organization.ID), project.ID, models.Export{Format: format}, &out, func(_, _ int64) {})
		if err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("exported as %s: %s, %v, want %s", format, out.String(), err, want)
		}
	}
	link := strings.TrimPrefix(shown.Attachments[1].URL, s.URL)
	r := s.Client(t).Get(link, 200)
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="my _shot_.png"`,
		"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy": "no-referrer", "Cache-Control": "private, no-store",
	} {
		wantHeader(t, r, name, want)
	}
	if _, err := png.Decode(bytes.NewReader(r.Body)); err != nil {
		t.Errorf("the picture does not open: %v", err)
	}
	api1 := "/api/v1/attachments/" + string(text)
	if got := owner.Get(api1, 200); string(got.Body) != "line" {
		t.Errorf("the file is %q", got.Body)
	}
	run(t, s.Client(t), []call{
		{name: "no token", method: get, path: api1, status: 401, code: "unauthorized"},
		{name: "forged link", method: get, path: strings.Replace(link, string(picture), string(text), 1), status: 404, code: "not_found"},
	})
	run(t, stranger(t, s), []call{{name: "a stranger", method: get, path: api1, status: 404, code: "not_found"}})
	run(t, owner, []call{{name: "nobody's yet", method: get, path: "/api/v1/attachments/" + string(foreign), status: 404, code: "not_found"}})

	plain := s.Submit(t, project, "without")
	for query, want := range map[string]models.ID{"true": shown.ID, "false": plain.ID} {
		var list api.FeedbackList
		owner.Get("/api/v1/projects/"+string(project.ID)+"/feedback?count=true&has_attachment="+query, 200).JSON(&list)
		if len(list.Items) != 1 || list.Items[0].ID != want || *list.Total != 1 {
			t.Errorf("has_attachment=%s lists %+v", query, list.Items)
		}
	}
	var mine api.ConversationList
	s.Client(t).Do(get, "/w/"+project.Key+"/conversations", nil, "Authorization", "Bearer "+token).Want(200).JSON(&mine)
	if len(mine.Items[0].Attachments) != 2 {
		t.Errorf("the visitor sees %+v", mine.Items[0].Attachments)
	}
	ahead.move(5*time.Minute + time.Second)
	s.Client(t).Get(link, 404)

	if n := filesIn(t, at); n != 3 {
		t.Errorf("%d files are kept, want 3", n)
	}
	owner.Delete(item)
	waitFor(t, func() bool { return filesIn(t, at) == 1 }, "the erased item's files go")
	owner.Get(api1, 404)
	ahead.move(time.Hour)
	waitFor(t, func() bool { return filesIn(t, at) == 0 }, "the file goes that nobody named")
	late := attached("too late", foreign)
	s.Client(t).Do(post, "/w/"+other.Key+"/feedback", late).Want(422)
}

func waitFor(t *testing.T, done func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("within ten seconds it is not so that %s", what)
		}
	}
}

func TestUploadsAreRefused(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	_, project := s.Project(t, "https://shop.example")
	big := bytes.Repeat([]byte("a"), models.MaxAttachment+1)
	for _, tc := range []struct {
		name   string
		send   func() *apitest.Response
		status int
		code   models.Code
	}{
		{"from another origin", func() *apitest.Response {
			return upload(t, s, project, "a.txt", []byte("a"), "Origin", "https://evil.example")
		}, 403, "forbidden"},
		{"with another key", func() *apitest.Response {
			return upload(t, s, api.Project{Key: models.NewProjectKey()}, "a.txt", []byte("a"))
		}, 404, "not_found"},
		{"much, with another key", func() *apitest.Response {
			return upload(t, s, api.Project{Key: models.NewProjectKey()}, "a.txt", big[:900_000])
		}, 404, "not_found"},
		{"with a bad token", func() *apitest.Response {
			return upload(t, s, project, "a.txt", []byte("a"), "Authorization", "Bearer x")
		}, 401, "unauthorized"},
		{"a page", func() *apitest.Response { return upload(t, s, project, "a.png", []byte("<html>")) }, 415, "unsupported_media"},
		{"nothing", func() *apitest.Response { return upload(t, s, project, "a.png", nil) }, 422, "invalid_field"},
		{"one byte too much", func() *apitest.Response { return upload(t, s, project, "a.txt", big) }, 413, "too_large"},
		{"far too much", func() *apitest.Response { return upload(t, s, project, "a.txt", bytes.Repeat([]byte("a"), 12<<20)) }, 413, "too_large"},
		{"no form", func() *apitest.Response { return s.Client(t).Do(post, "/w/"+project.Key+"/attachments", "{}") }, 415, "unsupported_media"},
		{"a broken form", func() *apitest.Response {
			return s.Client(t).Do(post, "/w/"+project.Key+"/attachments", "nonsense", "Content-Type", "multipart/form-data; boundary=x")
		}, 400, "bad_request"},
		{"a form without a file", func() *apitest.Response {
			return s.Client(t).Do(post, "/w/"+project.Key+"/attachments", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n", "Content-Type", "multipart/form-data; boundary=x")
		}, 422, "invalid_field"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if r := tc.send(); r.Status != tc.status || r.Problem().Code != tc.code {
				t.Errorf("answer = %d %s, want %d %s", r.Status, r.Body, tc.status, tc.code)
			} else if tc.status == 413 && !strings.Contains(r.Problem().Detail, "10 MiB") {
				t.Errorf("the limit is said to be: %s", r.Problem().Detail)
			}
		})
	}
	if r := upload(t, s, project, "a.txt", big[:models.MaxAttachment]); r.Status != 201 {
		t.Errorf("just as much as may be: %d %s", r.Status, r.Body)
	}
}

func TestUploadQuota(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	_, project := s.Project(t)
	token := models.NewResumeToken()
	for range 20 {
		upload(t, s, project, "a.txt", []byte("a"), "Authorization", "Bearer "+token).Want(201)
	}
	r := upload(t, s, project, "a.txt", []byte("a"), "Authorization", "Bearer "+token).Want(429)
	if r.Problem().RetryAfterMS <= 0 {
		t.Errorf("refusal = %s", r.Body)
	}
	upload(t, s, project, "a.txt", []byte("a")).Want(201) // another session at the address
}

// Uploads that never end take the room of other uploads for a while, of one project's
// alone, and of nothing else.
func TestUploadsHaveBoundedRoom(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	other := owner.Project()
	var stuck []*os.File
	var opened sync.WaitGroup
	for range 8 {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		stuck = append(stuck, writer)
		request, err := http.NewRequestWithContext(t.Context(), post, s.URL+"/w/"+project.Key+"/attachments", reader)
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = 9 << 20
		request.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		opened.Go(func() {
			if answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request); err == nil {
				_ = answer.Body.Close()
			}
		})
		if _, err := writer.WriteString("--x\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return s.OpenUploads() == 8 }, "eight uploads are open")
	content := bytes.Repeat([]byte("a"), 2<<20)
	r := upload(t, s, project, "a.txt", content).Want(503)
	if r.Header.Get("Retry-After") == "" {
		t.Errorf("refusal = %v %s", r.Header, r.Body)
	}
	upload(t, s, other, "a.txt", content).Want(201)
	s.Submit(t, project, "Feedback goes on")
	for _, writer := range stuck {
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	opened.Wait()
	waitFor(t, func() bool { return s.OpenUploads() == 0 }, "what broke off holds no room")
	upload(t, s, project, "a.txt", content).Want(201)
}

// What was kept and never noted, and what was noted to go and never went, goes at the
// next start.
func TestFilesOfNobodyGoAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "attachments")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	for i := range 250 {
		path := filepath.Join(folder, string(models.NewID()))
		if i == 0 {
			path = filepath.Join(folder, "half-written.half")
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	fresh := filepath.Join(folder, string(models.NewID()))
	if err := os.WriteFile(fresh, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	apitest.Start(t, func(c *api.Config) { c.DataDir = dir })
	waitFor(t, func() bool { return files(t, dir) == 1 }, "only what was just written is left")
	if _, err := os.Stat(fresh); err != nil {
		t.Error(fmt.Errorf("what was just written is gone: %w", err))
	}
}

// A bucket that does not answer keeps nobody from anything but files.
func TestBucketThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	bucket := blobtest.Start(t)
	s := apitest.Start(t, func(c *api.Config) { c.Files, c.FilesCredentials = bucket.Location, blobtest.Credentials })
	owner, project := s.Project(t, "https://shop.example")
	file := uploaded(t, upload(t, s, project, "a.txt", []byte("a")))
	body := attached("with a file", file)
	s.Client(t).Post("/w/"+project.Key+"/feedback", body, 201)
	bucket.Refuse(true)
	if p := upload(t, s, project, "b.txt", []byte("b")).Want(503).Problem(); p.Code != models.CodeUnavailable || strings.Contains(p.Detail, "feedback") {
		t.Errorf("an upload gives %+v, want unavailable and nothing of the bucket", p)
	}
	if p := owner.Get("/api/v1/attachments/"+string(file), 503).Problem(); p.Code != models.CodeUnavailable {
		t.Errorf("a download gives %+v, want unavailable", p)
	}
	s.Submit(t, project, "without")
	owner.Delete("/api/v1/feedback/" + string(body["id"].(models.ID)))
	bucket.Refuse(false)
	if n := filesIn(t, bucket.Location); n != 1 {
		t.Errorf("there are %d files, want the erased item's, which could not be removed yet", n)
	}
	waitForFiles(t, bucket.Location, 0)
	uploaded(t, upload(t, s, project, "b.txt", []byte("b")))
}

func waitForFiles(t *testing.T, at blob.Location, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); filesIn(t, at) != n; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("there are %d files, want %d", filesIn(t, at), n)
		}
	}
}
