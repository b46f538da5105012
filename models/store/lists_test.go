package store

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

// pages reads a whole list page by page; between is called after each page.
func pages(t *testing.T, s *Store, scope models.Scope, p *models.Project, filter Filter, limit int, between func()) []*models.Feedback {
	t.Helper()
	var all []*models.Feedback
	page := Page{Limit: limit}
	for {
		list, err := s.FeedbackList(t.Context(), scope, p.ID, filter, page)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > limit {
			t.Fatalf("a page has %d items, at most %d were asked for", len(list.Items), limit)
		}
		all = append(all, list.Items...)
		if list.NextCursor == "" {
			return all
		}
		page.Cursor = list.NextCursor
		between()
	}
}

// seed stores n items with few different values, so that every order has ties.
func seed(t testing.TB, s *Store, c *clock, scope models.Scope, p *models.Project, n int) (ids []models.ID) {
	t.Helper()
	for i := range n {
		if i%4 == 3 {
			c.add(time.Second)
		}
		in := newFeedback(p, fmt.Sprint("item ", i))
		in.Submission.Rating = i % 6
		in.Submission.Kind = append(models.Kinds(), "")[i%6]
		ids = append(ids, mustSubmit(t, s, in).ID)
		if i%3 == 0 {
			priority, status := models.Priorities()[i%4], models.Statuses()[i%5]
			if _, err := s.Triage(t.Context(), scope, ids[i], models.Triage{Priority: &priority, Status: &status, Rev: 1}, models.Actor{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return ids
}

func TestListsAreCompleteWithoutRepeats(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	scope, p := newProject(t, s)
	ids := seed(t, s, c, scope, p, 60)
	for _, sort := range []string{"", "created_at", "-created_at", "updated_at", "-updated_at", "priority", "-priority", "rating", "-rating"} {
		t.Run("sort "+sort, func(t *testing.T) {
			seen := map[models.ID]int{}
			items := pages(t, s, scope, p, Filter{Sort: sort}, 7, func() {
				c.add(time.Second)
				in := newFeedback(p, "comes in between")
				in.Submission.Rating = 3
				mustSubmit(t, s, in)
			})
			for _, item := range items {
				if seen[item.ID]++; seen[item.ID] > 1 {
					t.Errorf("%s comes %d times", item.ID, seen[item.ID])
				}
			}
			for i, id := range ids {
				if seen[id] == 0 {
					t.Errorf("item %d (%s) is missing", i, id)
				}
			}
			checkOrder(t, sort, items)
		})
	}
	for _, sort := range []string{"-", "--rating", "id", "n", "rating ", "rating;", "RATING"} {
		if _, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Sort: sort}, Page{Limit: 1}); err == nil {
			t.Errorf("%q is a valid order", sort)
		}
	}
}

func checkOrder(t *testing.T, sort string, items []*models.Feedback) {
	t.Helper()
	value := func(f *models.Feedback) int64 {
		switch sort {
		case "updated_at", "-updated_at":
			return f.UpdatedAt.UnixMilli()
		case "priority", "-priority":
			return int64(f.Priority.Rank())
		case "rating", "-rating":
			return int64(f.Rating)
		default:
			return f.CreatedAt.UnixMilli()
		}
	}
	descending := sort == "" || sort[0] == '-'
	for i := 1; i < len(items); i++ {
		before, after := value(items[i-1]), value(items[i])
		if (descending && before < after) || (!descending && before > after) {
			t.Errorf("items %d and %d have %d and %d", i-1, i, before, after)
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	s, c := openWithClock(t)
	scope, p := newProject(t, s)
	start := c.Now()
	ids := seed(t, s, c, scope, p, 24)
	member, err := s.CreateMember(t.Context(), scope, models.User{Email: "b@example.com", PasswordHash: "x"}, models.RoleAgent)
	if err != nil {
		t.Fatal(err)
	}
	tags := []string{`50%`, `a"b`}
	if _, err := s.Triage(t.Context(), scope, ids[1], models.Triage{Tags: &tags, AssigneeID: &member.ID, Rev: 1}, models.Actor{}); err != nil {
		t.Fatal(err)
	}
	suspected := newFeedback(p, "suspected")
	suspected.Quarantine = []string{"flood"}
	mustSubmit(t, s, suspected)
	elsewhere := newFeedback(p, "elsewhere")
	elsewhere.Submission.PageURL = "https://shop.example/other"
	mustSubmit(t, s, elsewhere)
	nobody, stranger := models.ID(""), models.NewID()

	for _, tc := range []struct {
		name   string
		filter Filter
		want   func(*models.Feedback) bool
	}{
		{"all", Filter{}, func(f *models.Feedback) bool { return !f.Quarantined }},
		{"quarantined", Filter{Quarantined: true}, func(f *models.Feedback) bool { return f.Quarantined }},
		{"statuses", Filter{Statuses: []models.Status{models.StatusOpen, models.StatusNew}}, func(f *models.Feedback) bool {
			return !f.Quarantined && (f.Status == models.StatusOpen || f.Status == models.StatusNew)
		}},
		{"kinds", Filter{Kinds: []models.Kind{models.KindBug}}, func(f *models.Feedback) bool { return f.Kind == models.KindBug }},
		{"priorities", Filter{Priorities: []models.Priority{models.PriorityUrgent}}, func(f *models.Feedback) bool { return f.Priority == models.PriorityUrgent }},
		{"ratings", Filter{Ratings: []int{1, 5}}, func(f *models.Feedback) bool { return f.Rating == 1 || f.Rating == 5 }},
		{"tag", Filter{Tag: "50%"}, func(f *models.Feedback) bool { return f.ID == ids[1] }},
		{"tag with a quote", Filter{Tag: `a"b`}, func(f *models.Feedback) bool { return f.ID == ids[1] }},
		{"part of a tag", Filter{Tag: "50"}, func(*models.Feedback) bool { return false }},
		{"assignee", Filter{AssigneeID: &member.ID}, func(f *models.Feedback) bool { return f.ID == ids[1] }},
		{"nobody's", Filter{AssigneeID: &nobody}, func(f *models.Feedback) bool { return !f.Quarantined && f.ID != ids[1] }},
		{"a stranger's", Filter{AssigneeID: &stranger}, func(*models.Feedback) bool { return false }},
		{"page", Filter{PageURL: "https://shop.example/other"}, func(f *models.Feedback) bool { return f.Message == "elsewhere" }},
		{"from is inclusive", Filter{From: start.Add(time.Second)}, func(f *models.Feedback) bool { return !f.Quarantined && !f.CreatedAt.Before(start.Add(time.Second)) }},
		{"to is exclusive", Filter{To: start.Add(time.Second)}, func(f *models.Feedback) bool { return f.CreatedAt.Before(start.Add(time.Second)) }},
		{"together", Filter{Ratings: []int{3}, Kinds: []models.Kind{models.KindPraise}, From: start.Add(2 * time.Second)}, func(f *models.Feedback) bool {
			return f.Rating == 3 && f.Kind == models.KindPraise && !f.CreatedAt.Before(start.Add(2*time.Second))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var want []models.ID
			for _, quarantined := range []bool{false, true} {
				for _, item := range pages(t, s, scope, p, Filter{Quarantined: quarantined}, 200, func() {}) {
					if tc.want(item) {
						want = append(want, item.ID)
					}
				}
			}
			var got []models.ID
			for _, item := range pages(t, s, scope, p, tc.filter, 5, func() {}) {
				got = append(got, item.ID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %d items %v, want %d %v", len(got), got, len(want), want)
			}
			list, err := s.FeedbackList(t.Context(), scope, p.ID, tc.filter, Page{Limit: 1, Count: CountBounded})
			if err != nil || list.Total == nil || list.Total.N != int64(len(want)) || list.Total.AtLeast {
				t.Errorf("the count is %+v (%v), want %d", list.Total, err, len(want))
			}
		})
	}
}

func TestCountsAreBounded(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	insert := func(n int) {
		t.Helper()
		err := s.writer.do(t.Context(), false, func(t *tx) error {
			return t.orm().Exec(`WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ?)
				INSERT INTO feedback (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url, created_at, updated_at)
				SELECT CAST(? AS TEXT) || CAST(i AS TEXT), ?, ?, '', 0, ?, 'm', 'u', i, i FROM c`,
				n, models.NewID(), scope.Organization(), p.ID, []byte{}).Error
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	insert(countBound)
	for _, tc := range []struct {
		more  int
		count Count
		want  *Total
	}{
		{0, CountNone, nil},
		{0, CountBounded, &Total{N: countBound}},
		{0, CountExact, &Total{N: countBound}},
		{5, CountBounded, &Total{N: countBound, AtLeast: true}},
		{0, CountExact, &Total{N: countBound + 5}},
	} {
		if tc.more > 0 {
			insert(tc.more)
		}
		list, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{}, Page{Limit: 2, Count: tc.count})
		if err != nil {
			t.Fatal(err)
		}
		if (list.Total == nil) != (tc.want == nil) || (list.Total != nil && *list.Total != *tc.want) {
			t.Errorf("count=%s gives %+v, want %+v", tc.count, list.Total, tc.want)
		}
		if len(list.Items) != 2 {
			t.Errorf("count=%s: the page has %d items, want 2", tc.count, len(list.Items))
		}
	}
}

func TestBadCursors(t *testing.T) {
	t.Parallel()
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	for range 3 {
		mustSubmit(t, s, newFeedback(p, "item"))
	}
	list, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{}, Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"junk":                "junk",
		"no base64":           "%%%",
		"padding":             list.NextCursor + "=",
		"no JSON":             encode([]byte("{")),
		"JSON with more":      encode([]byte(`{"l":"feedback created_atDESC"}x`)),
		"another list":        encode([]byte(`{"l":"projects","v":1}`)),
		"wrong types":         encode([]byte(`{"l":"feedback created_atDESC","v":"1"}`)),
		"a number too large":  encode([]byte(`{"l":"feedback created_atDESC","v":1e99}`)),
		"null":                encode([]byte(`null`)),
		"empty":               encode([]byte(`{}`)),
		"SQL where a name is": encode([]byte(`{"l":"feedback created_atDESC; DROP TABLE feedback"}`)),
	} {
		_, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{}, Page{Limit: 1, Cursor: text})
		wantCode(t, name, err, models.CodeBadRequest)
		_, err = s.Projects(t.Context(), scope, Page{Limit: 1, Cursor: text}, "created_at")
		if name != "another list" {
			wantCode(t, name+", of projects", err, models.CodeBadRequest)
		}
	}
	_, err = s.FeedbackList(t.Context(), scope, p.ID, Filter{Sort: "rating"}, Page{Limit: 1, Cursor: list.NextCursor})
	wantCode(t, "a cursor of another order", err, models.CodeBadRequest)
}

func TestProjectsList(t *testing.T) {
	t.Parallel()
	s, _ := openWithClock(t) // all are made in the same millisecond
	scope, first := newProject(t, s)
	newProject(t, s) // somebody else's
	want := []models.ID{first.ID}
	for i := range 9 {
		p := &models.Project{Name: fmt.Sprint("Project ", i), Settings: models.DefaultSettings()}
		if err := p.Normalize(); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateProject(t.Context(), scope, p); err != nil {
			t.Fatal(err)
		}
		want = append(want, p.ID)
	}
	slices.Sort(want)
	for _, sort := range []string{"created_at", "-created_at"} {
		var got []models.ID
		page := Page{Limit: 4, Count: CountExact}
		for {
			list, err := s.Projects(t.Context(), scope, page, sort)
			if err != nil {
				t.Fatal(err)
			}
			if list.Total == nil || list.Total.N != 10 {
				t.Errorf("the count is %+v, want 10 on every page", list.Total)
			}
			for _, p := range list.Items {
				got = append(got, p.ID)
			}
			if page.Cursor = list.NextCursor; page.Cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %s: got %v, want %v", sort, got, want)
		}
		slices.Reverse(want)
	}
}

// A list of a million items must cost what one of fifty does: each part of a page
// is read along an index, from the cursor on, and sorted by it.
func TestListsAreReadAlongAnIndex(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "it is told which index to read; TestPostgresPlans looks at the other's plans")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	member := models.NewID()
	filters := map[string]Filter{
		"all": {}, "status": {Statuses: []models.Status{models.StatusOpen}}, "kind": {Kinds: []models.Kind{models.KindBug}}, "tag": {Tag: "a"},
		"assignee": {AssigneeID: &member}, "rating": {Ratings: []int{1, 5}}, "priority": {Priorities: []models.Priority{models.PriorityUrgent}},
		"page": {PageURL: "https://shop.example/"}, "words": {Query: "cart"}, "unread": {UnreadBy: member}, "quarantined": {Quarantined: true},
		"time": {From: time.UnixMilli(5), To: time.UnixMilli(9)},
	}
	for name, filter := range filters {
		for sort, by := range orders {
			for _, sort := range []string{sort, "-" + sort} {
				filter.Sort = sort
				for at, after := range map[string]*cursor{"first page": nil, "later page": {Value: by.value, Created: 5, N: 5}} {
					page := Page{Limit: 50}
					if after != nil {
						after.List = "feedback " + sort
						page.Cursor = after.encode()
					}
					steps, err := s.Explain(t.Context(), scope, p.ID, filter, page)
					if err != nil {
						t.Fatalf("%s by %s, %s: %v", name, sort, at, err)
					}
					for _, step := range steps {
						if FullScan(step) {
							t.Errorf("%s by %s, %s reads everything: %s", name, sort, at, step)
						}
						sorts := strings.Contains(step, "TEMP B-TREE") && by.column == "" && !strings.Contains("words unread kind page", name)
						if sorts {
							t.Errorf("%s by %s, %s is sorted: %q", name, sort, at, steps)
						}
					}
				}
			}
		}
	}
}

// The index is used for a count alone, where one thing is asked for.
func TestCountsReadNoItems(t *testing.T) {
	t.Parallel()
	ofSQLite(t, "PostgreSQL also asks the table whether a row can be seen")
	s := openTest(t, nil)
	scope, p := newProject(t, s)
	member, nobody := models.NewID(), models.ID("")
	for name, filter := range map[string]Filter{
		"all": {}, "status": {Statuses: []models.Status{models.StatusNew, models.StatusOpen}}, "kind": {Kinds: []models.Kind{models.KindBug}},
		"tag": {Tag: "a"}, "assignee": {AssigneeID: &member}, "nobody": {AssigneeID: &nobody}, "rating": {Ratings: []int{1}},
		"priority": {Priorities: []models.Priority{models.PriorityLow}}, "page": {PageURL: "https://shop.example/"}, "time": {From: time.UnixMilli(5)},
	} {
		sel, err := s.selection(t.Context(), scope, p.ID, filter)
		if err != nil {
			t.Fatal(err)
		}
		src, _, err := sel.choose()
		if err != nil {
			t.Fatal(err)
		}
		steps, err := sel.explain(sel.counting(src, 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if strings.HasPrefix(step, "SEARCH") && !strings.Contains(step, "COVERING INDEX") && !strings.Contains(step, "PRIMARY KEY") {
				t.Errorf("%s is counted by %q", name, step)
			}
		}
	}
}
