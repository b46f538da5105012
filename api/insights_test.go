package api_test

import (
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
	"earshot/models"
)

func TestInsights(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t)
	owner, project := s.Project(t)
	id := s.Submit(t, project, "one").ID
	s.Submit(t, project, "two")
	owner.Patch("/api/v1/feedback/"+string(id), `{"status":"resolved","tags":["cart"],"rev":1}`, 200)
	owner.Post("/api/v1/feedback/"+string(id)+"/messages", `{"body":"Hello","visibility":"public"}`, 201)
	path := "/api/v1/projects/" + string(project.ID) + "/insights"
	now := time.Now().UTC()
	days := "?from=" + now.AddDate(0, 0, -1).Format(time.DateOnly) + "&to=" + now.AddDate(0, 0, 2).Format(time.DateOnly)
	viewer := member(t, s, owner, models.RoleViewer)
	var in api.Insights
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		in = api.Insights{}
		viewer.Get(path+days, 200).JSON(&in)
		var total int64
		for _, d := range in.Days {
			total += d.Total
		}
		if total == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("insights = %+v, want two items", in)
		}
	}
	if len(in.Days) != 3 || in.Response.N != 1 || in.Resolution.N != 1 || len(in.Tags) != 1 || in.Tags[0].Value != "cart" || len(in.Pages) != 1 || len(in.Ratings) != 5 {
		t.Errorf("insights = %+v", in)
	}
	owner.Get(path+days+"&tz=Asia/Kathmandu", 200)
	run(t, owner, []call{
		{name: "no days", method: get, path: path, status: 422, code: "invalid_field", field: "from"},
		{name: "no day", method: get, path: path + "?from=today&to=2026-01-01", status: 422, code: "invalid_field"},
		{name: "backwards", method: get, path: path + "?from=2026-01-02&to=2026-01-01", status: 422, code: "invalid_field", field: "to"},
		{name: "too many", method: get, path: path + "?from=2025-01-01&to=2026-12-31", status: 422, code: "invalid_field", field: "to"},
		{name: "no zone", method: get, path: path + days + "&tz=Mars/Base", status: 422, code: "invalid_field", field: "tz"},
	})
}
