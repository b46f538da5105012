package operator

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store"
)

func TestExport(t *testing.T) {
	var out, progress bytes.Buffer
	d := Data{Dir: t.TempDir(), Out: &out, Log: slog.New(slog.DiscardHandler)}
	project := &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	err := d.withStore(t.Context(), func(s *store.Store) error {
		_, org, err := s.CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
		if err != nil {
			return err
		}
		if err := errors.Join(project.Normalize(), s.CreateProject(t.Context(), models.ScopeOf(org.ID), project)); err != nil {
			return err
		}
		_, err = s.Submit(t.Context(), store.NewFeedback{
			Project: project, ResumeHash: models.HashResumeToken(models.NewResumeToken()), SessionID: models.NewID(),
			Submission: models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: "-1 star"},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "feedback.csv")
	if err := d.Export(t.Context(), Export{Project: project.Key, File: file, Format: "csv"}, &progress); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil || strings.Count(string(content), "\r\n") != 2 || !strings.Contains(string(content), "'-1 star") {
		t.Errorf("the file is %q (%v)", content, err)
	}
	if !strings.HasSuffix(progress.String(), "1 of 1\n") || strings.Count(progress.String(), "1 of 1") != 1 {
		t.Errorf("the progress is %q", progress.String())
	}
	if err := d.Export(t.Context(), Export{Project: project.Key, File: "-", Format: "jsonl", Filter: `{"status":"closed"}`}, &progress); err != nil || out.Len() > 0 {
		t.Errorf("nothing to export is %q (%v)", out.String(), err)
	}
	for name, what := range map[string]Export{
		"a file that is there": {Project: project.Key, File: file, Format: "csv"},
		"no such project":      {Project: models.NewProjectKey(), File: "-", Format: "csv"},
		"no such filter":       {Project: project.Key, File: "-", Format: "csv", Filter: `{"colour":1}`},
	} {
		if err := d.Export(t.Context(), what, &progress); err == nil {
			t.Errorf("%s is exported", name)
		}
	}
	if content, err := os.ReadFile(file); err != nil || len(content) == 0 {
		t.Errorf("the file that was there is gone: %v", err)
	}
}
