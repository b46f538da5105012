package store

import (
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
)

// counts are the figures as they stand, but for zeros.
func (s *Store) counts(t *testing.T) map[string]int64 {
	t.Helper()
	var rows []insightRow
	if err := s.read.Where("n <> 0").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	all := map[string]int64{}
	for _, row := range rows {
		all[fmt.Sprint(row.ProjectID, row.Dimension, row.At, row.Value)] = row.N
	}
	var volumes []volumeRow
	if err := s.read.Where("total <> 0").Find(&volumes).Error; err != nil {
		t.Fatal(err)
	}
	for _, row := range volumes {
		row.noted(all)
	}
	return all
}

// noted adds the figures of a quarter, but for zeros.
func (row volumeRow) noted(all map[string]int64) {
	v := row.Volume
	for name, n := range map[string]int64{"total": v.Total, "bug": v.Bug, "idea": v.Idea, "question": v.Question, "praise": v.Praise, "other": v.Other,
		"new": v.New, "open": v.Open, "in_progress": v.InProgress, "resolved": v.Resolved, "closed": v.Closed} {
		if n != 0 {
			all[fmt.Sprint(row.ProjectID, name, row.At)] = n
		}
	}
}

// recounted are the figures as all items give them at once.
func (s *Store) recounted(t *testing.T) map[string]int64 {
	t.Helper()
	var items []feedbackRow
	if err := s.read.Where("erased_at IS NULL AND " + ofProject).Find(&items).Error; err != nil {
		t.Fatal(err)
	}
	c, all := newCounted(), map[string]int64{}
	for i := range items {
		c.add(&items[i], 1)
	}
	for key, v := range c.volumes {
		key.Volume = *v
		key.noted(all)
	}
	for row, n := range c.values {
		all[fmt.Sprint(row.ProjectID, row.Dimension, row.At, row.Value)] = n
	}
	return all
}

// Whatever happens to items, before and after they are counted, the figures are
// those of the items.
func TestInsightsFollowEverything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := openTest(t, nil)
			s.insights.stop() // by hand
			scope, p := newProject(t, s)
			_, second := newProject(t, s)
			random := rand.New(rand.NewPCG(seed, 1))
			var ids []models.ID
			by := models.Actor{UserID: models.NewID(), Name: "Ann"}
			for range 120 {
				pick := func() models.ID { return ids[random.IntN(len(ids))] }
				switch what := random.IntN(12); {
				case what < 4 || len(ids) == 0:
					in := newFeedback(p, "item")
					in.Submission.Kind, in.Submission.Rating = models.Kinds()[random.IntN(5)], random.IntN(6)
					in.Submission.PageURL = fmt.Sprintf("https://shop.example/p%d/?q=%d#x", random.IntN(3), random.IntN(9))
					if random.IntN(6) == 0 {
						in.Quarantine = []string{"too many links"}
					}
					ids = append(ids, mustSubmit(t, s, in).ID)
				case what < 7:
					status := models.Statuses()[random.IntN(5)]
					if random.IntN(3) == 0 {
						held := random.IntN(2) == 0
						change := models.Triage{Quarantined: &held}
						if _, err := s.TriageAll(t.Context(), scope, p.ID, []models.BulkChange{{ID: pick(), Change: change}}, by); err != nil {
							t.Fatal(err)
						}
						continue
					}
					change := models.Triage{Status: &status, AddTags: []string{fmt.Sprint("tag", random.IntN(3))}, RemoveTags: []string{fmt.Sprint("tag", random.IntN(3))}}
					if _, err := s.TriageAll(t.Context(), scope, p.ID, []models.BulkChange{{ID: pick(), Change: change}}, by); err != nil {
						t.Fatal(err)
					}
				case what < 9:
					message := models.NewMessage{ID: models.NewID(), FeedbackID: pick(), Visibility: models.VisibilityPublic, Body: "Hello", Author: models.Author{Kind: models.AuthorMember, UserID: by.UserID}}
					if _, err := s.PostMessage(t.Context(), scope, message); err != nil && models.CodeOf(err) != models.CodeNotFound {
						t.Fatal(err)
					}
				case what < 10:
					if err := s.Erase(t.Context(), scope, pick()); err != nil && models.CodeOf(err) != models.CodeNotFound {
						t.Fatal(err)
					}
				default:
					if _, err := s.insights.step(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			mustSubmit(t, s, newFeedback(second, "elsewhere"))
			for more := true; more; {
				var err error
				if more, err = s.insights.step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := s.counts(t), s.recounted(t); !maps.Equal(got, want) {
				for key := range want {
					if got[key] != want[key] {
						t.Errorf("%s is %d, want %d", key, got[key], want[key])
					}
				}
				t.Fatalf("%d figures, want %d", len(got), len(want))
			}
		})
	}
}

