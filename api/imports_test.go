package api_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// form is a body with the fields of an import, and its type. A field "file" is the
// file.
func form(t *testing.T, fields map[string]string) (body, kind string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, value := range fields {
		if name != "file" {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
			continue
		}
		part, err := w.CreateFormFile("file", "feedback.csv")
		if err == nil {
			_, err = part.Write([]byte(value))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), w.FormDataContentType()
}

func TestImportByHTTP(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/imports"
	upload := func(c *apitest.Client, to string, fields map[string]string) *apitest.Response {
		body, kind := form(t, fields)
		return c.Do(post, to, body, "Content-Type", kind)
	}
	good := map[string]string{"format": "csv", "file": "message,stars\nfirst,5\nsecond,9\n"}
	var job api.Job
	upload(owner, path, good).Want(202).JSON(&job)
	job = finishedJob(t, owner, job.ID)
	if job.Kind != models.JobImport || job.Status != models.JobSucceeded || job.Done != 2 || *job.Refused != 1 || job.DownloadURL == nil {
		t.Fatalf("job = %+v, want one row refused and a report", job)
	}
	report := s.Client(t).Get(strings.TrimPrefix(*job.DownloadURL, s.URL), 200)
	if !strings.Contains(string(report.Body), `"3","rating must be from 1 to 5"`) || !strings.Contains(report.Header.Get("Content-Disposition"), "refused-") {
		t.Errorf("report = %s, %v", report.Body, report.Header)
	}
	var list api.FeedbackList
	if owner.Get("/api/v1/projects/"+string(project.ID)+"/feedback", 200).JSON(&list); len(list.Items) != 1 || list.Items[0].Message != "first" {
		t.Fatalf("items = %+v, want the first", list.Items)
	}
	imported := "/api/v1/feedback/" + string(list.Items[0].ID)
	owner.Patch(imported, `{"status":"open","rev":1}`, 200)
	owner.Post(imported+"/messages", `{"body":"Thank you.","visibility":"public"}`, 201)
	owner.Delete(imported)

	without := func(name string) map[string]string {
		fields := map[string]string{}
		for key, value := range good {
			if key != name {
				fields[key] = value
			}
		}
		return fields
	}
	with := func(name, value string) map[string]string {
		fields := without(name)
		fields[name] = value
		return fields
	}
	for name, tc := range map[string]struct {
		fields map[string]string
		status int
		code   models.Code
	}{
		"no file":         {without("file"), 422, "invalid_field"},
		"no format":       {without("format"), 422, "invalid_field"},
		"unknown format":  {with("format", "xlsx"), 422, "invalid_field"},
		"unknown field":   {with("colour", "red"), 422, "invalid_field"},
		"bad mapping":     {with("mapping", "[]"), 422, "invalid_field"},
		"unknown mapping": {with("mapping", `{"stars":"score"}`), 422, "invalid_field"},
		"twice mapped":    {with("mapping", `{"stars":"name","message":"name"}`), 422, "invalid_field"},
		"bad dry run":     {with("dry_run", "perhaps"), 422, "invalid_field"},
	} {
		if p := upload(owner, path, tc.fields).Want(tc.status).Problem(); p.Code != tc.code {
			t.Errorf("%s: code = %s, want %s", name, p.Code, tc.code)
		}
	}
	upload(s.Client(t), path, good).Want(401)
	upload(member(t, s, owner, models.RoleAgent), path, good).Want(403)
	upload(stranger(t, s), path, good).Want(404)
	upload(owner, "/api/v1/projects/"+string(models.NewID())+"/imports", good).Want(404)
	owner.Do(post, path, `{"format":"csv"}`).Want(415)
	owner.Do(post, path, "--x\r\n", "Content-Type", "multipart/form-data; boundary=x").Want(422)
	owner.Do(post, path, "x", "Content-Type", "multipart/form-data").Want(415)
}

// Who has signed in may upload more than others may send at all.
func TestLargeUpload(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID) + "/imports"
	var file strings.Builder
	file.WriteString("message\n")
	const rows = 400
	for i := range rows {
		fmt.Fprintf(&file, "item %d %s\n", i, strings.Repeat("x", 4900))
	}
	body, kind := form(t, map[string]string{"format": "csv", "file": file.String()})
	var job api.Job
	owner.Do(post, path, body, "Content-Type", kind).Want(202).JSON(&job)
	if job = finishedJob(t, owner, job.ID); job.Status != models.JobSucceeded || job.Done != rows || *job.Refused != 0 {
		t.Errorf("job = %+v", job)
	}
	s.Client(t).Do(post, path, body, "Content-Type", kind).Want(413)
	owner.Do(post, "/api/v1/projects", body, "Content-Type", kind).Want(413)
}
