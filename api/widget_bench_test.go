package api_test

import (
	"testing"

	"earshot/api/apitest"
	"earshot/models"
	"earshot/widget"
)

// BenchmarkWidgetFiles is what a page of a site costs the server, and what an
// address without a project does.
func BenchmarkWidgetFiles(b *testing.B) {
	s := apitest.Start(b)
	_, project := s.Project(b)
	for _, file := range []struct {
		name, path string
		status     int
	}{
		{"script", "/w/" + project.Key + ".js", 200},
		{"config", "/w/" + project.Key + "/config.json", 200},
		{"locale", "/w/v/" + widget.Version() + "/de.json", 200},
		{"unknown key", "/w/" + models.NewProjectKey() + "/config.json", 404},
	} {
		b.Run(file.name, func(b *testing.B) {
			c := s.Client(b)
			for b.Loop() {
				c.Do(get, file.path, nil, "Accept-Encoding", "br", "Origin", "https://shop.example").Want(file.status)
			}
		})
	}
}
