package store

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/models"
)

// openTest opens a store on a fresh database in the test's own folder.
func openTest(t testing.TB, publish func([]models.LogEntry)) *Store {
	t.Helper()
	return reopenTest(t, newDatabase(t), publish)
}

func migrateTest(t testing.TB, path string) {
	t.Helper()
	if err := migrate(path); err != nil {
		t.Fatal(err)
	}
}

// openAt opens the database at path, new or not.
func openAt(t testing.TB, path string) *Store {
	t.Helper()
	migrateTest(t, path)
	return reopenTest(t, path, nil)
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func reopenTest(t testing.TB, path string, publish func([]models.LogEntry)) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Publish: publish})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// newProject makes an organisation with a project in it.
func newProject(t testing.TB, s *Store) (models.Scope, *models.Project) {
	t.Helper()
	email := string(models.NewID()) + "@example.com"
	_, org, err := s.CreateOwner(t.Context(), models.User{Email: email, PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	scope := models.ScopeOf(org.ID)
	p := &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateProject(t.Context(), scope, p); err != nil {
		t.Fatal(err)
	}
	return scope, p
}

func newFeedback(p *models.Project, message string) NewFeedback {
	sub := models.Submission{ID: models.NewID(), PageURL: "https://shop.example/", Message: message}
	return NewFeedback{Project: p, Submission: sub, ResumeHash: models.HashResumeToken(models.NewResumeToken()), SessionID: models.NewID()}
}

func mustSubmit(t testing.TB, s *Store, in NewFeedback) Accepted {
	t.Helper()
	accepted, err := s.Submit(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return accepted
}

func TestSubmissionsAreNumberedInCommitOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var published []models.LogEntry
	s := openTest(t, func(entries []models.LogEntry) {
		mu.Lock()
		defer mu.Unlock()
		published = append(published, entries...)
	})
	scope, p := newProject(t, s)
	const writers, each = 16, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Submit(context.Background(), newFeedback(p, fmt.Sprintf("message %d of %d", i, w))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, writers*each+1)
	if err != nil {
		t.Fatal(err)
	}
	if len(log) != writers*each || len(published) != len(log) {
		t.Fatalf("log has %d entries, %d were published, want %d", len(log), len(published), writers*each)
	}
	for i := range log {
		if log[i].Seq != int64(i+1) || published[i].Seq != log[i].Seq || published[i].FeedbackID != log[i].FeedbackID {
			t.Fatalf("entry %d: log has seq %d, published %d", i, log[i].Seq, published[i].Seq)
		}
	}
}

func TestSameIDIsOneRow(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	_, other := newProject(t, s)
	in := newFeedback(p, "The total is wrong")
	first := mustSubmit(t, s, in)
	again := in
	again.SessionID = models.NewID()

	foreign := again
	foreign.ResumeHash = models.HashResumeToken(models.NewResumeToken())
	changed := in
	changed.Submission.Message = "Something else"
	elsewhere := in
	elsewhere.Project = other

	for _, tc := range []struct {
		name  string
		in    NewFeedback
		code  models.Code
		owned bool
	}{
		{"the same again", again, "", true},
		{"the same from another session", foreign, "", false},
		{"another payload", changed, models.CodeIDConflict, false},
		{"another project", elsewhere, models.CodeIDConflict, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := s.Submit(t.Context(), tc.in)
			if models.CodeOf(err) != tc.code {
				t.Fatalf("error is %v, want code %q", err, tc.code)
			}
			if err == nil && (!got.Repeated || got.Owned != tc.owned || got.SessionID != first.SessionID) {
				t.Errorf("got %+v, want a repetition in session %s, owned %v", got, first.SessionID, tc.owned)
			}
		})
	}
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil || len(log) != 1 {
		t.Errorf("log has %d entries (%v), want 1", len(log), err)
	}
}

func TestBadRowFailsAlone(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	_, p := newProject(t, s)
	release := make(chan struct{})
	held := make(chan struct{})
	go func() {
		_ = s.writer.do(context.Background(), false, func(*tx) error { close(held); <-release; return nil })
	}()
	<-held
	// All of these wait and so go into one batch; the rating breaks a CHECK.
	errs := make(chan error, 3)
	for _, rating := range []int{1, 9, 5} {
		go func() {
			in := newFeedback(p, "rated")
			in.Submission.Rating = rating
			_, err := s.Submit(context.Background(), in)
			if (err != nil) != (rating == 9) {
				err = fmt.Errorf("rating %d: %w", rating, err)
			} else {
				err = nil
			}
			errs <- err
		}()
	}
	for len(s.writer.queue) < 3 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedChangeTakesNoSeq(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	in := newFeedback(p, "one")
	mustSubmit(t, s, in)
	err := s.writer.do(t.Context(), false, func(t *tx) error {
		if err := t.append(models.LogEntry{ProjectID: p.ID, Type: models.EventFeedbackErased, FeedbackID: in.Submission.ID, At: t.now}); err != nil {
			return err
		}
		return errNotFound
	})
	if models.CodeOf(err) != models.CodeNotFound {
		t.Fatal(err)
	}
	mustSubmit(t, s, newFeedback(p, "two"))
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil || len(log) != 2 || log[1].Seq != 2 {
		t.Errorf("log is %+v (%v), want two entries numbered 1 and 2", log, err)
	}
}

func TestErasedIDStaysTaken(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	in := newFeedback(p, "my secret words")
	accepted := mustSubmit(t, s, in)
	status := models.StatusOpen
	if _, err := s.Triage(t.Context(), scope, accepted.ID, models.Triage{Status: &status, Rev: 1}, models.Actor{}); err != nil {
		t.Fatal(err)
	}
	waitIndexed(t, s, scope, p, "secret")
	if err := s.Erase(t.Context(), scope, accepted.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Submit(t.Context(), in); models.CodeOf(err) != models.CodeIDConflict {
		t.Errorf("submitting an erased id again: %v, want id_conflict", err)
	}
	if _, err := s.Feedback(t.Context(), scope, accepted.ID); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("reading an erased item: %v, want not_found", err)
	}
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil || len(log) != 3 {
		t.Fatalf("log has %d entries (%v), want 3", len(log), err)
	}
	for i, entry := range log {
		if entry.Type != models.EventFeedbackErased || entry.Seq != int64(i+1) || entry.Feedback != nil || entry.Update != nil {
			t.Errorf("entry %d is %+v, want an erased one", i, entry)
		}
	}
	awaitIndexed(t, s)
	tables := []string{"feedback", "events", "search.feedback_search", "search.words", "search.items"}
	if onPostgres {
		tables = []string{"feedback", "events", "search_items"}
	}
	for _, table := range tables {
		var rows []map[string]any
		if err := s.read.Table(table).Find(&rows).Error; err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fmt.Sprint(rows), "secret") {
			t.Errorf("%s still has the text: %v", table, rows)
		}
	}
}

func waitIndexed(t *testing.T, s *Store, scope models.Scope, p *models.Project, query string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		list, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Query: query}, Page{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 0 {
			return
		}
	}
	t.Fatalf("%q was not found within 5 s", query)
}
