package store

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// several are items of all kinds, most of them as new ones are.
func several(count int) iter.Seq[models.Feedback] {
	return func(yield func(models.Feedback) bool) {
		for i := range count {
			at := time.UnixMilli(int64(1_700_000_000_000 + i*1000))
			item := models.Feedback{
				ID: models.NewID(), Message: fmt.Sprintf("words number %d of a cart", i), PageURL: fmt.Sprintf("https://shop.example/%d", i%100),
				Status: models.StatusNew, Priority: models.PriorityNormal, Kind: models.KindIdea, CreatedAt: at, UpdatedAt: at, VisitorAt: at,
			}
			if i%50 == 0 {
				item.Status, item.Priority, item.Rating, item.Kind = models.StatusOpen, models.PriorityUrgent, 1+i%5, models.KindBug
				item.Tags, item.UpdatedAt = []string{"a"}, at.Add(time.Hour)
			}
			if !yield(item) {
				return
			}
		}
	}
}

// What a list costs must not depend on how many items there are: PostgreSQL chooses by
// itself, and with the indexes that there are it never reads a whole table of ours.
func TestPostgresPlans(t *testing.T) {
	t.Parallel()
	s := nodes(t, 1)[0]
	scope, p := newProject(t, s)
	const items = 4000
	for i := range 6 {
		scopeOf, project := scope, p
		if i > 0 {
			scopeOf, project = newProject(t, s)
		}
		if err := s.Fill(t.Context(), scopeOf, project.ID, several(items)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return number(t, s, "SELECT count(*) FROM search_items") == 6*items })
	execute(t, s.path, "VACUUM ANALYZE")
	check := func(name string, steps []string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, step := range steps {
			// The others have hardly a page here, and are rightly read whole.
			for _, table := range []string{"feedback", "search_items"} {
				if strings.Contains(step, "Seq Scan on "+table+" ") {
					t.Errorf("%s reads everything:\n%s", name, strings.Join(steps, "\n"))
				}
			}
		}
	}
	member := models.NewID()
	for name, filter := range map[string]Filter{
		"all": {}, "status": {Statuses: []models.Status{models.StatusOpen}}, "kind": {Kinds: []models.Kind{models.KindBug}}, "tag": {Tag: "a"},
		"assignee": {AssigneeID: &member}, "rating": {Ratings: []int{1, 5}}, "priority": {Priorities: []models.Priority{models.PriorityUrgent}},
		"page": {PageURL: "https://shop.example/1"}, "words": {Query: "cart"}, "rare words": {Query: "77"}, "quarantined": {Quarantined: true},
		"time": {From: time.UnixMilli(1_700_000_005_000), To: time.UnixMilli(1_700_000_009_000)},
	} {
		for sort, by := range orders {
			for _, filter.Sort = range []string{sort, "-" + sort} {
				after := cursor{List: "feedback " + filter.Sort, Value: by.value, Created: 1_700_000_500_000, N: 500}
				for _, page := range []Page{{Limit: 50}, {Limit: 50, Cursor: after.encode()}} {
					steps, err := s.Explain(t.Context(), scope, p.ID, filter, page)
					check(name+" by "+filter.Sort, steps, err)
				}
			}
		}
	}
	steps, err := plan(s.read, visitorLog(postgresDialect{}), "s", p.ID, scope.Organization(), 0, 10)
	check("a visitor's log", steps, err)
	for name, look := range map[string]func(*gorm.DB) *gorm.DB{
		"news": func(db *gorm.DB) *gorm.DB { return newsOf(db, p.ID, 0, 10).Select("1").Limit(1).Scan(&[]int{}) },
		"end of the log": func(db *gorm.DB) *gorm.DB {
			return db.Table("projects AS p").Select(firstSeq+" AS first, "+lastSeq+" AS last").Where("p.id = ?", p.ID).Take(&Head{})
		},
		"expired": func(db *gorm.DB) *gorm.DB {
			return erasable(db, p.ID, models.Erasure{Before: time.UnixMilli(5)}).Limit(1).Find(&[]feedbackRow{})
		},
	} {
		steps, err := plan(s.read, s.read.ToSQL(look))
		check(name, steps, err)
	}
}

// An index of another version, or one that lost what it had, is built anew.
func TestPostgresSearchIndexIsBuiltAnew(t *testing.T) {
	t.Parallel()
	s := nodes(t, 1)[0]
	scope, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "findable words"))
	awaitIndexed(t, s)
	closeStore(t, s)
	for _, spoil := range []string{"UPDATE search_progress SET version = version + 1", "DELETE FROM search_progress"} {
		execute(t, s.path, spoil, "UPDATE search_items SET words = ''")
		s = reopenTest(t, s.path, nil)
		await(t, func() bool { return slices.Equal(found(t, s, scope, p, "words"), []string{"findable words"}) })
		closeStore(t, s)
	}
}
