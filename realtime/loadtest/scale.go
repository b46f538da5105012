package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// scale measures what lists cost with few items and with many.
type scale struct {
	Items  int     `default:"1000000" help:"Items of the large project."`
	Base   int     `default:"10000" help:"Items of the small one."`
	Runs   int     `default:"100" help:"How often each query is run."`
	Ratio  float64 `default:"1.5" help:"How much longer the large project's p99 may be than the small one's."`
	Slack  float64 `default:"2" help:"Milliseconds of a difference that are noise."`
	Search float64 `default:"50" help:"Milliseconds that a search may take, however many hits there are."`
	Charts float64 `default:"50" help:"Milliseconds that the charts of a year may take."`
	Plans  bool    `help:"Print the plan of each query."`
}

// Run fails where a list reads a whole table, or costs more with more items.
func (c scale) Run(t *test) error {
	small, err := c.shelf(t, c.Base)
	if err != nil {
		return err
	}
	defer small.close()
	large, err := c.shelf(t, c.Items)
	if err != nil {
		return err
	}
	defer large.close()
	t.printf("A page of 50 of %d items and of %d, milliseconds\n", c.Base, c.Items)
	t.printf("%-34s %8s %8s %8s %8s %7s\n", "list", "p50", "p99", "p50", "p99", "ratio")
	var failures []error
	for _, query := range queries() {
		if err := c.compare(t, small, large, query); err != nil {
			failures = append(failures, err)
		}
	}
	failures = append(failures, c.charts(t, small, large))
	return errors.Join(failures...)
}

func (c scale) compare(t *test, small, large *shelf, query listing) error {
	few, err := small.measure(t, query, c.Runs)
	if err != nil {
		return fmt.Errorf("%s: %w", query.name, err)
	}
	many, err := large.measure(t, query, c.Runs)
	if err != nil {
		return fmt.Errorf("%s: %w", query.name, err)
	}
	ratio := float64(many.p99) / float64(few.p99)
	t.printf("%-34s %8.2f %8.2f %8.2f %8.2f %7.2f\n", query.name, ms(few.p50), ms(few.p99), ms(many.p50), ms(many.p99), ratio)
	steps, err := large.store.Explain(t.ctx, large.scope, large.project, large.filter(query), query.page())
	if err != nil {
		return fmt.Errorf("%s: %w", query.name, err)
	}
	var failures []error
	for _, step := range steps {
		if c.Plans {
			t.printf("    %s\n", step)
		}
		if store.FullScan(step) {
			failures = append(failures, fmt.Errorf("%s reads everything: %s", query.name, step))
		}
	}
	// A search reads what it finds, up to a bound.
	if query.filter.Query == "" && ratio > c.Ratio && ms(many.p99-few.p99) > c.Slack {
		failures = append(failures, fmt.Errorf("%s: p99 %.2f ms is %.2f times that of the small project", query.name, ms(many.p99), ratio))
	}
	if query.filter.Query != "" && ms(many.p99) > c.Search {
		failures = append(failures, fmt.Errorf("%s: p99 %.2f ms", query.name, ms(many.p99)))
	}
	return errors.Join(failures...)
}

// shelf is a store with a project of n items in it.
type shelf struct {
	store   *store.Store
	scope   models.Scope
	project models.ID
	team    []models.ID
	close   func()
}

func (c scale) shelf(t *test, n int) (*shelf, error) {
	folder, err := os.MkdirTemp("", "earshot-scale-")
	if err != nil {
		return nil, err
	}
	s := &shelf{close: func() { _ = os.RemoveAll(folder) }}
	if err = s.fill(t, filepath.Join(folder, "earshot.db"), n); err != nil {
		s.close()
		return nil, fmt.Errorf("fill a store with %d items: %w", n, err)
	}
	return s, nil
}

