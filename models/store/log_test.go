package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"earshot/models"
)

func TestLogIsComposedFromTheItems(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var published []models.LogEntry
	s := openTest(t, func(entries []models.LogEntry) {
		mu.Lock()
		defer mu.Unlock()
		published = append(published, entries...)
	})
	scope, p := newProject(t, s)
	in := newFeedback(p, "The total is wrong")
	in.Submission.Kind, in.Submission.Rating, in.Submission.Context = models.KindBug, 2, []byte(`{"a":1}`)
	in.Quarantine = []string{"flood"}
	item := mustSubmit(t, s, in)
	second := mustSubmit(t, s, newFeedback(p, "Another"))
	by := models.Actor{UserID: models.NewID(), Name: "Bo"}
	open, high := models.StatusOpen, models.PriorityHigh
	tags := []string{"cart"}
	if _, err := s.Triage(t.Context(), scope, item.ID, models.Triage{Status: &open, Tags: &tags, Rev: 1}, by); err != nil {
		t.Fatal(err)
	}
	// Status is asked for again: it is no change and so not part of the event.
	if _, err := s.Triage(t.Context(), scope, item.ID, models.Triage{Status: &open, Priority: &high, Rev: 2}, by); err != nil {
		t.Fatal(err)
	}
	// A change of nothing makes no event.
	if got, err := s.Triage(t.Context(), scope, item.ID, models.Triage{Priority: &high, Rev: 3}, by); err != nil || got.Rev != 3 {
		t.Errorf("a change of nothing gives %+v (%v), want revision 3", got, err)
	}
	_, err := s.Triage(t.Context(), scope, item.ID, models.Triage{Priority: &high, Rev: 2}, by)
	if conflict := (*models.Error)(nil); !errors.As(err, &conflict) || conflict.Code != models.CodeConflict {
		t.Errorf("a stale revision gives %v, want conflict", err)
	} else if current, ok := conflict.Current.(*models.Feedback); !ok || current.Rev != 3 {
		t.Errorf("the conflict shows %+v, want the item at revision 3", conflict.Current)
	}
	if err := s.Erase(t.Context(), scope, second.ID); err != nil {
		t.Fatal(err)
	}

	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []models.EventType{models.EventFeedbackReceived, models.EventFeedbackErased, models.EventFeedbackUpdated, models.EventFeedbackUpdated, models.EventFeedbackErased}
	if len(log) != len(want) {
		t.Fatalf("the log has %d entries, want %d: %+v", len(log), len(want), log)
	}
	for i, entry := range log {
		if entry.Seq != int64(i+1) || entry.Type != want[i] || entry.ProjectID != p.ID {
			t.Errorf("entry %d is %s with seq %d, want %s", i, entry.Type, entry.Seq, want[i])
		}
	}
	now, err := s.Feedback(t.Context(), scope, item.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(log[0].Feedback, now) || now.Status != open || now.Priority != high || now.Rev != 3 {
		t.Errorf("the replayed item is\n%+v, want it as it is now\n%+v", log[0].Feedback, now)
	}
	if want := (&models.Update{Rev: 2, Changes: models.Changes{Status: &open, Tags: &tags}, By: by}); !reflect.DeepEqual(log[2].Update, want) {
		t.Errorf("the first change is %+v, want %+v", log[2].Update, want)
	}
	if want := (&models.Update{Rev: 3, Changes: models.Changes{Priority: &high}, By: by}); !reflect.DeepEqual(log[3].Update, want) {
		t.Errorf("the second change is %+v, want %+v", log[3].Update, want)
	}
	// What was published when it was new is what a replay would have given then.
	fresh := *now
	fresh.Status, fresh.Priority, fresh.Rev, fresh.Tags, fresh.UpdatedAt = models.StatusNew, models.PriorityNormal, 1, []string{}, now.CreatedAt
	mu.Lock()
	defer mu.Unlock()
	if !reflect.DeepEqual(published[0].Feedback, &fresh) {
		t.Errorf("published\n%+v, want\n%+v", published[0].Feedback, &fresh)
	}
	if len(published) != len(log) {
		t.Errorf("%d entries were published, want %d", len(published), len(log))
	}
}

func TestReadLogPages(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	for i := range 10 {
		mustSubmit(t, s, newFeedback(p, fmt.Sprint(i)))
	}
	for _, tc := range []struct {
		since       int64
		limit       int
		first, last int64
	}{{0, 3, 1, 3}, {3, 3, 4, 6}, {8, 3, 9, 10}, {10, 3, 0, 0}, {99, 3, 0, 0}} {
		log, err := s.ReadLog(t.Context(), scope, p.ID, tc.since, tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		var first, last int64
		if len(log) > 0 {
			first, last = log[0].Seq, log[len(log)-1].Seq
		}
		if first != tc.first || last != tc.last {
			t.Errorf("since %d, limit %d: %d to %d, want %d to %d", tc.since, tc.limit, first, last, tc.first, tc.last)
		}
	}
	head, err := s.LogHead(t.Context(), scope, p.ID)
	if err != nil || head != (Head{Epoch: s.Epoch(), First: 1, Last: 10}) {
		t.Errorf("the head is %+v (%v), want 1 to 10", head, err)
	}
}

// A number that was given out for an event that could not be written comes
// back, also where other writes of the same transaction follow.
func TestLostEventLeavesNoHole(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	release := holdWriter(t, s)
	errs := make(chan error, 2)
	go func() {
		errs <- s.writer.do(context.Background(), false, func(t *tx) error {
			if _, err := t.nextSeq(p.ID); err != nil {
				return err
			}
			return models.Errorf(models.CodeConflict, "something is wrong with the event")
		})
	}()
	await(t, func() bool { return len(s.writer.queue) == 1 })
	go func() {
		_, err := s.Submit(context.Background(), newFeedback(p, "comes after"))
		errs <- err
	}()
	await(t, func() bool { return len(s.writer.queue) == 2 })
	release()
	for range 2 {
		if err := <-errs; err != nil && models.CodeOf(err) != models.CodeConflict {
			t.Error(err)
		}
	}
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil || len(log) != 1 || log[0].Seq != 1 {
		t.Errorf("the log is %+v (%v), want one entry with seq 1", log, err)
	}
}

func TestWritersOfManyKindsLeaveNoHole(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	var ids []models.ID
	for range 20 {
		ids = append(ids, mustSubmit(t, s, newFeedback(p, "item")).ID)
	}
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			status := models.StatusResolved
			_, err := s.Triage(context.Background(), scope, id, models.Triage{Status: &status, Rev: int64(1 + i%2)}, models.Actor{})
			if code := models.CodeOf(err); (i%2 == 0) != (code == "") {
				t.Errorf("triage %d: %v", i, err)
			}
		})
		wg.Go(func() {
			in := newFeedback(p, "new")
			if i%2 == 0 {
				in.Submission.ID = id // taken by another payload
			}
			if _, err := s.Submit(context.Background(), in); (i%2 == 0) != (models.CodeOf(err) == models.CodeIDConflict) {
				t.Errorf("submission %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 100)
	if err != nil || len(log) != 40 {
		t.Fatalf("the log has %d entries (%v), want 20 items, 10 changes and 10 new items", len(log), err)
	}
	for i, entry := range log {
		if entry.Seq != int64(i+1) {
			t.Fatalf("entry %d has seq %d", i, entry.Seq)
		}
	}
}

func TestProjectCacheFollowsChanges(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	if _, err := s.ProjectByKey(t.Context(), p.Key); err != nil {
		t.Fatal(err)
	}
	refused := models.Errorf(models.CodeForbidden, "no")
	_, err := s.UpdateProject(t.Context(), scope, p.ID, func(p *models.Project) error { p.Name = "no"; return refused })
	wantCode(t, "a refused change", err, models.CodeForbidden)
	if got, err := s.ProjectByKey(t.Context(), p.Key); err != nil || got.Name != p.Name {
		t.Errorf("after a refused change the project is %+v (%v)", got, err)
	}
	rotated := models.NewProjectKey()
	if _, err := s.UpdateProject(t.Context(), scope, p.ID, func(p *models.Project) error { p.Key = rotated; return nil }); err != nil {
		t.Fatal(err)
	}
	_, err = s.ProjectByKey(t.Context(), p.Key)
	wantCode(t, "the old key", err, models.CodeNotFound)
	if got, err := s.ProjectByKey(t.Context(), rotated); err != nil || got.ID != p.ID {
		t.Errorf("the new key gives %+v (%v)", got, err)
	}
	if err := s.DeleteProject(t.Context(), scope, p.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.ProjectByKey(t.Context(), rotated)
	wantCode(t, "the key of a deleted project", err, models.CodeNotFound)
	_, err = s.Submit(t.Context(), newFeedback(p, "to a deleted project"))
	wantCode(t, "a submission to a deleted project", err, models.CodeNotFound)
	for _, junk := range []string{"", "pk_", "pk_" + strings.Repeat("'", 22)} {
		_, err := s.ProjectByKey(t.Context(), junk)
		wantCode(t, fmt.Sprintf("key %q", junk), err, models.CodeNotFound)
	}
}

func TestCacheUnderConcurrentChanges(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if _, err := s.ProjectByKey(context.Background(), p.Key); err != nil {
						t.Errorf("ProjectByKey: %v", err)
						return
					}
				}
			}
		})
	}
	for i := range 50 {
		name := fmt.Sprint("name ", i)
		if _, err := s.UpdateProject(t.Context(), scope, p.ID, func(p *models.Project) error { p.Name = name; return nil }); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ProjectByKey(t.Context(), p.Key); err != nil || got.Name != name {
			t.Fatalf("after the change to %q the cache has %+v (%v)", name, got, err)
		}
	}
	close(done)
	readers.Wait()
}