func TestInsights(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	var clock atomic.Int64
	clock.Store(time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC).UnixMilli()) // the night in which Berlin's clocks go forward
	s, err := Open(t.Context(), Options{Path: path, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return fromMillis(clock.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	scope, p := newProject(t, s)
	by := models.Actor{UserID: models.NewID()}
	add := func(kind models.Kind, rating int) models.ID {
		in := newFeedback(p, "item")
		in.Submission.Kind, in.Submission.Rating = kind, rating
		in.Submission.PageURL = "https://shop.example/cart/?a=1"
		return mustSubmit(t, s, in).ID
	}
	first := add(models.KindBug, 5) // 01:30 in Berlin, the 29th
	clock.Add(22 * hour)            // 22:30 UTC is 00:30 there, the 30th
	second := add(models.KindIdea, 2)
	clock.Add(10 * hour / 60)
	resolved := models.StatusResolved
	for _, id := range []models.ID{first, second} {
		if _, err := s.Triage(t.Context(), scope, id, models.Triage{Status: &resolved, Tags: &[]string{"cart"}, Rev: 1}, by); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return maps.Equal(s.counts(t), s.recounted(t)) && len(s.counts(t)) > 0 })
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	in, err := s.Insights(t.Context(), scope, p.ID, from, from.AddDate(0, 0, 3), berlin)
	if err != nil {
		t.Fatal(err)
	}
	var totals []int64
	for _, d := range in.Days {
		totals = append(totals, d.Total)
	}
	if !slices.Equal(totals, []int64{0, 1, 1}) || in.Days[1].ByKind[models.KindBug] != 1 || in.Days[2].ByStatus[models.StatusResolved] != 1 {
		t.Errorf("days = %+v, want one on the 29th and one on the 30th, by Berlin's clocks", in.Days)
	}
	if in.Ratings != [5]int64{0, 1, 0, 0, 1} || len(in.Pages) != 1 || in.Pages[0] != (models.Count{Value: "shop.example/cart", N: 2}) ||
		len(in.Tags) != 1 || in.Tags[0].N != 2 {
		t.Errorf("totals = %+v", in)
	}
	near := func(got, want time.Duration) bool { return math.Abs(float64(got-want)) <= 0.025*float64(want) }
	if in.Resolution.N != 2 || !near(in.Resolution.Median, 10*time.Minute) || !near(in.Resolution.P90, 22*time.Hour+10*time.Minute) || in.Response.N != 0 {
		t.Errorf("resolution = %+v, response = %+v", in.Resolution, in.Response)
	}
	for _, days := range []int{0, -1, MaxInsightDays + 1} {
		if _, err := s.Insights(t.Context(), scope, p.ID, from, from.AddDate(0, 0, days), berlin); models.CodeOf(err) != models.CodeInvalidField {
			t.Errorf("%d days: %v, want it refused", days, err)
		}
	}
	if _, err := s.Insights(t.Context(), models.ScopeOf(models.NewID()), p.ID, from, from.AddDate(0, 0, 1), berlin); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("a stranger is answered %v", err)
	}
}

// A range has the same figures whether they are read by the month or by the day.
func TestInsightsOverMonths(t *testing.T) {
	path := newDatabase(t)
	begin := time.Date(2025, 11, 3, 12, 0, 0, 0, time.UTC)
	var clock atomic.Int64
	clock.Store(begin.UnixMilli())
	s, err := Open(t.Context(), Options{Path: path, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return fromMillis(clock.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	scope, p := newProject(t, s)
	const days = 150
	for range days {
		in := newFeedback(p, "item")
		in.Submission.PageURL = "https://shop.example/cart"
		mustSubmit(t, s, in)
		clock.Add(day)
	}
	await(t, func() bool { return maps.Equal(s.counts(t), s.recounted(t)) && len(s.counts(t)) > 0 })
	first := begin.Truncate(24 * time.Hour)
	for from := range days {
		for _, length := range []int{1, 5, 28, 31, 62, 90} {
			n := min(length, days-from)
			in, err := s.Insights(t.Context(), scope, p.ID, first.AddDate(0, 0, from), first.AddDate(0, 0, from+n), time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			var total int64
			for _, d := range in.Days {
				total += d.Total
			}
			if len(in.Pages) != 1 || in.Pages[0].N != int64(n) || total != int64(n) {
				t.Fatalf("%d days from day %d: pages = %+v, total = %d", n, from, in.Pages, total)
			}
		}
	}
}

// A percentile from buckets is at most 2.5 % off.
func TestDurationsOf(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var exact []int64
		buckets := map[int]int64{}
		for range 1 + random.IntN(300) {
			ms := int64(math.Exp(random.Float64() * 20))
			exact = append(exact, ms)
			buckets[durationBucket(ms)]++
		}
		slices.Sort(exact)
		var counts []models.Count
		for bucket, n := range buckets {
			counts = append(counts, models.Count{Value: fmt.Sprint(bucket), N: n})
		}
		d := durationsOf(counts)
		n := int64(len(exact))
		for _, tc := range []struct {
			got  time.Duration
			want int64
		}{{d.Median, exact[(n+1)/2-1]}, {d.P90, exact[(n*9+9)/10-1]}} {
			if off := math.Abs(float64(tc.got.Milliseconds()-tc.want)) - 1; off > 0.0251*float64(tc.want) {
				t.Errorf("of %d: %v, want %d ms", n, tc.got, tc.want)
			}
		}
	}
}

// Who asks for all of time is refused before a day of it is made.
func TestInsightsOfTooLong(t *testing.T) {
	s := openTest(t, nil)
	scope, project := newProject(t, s)
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	made := testing.AllocsPerRun(1, func() {
		if _, err := s.Insights(t.Context(), scope, project.ID, time.Time{}, far, time.UTC); models.CodeOf(err) != models.CodeInvalidField {
			t.Errorf("err = %v, want invalid_field", err)
		}
	})
	if made > 10_000 {
		t.Errorf("%.0f allocations to refuse it", made)
	}
}
