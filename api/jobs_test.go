package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	fastws "github.com/fasthttp/websocket"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

// finishedJob waits for a job's end by asking for it.
func finishedJob(t *testing.T, c *apitest.Client, id models.ID) (job api.Job) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !job.Status.Final(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the job is still %+v", job)
		}
		c.Get("/api/v1/jobs/"+string(id), 200).JSON(&job)
	}
	return job
}

func TestExportByHTTP(t *testing.T) {
	t.Parallel()
	var clock clock
	s := apitest.Start(t, clock.option, apitest.Unlimited)
	owner, project := s.Project(t)
	viewer, other := member(t, s, owner, models.RoleViewer), stranger(t, s)
	s.Submit(t, project, "=1+1")
	path := "/api/v1/projects/" + string(project.ID) + "/exports"
	run(t, owner, []call{
		{name: "no format", method: post, path: path, body: `{}`, status: 422, code: "invalid_field", field: "format"},
		{name: "bad format", method: post, path: path, body: `{"format":"xlsx"}`, status: 422, code: "invalid_field", field: "format"},
		{name: "unknown filter", method: post, path: path, body: `{"format":"csv","filter":{"colour":"red"}}`, status: 422, code: "invalid_field", field: "filter.colour"},
		{name: "no such project", method: post, path: "/api/v1/projects/" + string(models.NewID()) + "/exports", body: `{"format":"csv"}`, status: 404, code: "not_found"},
	})
	viewer.Do(post, path, `{"format":"csv"}`).Want(403)
	var job api.Job
	owner.Post(path, `{"format":"csv","filter":{"status":"new"}}`, 202).JSON(&job)
	job = finishedJob(t, owner, job.ID)
	if job.Status != models.JobSucceeded || job.Done != 1 || job.Total != 1 || job.DownloadURL == nil {
		t.Fatalf("job = %+v", job)
	}
	link := strings.TrimPrefix(*job.DownloadURL, s.URL)
	r := s.Client(t).Get(link, 200)
	if !bytes.Contains(r.Body, []byte(`'=1+1`)) || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("file = %s, %v", r.Body, r.Header)
	}
	plain := "/api/v1/jobs/" + string(job.ID) + "/download"
	owner.Get(plain, 200)
	s.Client(t).Get(plain, 401)
	other.Get(plain, 404)
	other.Get("/api/v1/jobs/"+string(job.ID), 404)
	other.Do(post, "/api/v1/jobs/"+string(job.ID)+"/cancel", nil).Want(404)
	s.Client(t).Get(link[:len(link)-2]+"AA", 401)
	var list api.JobList
	owner.Get("/api/v1/jobs?count=true", 200).JSON(&list)
	if len(list.Items) != 1 || list.Items[0].ID != job.ID || *list.Total != 1 {
		t.Errorf("jobs = %+v", list)
	}
	clock.move(6 * time.Minute)
	s.Client(t).Get(link, 401)
	owner.Get(link, 200) // the token is good for longer
}

// A dashboard that asks for a job is told of it, whether it follows the project or
// not; a stranger is not.
func TestExportBySocket(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, apitest.Unlimited)
	owner, project := s.Project(t)
	s.Submit(t, project, "hello")
	dial := func(c *apitest.Client) *fastws.Conn {
		t.Helper()
		ws, response, err := fastws.DefaultDialer.Dial("ws://"+s.Address+"/api/v1/socket", map[string][]string{"Authorization": {"Bearer " + c.Token}})
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		t.Cleanup(func() { _ = ws.Close() })
		return ws
	}
	mine, theirs := dial(owner), dial(stranger(t, s))
	send := func(ws *fastws.Conn, event string) {
		t.Helper()
		if err := ws.WriteMessage(fastws.TextMessage, []byte(event)); err != nil {
			t.Fatal(err)
		}
	}
	type told struct {
		Type, Re string
		Data     struct {
			JobID       models.ID        `json:"job_id"`
			Status      models.JobStatus `json:"status"`
			DownloadURL string           `json:"download_url"`
			Done, Total int64
			Code        models.Code
		}
	}
	read := func(ws *fastws.Conn) (e told) {
		t.Helper()
		_ = ws.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, raw, err := ws.ReadMessage()
		if err == nil {
			err = json.Unmarshal(raw, &e)
		}
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	send(mine, `{"type":"JobRequested","id":"ask","data":{"kind":"export","project_id":"`+string(project.ID)+`","format":"jsonl"}}`)
	var seen []string
	var last told
	for last.Type != "JobFinished" {
		if last = read(mine); last.Type != "Connected" {
			seen = append(seen, last.Type)
		}
		if last.Type == "JobStarted" && last.Re != "ask" {
			t.Errorf("JobStarted answers %q", last.Re)
		}
		if last.Type == "Progress" && (last.Data.Done != 1 || last.Data.Total != 1) {
			t.Errorf("Progress is %+v", last.Data)
		}
	}
	if want := "JobStarted LogLine Progress LogLine JobFinished"; strings.Join(seen, " ") != want {
		t.Errorf("told %v, want %s", seen, want)
	}
	if last.Data.Status != models.JobSucceeded {
		t.Errorf("finished as %+v", last.Data)
	}
	s.Client(t).Get(strings.TrimPrefix(last.Data.DownloadURL, s.URL), 200)
	send(theirs, `{"type":"JobCancelled","id":"no","data":{"job_id":"`+string(last.Data.JobID)+`"}}`)
	if first, second := read(theirs), read(theirs); first.Type != "Connected" || second.Type != "Error" || second.Data.Code != models.CodeNotFound {
		t.Errorf("a stranger is told %+v, %+v", first, second)
	}
	send(mine, `{"type":"JobRequested","id":"bad","data":{"kind":"purge","project_id":"`+string(project.ID)+`","format":"csv"}}`)
	if e := read(mine); e.Type != "Error" || e.Re != "bad" {
		t.Errorf("a kind that is not: %+v", e)
	}
}
