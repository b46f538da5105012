package store

import (
	"maps"
	"slices"
	"testing"
	"time"

	"earshot/models"
)

func suspect(p *models.Project, message string, reasons ...string) NewFeedback {
	in := newFeedback(p, message)
	in.Quarantine, in.Submission.Kind = reasons, models.KindBug
	return in
}

func hold(t *testing.T, s *Store, scope models.Scope, id models.ID, held bool) *models.Feedback {
	t.Helper()
	item, err := s.Feedback(t.Context(), scope, id)
	if err != nil {
		t.Fatal(err)
	}
	item, err = s.Triage(t.Context(), scope, id, models.Triage{Quarantined: &held, Rev: item.Rev}, models.Actor{Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// What is released is in every list, count and figure of the inbox and in none of
// the quarantine's; what is held back the other way round.
func TestReleaseMovesAnItem(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	s.insights.stop() // by hand
	scope, p := newProject(t, s)
	id := mustSubmit(t, s, suspect(p, "Zebra in the cart", "Too many links.")).ID
	tags := []string{"zoo"}
	if _, err := s.TriageAll(t.Context(), scope, p.ID, []models.BulkChange{{ID: id, Change: models.Triage{Tags: &tags}}}, models.Actor{}); err != nil {
		t.Fatal(err)
	}
	for _, indexed := range []bool{false, true} {
		if indexed {
			awaitIndexed(t, s)
		}
		for _, held := range []bool{false, true, false} {
			item := hold(t, s, scope, id, held)
			if item.Quarantined != held || item.Rev < 2 || len(item.QuarantineReasons) == 0 {
				t.Fatalf("held %v: the item is %+v", held, item)
			}
			awaitIndexed(t, s)
			for name, filter := range map[string]Filter{
				"all": {}, "by kind": {Kinds: []models.Kind{models.KindBug}}, "by page": {PageURL: "https://shop.example/"}, "by tag": {Tag: "zoo"},
				"by words": {Query: "zebra"}, "unread": {UnreadBy: models.NewID()}, "new": {Statuses: []models.Status{models.StatusNew}},
			} {
				for _, quarantined := range []bool{false, true} {
					filter.Quarantined = quarantined
					list, err := s.FeedbackList(t.Context(), scope, p.ID, filter, Page{Limit: 10, Count: CountExact})
					want := int64(0)
					if quarantined == held {
						want = 1
					}
					if err != nil || int64(len(list.Items)) != want || list.Total.N != want {
						t.Errorf("held %v, listed %s with quarantined %v: %d items, total %v (%v), want %d", held, name, quarantined, len(list.Items), list.Total, err, want)
					}
				}
			}
			if _, err := s.insights.step(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got, want := s.counts(t), s.recounted(t); !maps.Equal(got, want) || (len(got) == 0) != held {
				t.Errorf("held %v: the figures are %v, want %v", held, got, want)
			}
		}
	}
}

func TestReleaseIsLogged(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	id := mustSubmit(t, s, suspect(p, "Hello", "Too many links.")).ID
	hold(t, s, scope, id, false)
	hold(t, s, scope, id, false) // changes nothing
	log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
	if err != nil || len(log) != 2 {
		t.Fatalf("the log has %d entries (%v), want the receipt and the release", len(log), err)
	}
	update := log[1].Update
	if update == nil || update.Changes.Quarantined == nil || *update.Changes.Quarantined || update.By.Name != "Ann" || update.Rev != 2 {
		t.Errorf("the release is told as %+v", update)
	}
	if got := hold(t, s, scope, id, true).QuarantineReasons; !slices.Equal(got, []string{"Too many links.", models.ReasonStaff}) {
		t.Errorf("held back again for %q", got)
	}
}

// Who is mailed what is new is mailed what is released, once, and nothing while it
// is held back.
func TestReleaseIsNews(t *testing.T) {
	t.Parallel()
	s, scope, p, _ := openMailing(t, nil)
	queued := func() int {
		t.Helper()
		n, err := s.QueueNews(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sent := func(tx *tx) error { return tx.orm().Exec("DELETE FROM mails").Error }
		if err := s.writer.do(t.Context(), false, sent); err != nil {
			t.Fatal(err)
		}
		return n
	}
	news := func(since int64) []models.ID {
		t.Helper()
		got, err := s.news(t.Context(), models.Mail{ProjectID: p.ID, Since: since, Through: 100})
		if err != nil {
			t.Fatal(err)
		}
		ids := []models.ID{}
		for _, item := range got.Items {
			ids = append(ids, item.ID)
		}
		if int(got.Total) != len(ids) {
			t.Errorf("%d are counted, %d shown", got.Total, len(ids))
		}
		return ids
	}
	id := mustSubmit(t, s, suspect(p, "Hello", "Too many links.")).ID // seq 1
	if n := queued(); n != 0 {
		t.Errorf("%d mails of what is held back", n)
	}
	hold(t, s, scope, id, false) // seq 2
	if n := queued(); n != 1 {
		t.Errorf("%d mails of what was released, want 1", n)
	}
	for since, want := range map[int64]int{0: 1, 1: 1, 2: 0} {
		if got := news(since); len(got) != want {
			t.Errorf("after %d there is the news %v, want %d", since, got, want)
		}
	}
	hold(t, s, scope, id, true)
	if got := news(0); len(got) != 0 {
		t.Errorf("held back again it is news: %v", got)
	}
	hold(t, s, scope, id, false) // seq 4
	if got := news(0); len(got) != 1 {
		t.Errorf("released twice it is news %d times", len(got))
	}
	plain := mustSubmit(t, s, newFeedback(p, "Another")).ID
	if got := news(0); !slices.Equal(got, []models.ID{id, plain}) {
		t.Errorf("the news are %v, want what was released and what came", got)
	}
}

// Who read it in the quarantine has it unread in the inbox, but for who released it.
func TestReleaseIsUnread(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	var members []models.User
	for _, email := range []string{"a@example.com", "b@example.com"} {
		member, err := s.CreateMember(t.Context(), scope, models.User{Email: email}, models.RoleAgent)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, member)
	}
	id := mustSubmit(t, s, suspect(p, "Hello", "Too many links.")).ID
	for _, member := range members {
		if err := s.MarkRead(t.Context(), scope, member.ID, id, true); err != nil {
			t.Fatal(err)
		}
	}
	no := false
	item, err := s.Triage(t.Context(), scope, id, models.Triage{Quarantined: &no, Rev: 1}, models.Actor{UserID: members[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true} {
		// They joined in the same moment as the item came.
		if err := s.writer.do(t.Context(), false, func(t *tx) error { return t.orm().Exec("UPDATE members SET created_at = created_at - 1000").Error }); err != nil {
			t.Fatal(err)
		}
		unread, err := s.Unread(t.Context(), scope, members[i].ID, item)
		if err != nil || unread[id] != want {
			t.Errorf("member %d has it unread: %v (%v), want %v", i, unread[id], err, want)
		}
	}
}

func TestQuarantineSince(t *testing.T) {
	t.Parallel()
	s, clock := openWithClock(t)
	scope, p := newProject(t, s)
	stranger, _ := newProject(t, s)
	mustSubmit(t, s, suspect(p, "Old", "A."))
	clock.add(48 * time.Hour)
	mustSubmit(t, s, suspect(p, "New", "A.", "B."))
	mustSubmit(t, s, suspect(p, "Newer", "B."))
	mustSubmit(t, s, newFeedback(p, "Not held back"))
	hold(t, s, scope, mustSubmit(t, s, suspect(p, "Released", "A.")).ID, false)
	if err := s.Erase(t.Context(), scope, mustSubmit(t, s, suspect(p, "Erased", "A.")).ID); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		since time.Duration
		total int64
		want  []models.Count
	}{
		{time.Hour, 2, []models.Count{{Value: "B.", N: 2}, {Value: "A.", N: 1}}},
		{100 * time.Hour, 3, []models.Count{{Value: "A.", N: 2}, {Value: "B.", N: 2}}},
	} {
		got, err := s.QuarantineSince(t.Context(), scope, p.ID, clock.Now().Add(-tc.since))
		if err != nil || got.Total != (Total{N: tc.total}) || !slices.Equal(got.Reasons, tc.want) {
			t.Errorf("since %v: %+v (%v), want %d: %v", tc.since, got, err, tc.total, tc.want)
		}
	}
	_, err := s.QuarantineSince(t.Context(), stranger, p.ID, time.Time{})
	wantCode(t, "a stranger's", err, models.CodeNotFound)
}