func TestVisitorSessions(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	_, p := newProject(t, s)
	_, other := newProject(t, s)
	in := newFeedback(p, "first")
	first := mustSubmit(t, s, in)
	again := newFeedback(p, "second")
	again.ResumeHash = in.ResumeHash
	if got := mustSubmit(t, s, again); got.SessionID != first.SessionID || !got.Owned {
		t.Errorf("the same token gives %+v, want session %s", got, first.SessionID)
	}
	elsewhere := newFeedback(other, "third")
	elsewhere.ResumeHash = in.ResumeHash
	if got := mustSubmit(t, s, elsewhere); got.SessionID == first.SessionID {
		t.Error("a token has one session in two projects")
	}
	if got, err := s.VisitorSession(t.Context(), p.ID, in.ResumeHash); err != nil || got != first.SessionID {
		t.Errorf("the session is %s (%v), want %s", got, err, first.SessionID)
	}
	_, err := s.VisitorSession(t.Context(), p.ID, models.HashResumeToken(models.NewResumeToken()))
	wantCode(t, "an unknown token", err, models.CodeNotFound)
}

func TestErasedWordsLeaveTheIndex(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	item := mustSubmit(t, s, newFeedback(p, "a zebracorn"))
	mustSubmit(t, s, newFeedback(p, "stays"))
	waitIndexed(t, s, scope, p, "zebracorn")
	if err := s.Erase(t.Context(), scope, item.ID); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		var left int64
		if onPostgres {
			if err := s.read.Raw("SELECT count(*) FROM search_items WHERE words::text LIKE '%zebracorn%'").Scan(&left).Error; err != nil {
				t.Fatal(err)
			}
			return left == 0
		}
		err := s.read.Raw(`SELECT (SELECT count(*) FROM search.feedback_search_segdir WHERE instr(root, CAST('zebracorn' AS BLOB)) > 0)
			+ (SELECT count(*) FROM search.feedback_search_segments WHERE instr(block, CAST('zebracorn' AS BLOB)) > 0)`).Scan(&left).Error
		if err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
	if got := found(t, s, scope, p, "stays"); len(got) != 1 {
		t.Errorf("after the purge a search finds %q, want the item that stays", got)
	}
}
