package operator

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store"
)

func TestImport(t *testing.T) {
	var out bytes.Buffer
	d := Data{Dir: t.TempDir(), Out: &out, Log: slog.New(slog.DiscardHandler)}
	project := &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	count := func() (n int) {
		err := d.withStore(t.Context(), func(s *store.Store) error {
			list, err := s.FeedbackList(t.Context(), models.ScopeOf(project.OrganizationID), project.ID, store.Filter{}, store.Page{Limit: 10})
			n = len(list.Items)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	err := d.withStore(t.Context(), func(s *store.Store) error {
		_, org, err := s.CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
		if err != nil {
			return err
		}
		return errors.Join(project.Normalize(), s.CreateProject(t.Context(), models.ScopeOf(org.ID), project))
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "old.csv")
	if err := os.WriteFile(file, []byte("said,stars\nfirst,5\nsecond,9\nthird,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := map[string]models.ImportField{"said": models.ImportMessage}
	if err := d.Import(t.Context(), Import{Project: project.Key, File: file, Map: said, DryRun: true}, io.Discard); err != nil || count() != 0 {
		t.Fatalf("a look took %d rows in: %v", count(), err)
	}
	if !strings.Contains(out.String(), "Would import 2 of 3 rows.") {
		t.Errorf("it says %q", out.String())
	}
	out.Reset()
	if err := d.Import(t.Context(), Import{Project: project.Key, File: file, Map: said}, io.Discard); err != nil || count() != 2 {
		t.Fatalf("%d rows were taken in: %v", count(), err)
	}
	if got := out.String(); !strings.Contains(got, "Imported 2 of 3 rows.") || !strings.Contains(got, `"3","rating must be from 1 to 5"`) {
		t.Errorf("it says %q", got)
	}
	for name, what := range map[string]Import{
		"no such file":      {Project: project.Key, File: file + ".no"},
		"no such project":   {Project: models.NewProjectKey(), File: file},
		"no column of that": {Project: project.Key, File: file, Map: map[string]models.ImportField{"x": models.ImportMessage}},
		"not JSON lines":    {Project: project.Key, File: file, Format: "jsonl", Map: said},
	} {
		if err := d.Import(t.Context(), what, io.Discard); err == nil {
			t.Errorf("%s: imported", name)
		}
	}
	if count() != 2 {
		t.Errorf("%d rows, want 2 as before", count())
	}
}
