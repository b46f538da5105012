package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/api/apitest"
	"earshot/models"
)

// TestOlderFilesPutBack: whoever puts yesterday's files back by hand has forgotten nothing
// but the record of where the logs stood. It is enough: the numbers that are given anew
// are in another epoch.
func TestOlderFilesPutBack(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program again")
	}
	p := buildProgram(t)
	dir, older := t.TempDir(), t.TempDir()
	kill := p.serve(t, dir)
	s := &apitest.Server{URL: "http://" + p.addr}
	owner := s.Login(t, apitest.OwnerEmail, apitest.Password)
	project := owner.Project()
	token := models.NewResumeToken()
	s.Client(t).Post("/w/"+project.Key+"/feedback", map[string]any{"page_url": "https://shop.example/", "message": "of yesterday", "resume_token": token}, 201)
	kill()
	copyDatabase(t, dir, older)
	kill = p.serve(t, dir)
	s.Submit(t, project, "of today")
	place := "/api/v1/projects/" + string(project.ID) + "/events"
	var seen, now struct {
		Epoch models.Epoch
		Head  int64
	}
	owner.Get(place, 200).JSON(&seen)
	kill()
	copyDatabase(t, older, dir)
	p.serve(t, dir)
	s.Submit(t, project, "another one of today, under the same number")
	owner.Get(place, 200).JSON(&now)
	if now.Head != seen.Head || now.Epoch == seen.Epoch {
		t.Errorf("the log ends at %d in epoch %s, it was at %d in %s: want the number again, in another epoch", now.Head, now.Epoch, seen.Head, seen.Epoch)
	}
	if got := string(owner.Get(place+"?since=2&epoch="+string(seen.Epoch), 200).Body); !strings.Contains(got, `"ResyncRequired"`) {
		t.Errorf("a dashboard that saw the other one gets %s", got)
	}
	poll := s.Client(t).Do("POST", "/w/"+project.Key+"/poll", `{"epoch":"`+string(seen.Epoch)+`","since":2,"wait":0}`, "Authorization", "Bearer "+token)
	if got := string(poll.Want(200).Body); !strings.Contains(got, `"ResumeFailed"`) {
		t.Errorf("a visitor who saw the other one gets %s", got)
	}
}

// copyDatabase copies the database and its write-ahead log, and nothing else.
func copyDatabase(t *testing.T, from, to string) {
	t.Helper()
	for _, name := range []string{"earshot.db", "earshot.db-wal", "earshot.db-shm"} {
		if err := os.Remove(filepath.Join(to, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) || name == "earshot.db-shm" {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
