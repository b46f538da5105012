package api_test

import (
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func submitAs(t *testing.T, s *apitest.Server, project api.Project, fields map[string]any) models.ID {
	t.Helper()
	body := map[string]any{"id": models.NewID(), "page_url": "https://shop.example/", "message": "Ada's words"}
	for name, value := range fields {
		body[name] = value
	}
	var receipt api.Receipt
	s.Client(t).Post("/w/"+project.Key+"/feedback", body, 201).JSON(&receipt)
	return receipt.ID
}

func TestErasureOfOneVisitor(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	token := models.NewResumeToken()
	ada := map[string]any{"email": "Ada@Example.com", "resume_token": token}
	first, second := submitAs(t, s, project, ada), submitAs(t, s, project, ada)
	other := submitAs(t, s, project, map[string]any{"email": "bob@example.com", "message": "Bob's words"})
	owner.Post("/api/v1/feedback/"+string(first)+"/messages", map[string]any{"body": "Dear Ada", "visibility": "public"}, 201)
	var job api.Job
	owner.Post("/api/v1/projects/"+string(project.ID)+"/exports", `{"format":"csv"}`, 202).JSON(&job)
	finishedJob(t, owner, job.ID)
	path := "/api/v1/projects/" + string(project.ID) + "/erasures"
	erase := func(body map[string]any) (report api.ErasureReport) {
		t.Helper()
		owner.Post(path, body, 200).JSON(&report)
		return report
	}
	want := api.ErasureReport{Items: 2, Messages: 1, Events: 3, Exports: 1, Sessions: 1}
	preview := erase(map[string]any{"email": " ada@example.com", "dry_run": true})
	if want.DryRun = true; preview != want {
		t.Errorf("preview = %+v, want %+v", preview, want)
	}
	owner.Get("/api/v1/feedback/"+string(first), 200)
	want.DryRun = false
	if report := erase(map[string]any{"email": "ada@example.com"}); report != want {
		t.Errorf("report = %+v, want %+v", report, want)
	}
	for _, id := range []models.ID{first, second} {
		owner.Get("/api/v1/feedback/"+string(id), 404)
	}
	owner.Get("/api/v1/feedback/"+string(other), 200)
	owner.Get("/api/v1/jobs/"+string(job.ID)+"/download", 404)
	s.Client(t).Do(get, "/w/"+project.Key+"/conversations", nil, "Authorization", "Bearer "+token).Want(401) // nobody's any more
	log := owner.Get("/api/v1/projects/"+string(project.ID)+"/events?since=0", 200)
	var page struct {
		Events []struct {
			Type string
			Seq  int64
		}
	}
	log.JSON(&page)
	for i, event := range page.Events {
		if event.Seq != int64(i+1) {
			t.Errorf("event %d has the number %d", i, event.Seq)
		}
	}
	if strings.Contains(string(log.Body), "Ada") || len(page.Events) != 6 {
		t.Errorf("the log is %s, want 6 events and nothing of Ada's", log.Body)
	}
	// A late outbox does not bring it back.
	r := s.Client(t).Do(post, "/w/"+project.Key+"/feedback", map[string]any{"id": first, "page_url": "https://shop.example/", "message": "Ada's words", "email": "Ada@Example.com", "resume_token": token})
	if r.Want(409).Problem().Code != models.CodeIDConflict {
		t.Errorf("answer = %s, want id_conflict", r.Body)
	}
	if report := erase(map[string]any{"email": "ada@example.com"}); report != (api.ErasureReport{}) {
		t.Errorf("a second erasure took %+v", report)
	}
	run(t, owner, []call{
		{name: "of nobody", method: post, path: path, body: map[string]any{}, status: 422, code: "invalid_field", field: "email"},
		{name: "of both", method: post, path: path, body: map[string]any{"email": "a@example.com", "session_id": models.NewID()}, status: 422, code: "invalid_field", field: "email"},
	})
	run(t, member(t, s, owner, models.RoleAgent), []call{
		{name: "by an agent", method: post, path: path, body: map[string]any{"email": "bob@example.com"}, status: 403, code: "forbidden"},
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	ahead := &clock{}
	s := apitest.Start(t, ahead.option)
	_, project := s.Project(t)
	path := "/api/v1/projects/" + string(project.ID)
	old := submitAs(t, s, project, nil)
	answered := submitAs(t, s, project, nil)
	ahead.move(60 * 24 * time.Hour)
	owner := s.Owner(t)
	owner.Post("/api/v1/feedback/"+string(answered)+"/messages", map[string]any{"body": "Hello", "visibility": "public"}, 201)
	fresh := submitAs(t, s, project, nil)
	var report api.ErasureReport
	if owner.Get(path+"/retention?days=30", 200).JSON(&report); report.Items != 1 || report.Events != 1 || !report.DryRun {
		t.Errorf("dry run = %+v, want the one item to which nothing has happened", report)
	}
	run(t, owner, []call{
		{name: "less than none", method: patch, path: path, body: map[string]any{"retention_days": -1}, status: 422, code: "invalid_field", field: "retention_days"},
		{name: "for ages", method: patch, path: path, body: map[string]any{"retention_days": 4000}, status: 422, code: "invalid_field", field: "retention_days"},
		{name: "no days", method: get, path: path + "/retention?days=0", status: 422, code: "invalid_field", field: "days"},
	})
	owner.Patch(path, map[string]any{"retention_days": 30}, 200)
	if err := s.Store().Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	owner.Get("/api/v1/feedback/"+string(old), 404)
	owner.Get("/api/v1/feedback/"+string(answered), 200)
	owner.Get("/api/v1/feedback/"+string(fresh), 200)
	var log api.AuditList
	owner.Get("/api/v1/audit?limit=1", 200).JSON(&log)
	if line := log.Items[0]; line.Action != models.AuditSeveralErased || line.Actor.Kind != models.ActorSystem || line.Detail["items"] != "1" {
		t.Errorf("the log's last line is %+v", line)
	}
}