func (s *shelf) fill(t *test, path string, n int) error {
	schema, err := store.OpenSchema(t.ctx, path)
	if err != nil {
		return err
	}
	_, err = schema.Up(t.ctx)
	if err = errors.Join(err, schema.Close()); err != nil {
		return err
	}
	if s.store, err = store.Open(t.ctx, store.Options{Path: path, Log: slog.New(slog.NewTextHandler(t.log, nil))}); err != nil {
		return err
	}
	remove := s.close
	s.close = func() { _ = s.store.Close(); remove() }
	owner, org, err := s.store.CreateOwner(t.ctx, models.User{Email: "o@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		return err
	}
	s.scope, s.team = models.ScopeOf(org.ID), []models.ID{owner.ID}
	for i := range 4 {
		member, err := s.store.CreateMember(t.ctx, s.scope, models.User{Email: fmt.Sprintf("m%d@example.com", i), PasswordHash: "x"}, models.RoleAgent)
		if err != nil {
			return err
		}
		s.team = append(s.team, member.ID)
	}
	project := &models.Project{Name: "Web", Settings: models.DefaultSettings()}
	if err := errors.Join(project.Normalize(), s.store.CreateProject(t.ctx, s.scope, project)); err != nil {
		return err
	}
	s.project = project.ID
	began := time.Now()
	if err := s.store.Fill(t.ctx, s.scope, s.project, believable(n, s.team)); err != nil {
		return err
	}
	stored := time.Since(began)
	if err := s.awaitIndex(t); err != nil {
		return err
	}
	t.printf("%d items stored in %.1f s, indexed in %.1f s\n", n, stored.Seconds(), time.Since(began).Seconds())
	return nil
}

// awaitIndex waits until the last word is found.
func (s *shelf) awaitIndex(t *test) error {
	for {
		list, err := s.store.FeedbackList(t.ctx, s.scope, s.project, store.Filter{Query: lastWord}, store.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(list.Items) > 0 {
			return nil
		}
		select {
		case <-t.ctx.Done():
			return t.ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

type timing struct{ p50, p99 time.Duration }

// measure runs a query after a few runs that do not count, and follows its pages to
// the third.
func (s *shelf) measure(t *test, query listing, runs int) (timing, error) {
	var times []time.Duration
	page := query.page()
	first := page.Cursor
	const warm = 5
	for i := range warm + runs {
		began := time.Now()
		list, err := s.store.FeedbackList(t.ctx, s.scope, s.project, s.filter(query), page)
		if err != nil {
			return timing{}, err
		}
		if i >= warm {
			times = append(times, time.Since(began))
		}
		if page.Cursor = list.NextCursor; i%3 == 2 || page.Count != store.CountNone {
			page.Cursor = first
		}
	}
	p50, p99 := percentiles(times)
	return timing{p50, p99}, nil
}

// filter is a query's, with this store's members in it.
func (s *shelf) filter(query listing) store.Filter {
	filter := query.filter
	if query.assignee >= 0 && query.assignee < len(s.team) {
		filter.AssigneeID = &s.team[query.assignee]
	}
	if query.nobody {
		nobody := models.ID("")
		filter.AssigneeID = &nobody
	}
	if query.unread {
		filter.UnreadBy = s.team[0]
	}
	return filter
}

// listing is a list that is measured.
type listing struct {
	name     string
	filter   store.Filter
	assignee int // of the team; -1 for none of them
	nobody   bool
	unread   bool
	count    bool
}

func (l listing) page() store.Page {
	if l.count {
		return store.Page{Limit: 1, Count: store.CountBounded}
	}
	return store.Page{Limit: 50}
}

func queries() []listing {
	var all []listing
	add := func(name string, filter store.Filter) {
		all = append(all, listing{name: name, filter: filter, assignee: -1})
	}
	add("all", store.Filter{})
	for _, sort := range []string{"created_at", "updated_at", "-updated_at", "priority", "-priority", "rating", "-rating"} {
		add("sort "+sort, store.Filter{Sort: sort})
	}
	for _, status := range models.Statuses() {
		add("status "+string(status), store.Filter{Statuses: []models.Status{status}})
	}
	add("inbox", store.Filter{Statuses: []models.Status{models.StatusNew, models.StatusOpen, models.StatusInProgress}})
	for _, kind := range models.Kinds() {
		add("kind "+string(kind), store.Filter{Kinds: []models.Kind{kind}})
	}
	for _, priority := range models.Priorities() {
		add("priority "+string(priority), store.Filter{Priorities: []models.Priority{priority}})
	}
	for rating := 1; rating <= 5; rating++ {
		add(fmt.Sprint("rating ", rating), store.Filter{Ratings: []int{rating}})
	}
	for _, tag := range []string{"checkout", "vip", "nowhere"} {
		add("tag "+tag, store.Filter{Tag: tag})
	}
	for _, page := range []string{commonPage, rarePage, "https://shop.example/nowhere"} {
		add("page "+strings.TrimPrefix(page, "https://shop.example"), store.Filter{PageURL: page})
	}
	add("quarantined", store.Filter{Quarantined: true})
	add("a month", store.Filter{From: epoch.AddDate(0, -2, 0), To: epoch.AddDate(0, -1, 0)})
	for _, words := range []string{"the", "t", "cart", "broken cart", lastWord, "nowhere"} {
		add("search "+words, store.Filter{Query: words})
		add("search "+words+", ranked", store.Filter{Query: words, Sort: "relevance"})
	}
	add("closed, tag vip", store.Filter{Statuses: []models.Status{models.StatusClosed}, Tag: "vip"})
	add("bug, tag vip, by priority", store.Filter{Kinds: []models.Kind{models.KindBug}, Tag: "vip", Sort: "-priority"})
	all = append(all,
		listing{name: "assignee", assignee: 0}, listing{name: "assignee with little", assignee: 4},
		listing{name: "nobody's", assignee: -1, nobody: true}, listing{name: "unread", assignee: -1, unread: true})
	for _, list := range all[:len(all):len(all)] {
		if !strings.HasPrefix(list.name, "sort") && list.filter.Sort == "" {
			list.count, list.name = true, "count: "+list.name
			all = append(all, list)
		}
	}
	return all
}
