package store

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// found is which of a project's items a search gives, by their messages.
func found(t *testing.T, s *Store, scope models.Scope, p *models.Project, query string) []string {
	t.Helper()
	list, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Query: query, Sort: "created_at"}, Page{Limit: MaxLimit})
	if err != nil {
		t.Fatalf("search %q: %v", query, err)
	}
	var messages []string
	for _, item := range list.Items {
		messages = append(messages, item.Message)
	}
	return messages
}

func awaitIndexed(t *testing.T, s *Store) {
	t.Helper()
	await(t, func() bool {
		var done bool
		err := s.read.Raw(`SELECT (SELECT coalesce(max(n), 0) FROM feedback) <= coalesce((SELECT n FROM ` + dialectOf(s.read).searchProgress() + `), 0)
			AND NOT EXISTS (SELECT 1 FROM search_removals)`).Scan(&done).Error
		if err != nil {
			t.Fatal(err)
		}
		return done
	})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	otherScope, other := newProject(t, s)
	const cart, resume, sum, japanese, thai, hostile = "The cart is broken", "Mon résumé est naïf", "Die Straße zur Übersicht",
		"合計が間違っています", "ราคาผิด", `he said "NEAR" -minus * project:x AND OR NOT`
	for _, message := range []string{cart, resume, sum, japanese, thai, hostile} {
		mustSubmit(t, s, newFeedback(p, message))
	}
	named := newFeedback(p, "no text of note")
	named.Submission.Name, named.Submission.Email, named.Submission.PageURL = "Annabel Lee", "poe@raven.example", "https://shop.example/kingdom"
	mustSubmit(t, s, named)
	mustSubmit(t, s, newFeedback(other, "The cart of somebody else is broken"))
	erased := mustSubmit(t, s, newFeedback(p, "The cart that is erased"))
	awaitIndexed(t, s)
	if err := s.Erase(t.Context(), scope, erased.ID); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		query string
		want  []string
	}{
		{"cart", []string{cart}},
		{"CART", []string{cart}},
		{"car", []string{cart}},
		{"broken cart", []string{cart}},
		{"bro cart", nil}, // only the last word may be a beginning
		{"cart wheel", nil},
		{"art", nil},
		{"resume", []string{resume}},
		{"RÉSUMÉ", []string{resume}},
		{"naif", []string{resume}},
		{"Ubersicht", []string{sum}},
		{"間違", []string{japanese}},
		{"間違って", []string{japanese}},
		{"違間", nil},
		{"ผิด", []string{thai}},
		{`"NEAR"`, []string{hostile}},
		{`said" OR "cart`, nil},
		{"-minus", []string{hostile}},
		{"cart OR said", nil},
		{"NOT broken", nil},
		{"message:cart", nil},
		{"cart*", []string{cart}},
		{"c* b*", nil},
		{"(cart)", []string{cart}},
		{"cart'; DROP TABLE feedback; --", nil},
		{"annabel", []string{"no text of note"}},
		{"raven", []string{"no text of note"}},
		{"kingdom", []string{"no text of note"}},
		{"", []string{cart, resume, sum, japanese, thai, hostile, "no text of note"}},
		{"  ", nil},
		{"*", nil},
		{`"`, nil},
		{"\u0301", nil},
		{"\x00", nil},
		{"\xff", nil},
		{"p", []string{hostile, "no text of note"}}, // "project" and "poe", not the project of each row
		{"p0", nil},
		{"0", nil},
		{projectToken(other.ID), nil},
		{projectToken(p.ID), nil},
		{string(p.ID), nil},
		{"else", nil},
		{"erased", nil},
	} {
		if got := found(t, s, scope, p, tc.query); !slices.Equal(got, tc.want) {
			t.Errorf("search %q finds %q, want %q", tc.query, got, tc.want)
		}
	}
	if got := found(t, s, otherScope, other, "cart"); !slices.Equal(got, []string{"The cart of somebody else is broken"}) {
		t.Errorf("the other project's search finds %q", got)
	}
}

// Whatever is typed is an expression that the index understands.
func FuzzSearchExpression(f *testing.F) {
	s := openTest(f, nil)
	dialect := dialectOf(s.read)
	_, p := newProject(f, s)
	for _, typed := range []string{"cart", `"`, "a*", "NEAR/2 a", "\u0301", "ä́", "合計", "½ Ⅷ", "🙂", "a\x00b", "\xff", "-", "a:b", "() OR"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		match := dialect.expression(p.ID, typed)
		if match == "" {
			return
		}
		var n []int64
		err := s.read.WithContext(context.Background()).Raw(dialect.hits(), match, 1).Scan(&n).Error
		if err != nil {
			t.Fatalf("%q becomes %q: %v", typed, match, err)
		}
	})
}

// While the projection rests from a purge, and something is owed, it does not ask
// for it again and again.
func TestRestingProjectionIsQuiet(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "PostgreSQL's index is not purged, and has nothing to rest from")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	erased := mustSubmit(t, s, newFeedback(p, "one"))
	waitIndexed(t, s, scope, p, "one")
	s.search.stop()
	if err := s.Erase(t.Context(), scope, erased.ID); err != nil {
		t.Fatal(err)
	}
	// Readers of its own: what else follows the writer reads meanwhile.
	counted, err := openReaders(s.path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closeDB(counted) }()
	var reads atomic.Int64
	if err := counted.Callback().Query().Before("gorm:query").Register("count", func(*gorm.DB) { reads.Add(1) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*searchInterval)
	defer cancel()
	following := &Store{log: s.log, read: counted, writer: s.writer}
	resting := &searchProjection{store: following, index: s.index, purged: time.Now(), purgeFor: time.Hour}
	resting.run(ctx)
	const perStep = 2
	if n := reads.Load(); n == 0 || n > 5*perStep {
		t.Errorf("%d reads in three intervals, want two in each", n)
	}
}
