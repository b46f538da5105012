package store

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
)

// nodes are several stores on one database, as several servers have them.
func nodes(t testing.TB, count int) []*Store {
	t.Helper()
	ofPostgres(t)
	path := newDatabase(t)
	all := make([]*Store, count)
	for i := range all {
		all[i] = reopenTest(t, path, nil)
	}
	return all
}

// number is what a query of one number gives.
func number(t testing.TB, s *Store, query string, args ...any) (n int64) {
	t.Helper()
	if err := s.read.Raw(query, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// Whatever several nodes write at once, each log is numbered without a hole, and in
// the order of commits: who reads it at any moment misses nothing before its end.
func TestNodesNumberInCommitOrder(t *testing.T) {
	t.Parallel()
	all := nodes(t, 3)
	scope, first := newProject(t, all[0])
	projects := []*models.Project{first}
	for range 2 {
		p := &models.Project{Name: "Web", AllowedOrigins: models.Origins{}, Settings: models.DefaultSettings()}
		if err := all[0].CreateProject(t.Context(), scope, p); err != nil {
			t.Fatal(err)
		}
		projects = append(projects, p)
	}
	ended := make(chan struct{})
	var watching, writing sync.WaitGroup
	for _, p := range projects {
		watching.Go(func() {
			for last, going := int64(0), true; going; {
				select {
				case <-ended:
					going = false
				default:
				}
				log, err := all[0].ReadLog(context.Background(), scope, p.ID, last, 1000)
				if err != nil {
					t.Error(err)
					return
				}
				for _, entry := range log {
					if last++; entry.Seq != last {
						t.Errorf("after seq %d comes %d", last-1, entry.Seq)
						return
					}
				}
			}
		})
	}
	const writers, each = 4, 40
	for n, s := range all {
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					p := projects[(i+n+w)%len(projects)]
					accepted, err := s.Submit(context.Background(), newFeedback(p, fmt.Sprintf("%d of writer %d on node %d", i, w, n)))
					if err == nil && i%5 == 0 {
						status := models.StatusOpen
						_, err = s.Triage(context.Background(), scope, accepted.ID, models.Triage{Status: &status, Rev: 1}, models.Actor{})
					}
					if err != nil {
						t.Errorf("node %d: %v", n, err)
						return
					}
				}
			})
		}
	}
	writing.Wait()
	close(ended)
	watching.Wait()
	const submissions, changes = 3 * writers * each, 3 * writers * each / 5
	if n := number(t, all[0], "SELECT count(*) FROM events"); n != submissions+changes {
		t.Errorf("the logs have %d entries, want %d", n, submissions+changes)
	}
	if n := number(t, all[0], "SELECT sum(last) FROM (SELECT max(seq) AS last FROM events GROUP BY project_id) AS logs"); n != submissions+changes {
		t.Errorf("the logs end at %d in sum, want %d: there are holes", n, submissions+changes)
	}
	if n := number(t, all[0], "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n != 0 {
		t.Errorf("nodes waited for each other %d times", n)
	}
	// What follows the items in the background has missed none of them, whoever gave
	// out their numbers.
	awaitIndexed(t, all[0])
	if n := number(t, all[0], "SELECT count(*) FROM search_items"); n != submissions {
		t.Errorf("the search index has %d items, want %d", n, submissions)
	}
	await(t, func() bool { return number(t, all[0], "SELECT coalesce(sum(total), 0) FROM volumes") == submissions })
}

// What may be had once is had once, also by way of several nodes.
func TestNodesShareWhatMayBeUsedOnce(t *testing.T) {
	t.Parallel()
	all := nodes(t, 3)
	user, _, err := all[0].CreateFirstOwner(t.Context(), models.User{Email: "a@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	var projects atomic.Int64
	ticket, code := newHash(), newHash()
	if err := all[0].PutToken(t.Context(), PurposeTicket, ticket, 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := all[0].BeginFactor(t.Context(), user.ID, []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	if err := all[0].ConfirmFactor(t.Context(), user.ID, 1, []models.TokenHash{code}); err != nil {
		t.Fatal(err)
	}
	scope, p := newProject(t, all[0])
	id := models.NewID()
	same := newFeedback(p, "the same")
	job := models.Job{ID: models.NewID(), ProjectID: p.ID, Kind: models.JobExport, Status: models.JobQueued}
	if _, err := all[0].CreateJob(t.Context(), scope, job); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		use  func(*Store) (bool, error)
		want int64
	}{
		{"a ticket", func(s *Store) (bool, error) {
			var n int
			err := s.TakeToken(context.Background(), PurposeTicket, ticket, &n)
			return err == nil, models.Errorf(models.CodeOf(err), "%v", err)
		}, 1},
		{"a time step", func(s *Store) (bool, error) { return s.UseStep(context.Background(), user.ID, 7) }, 1},
		{"a recovery code", func(s *Store) (bool, error) {
			used, _, err := s.UseRecoveryCode(context.Background(), user.ID, code)
			return used, err
		}, 1},
		{"attempts to sign in", func(s *Store) (bool, error) {
			err := s.Attempt(context.Background(), "somebody")
			return err == nil, models.Errorf(models.CodeOf(err), "%v", err)
		}, FreeAttempts},
		{"the first owner", func(s *Store) (bool, error) {
			_, _, err := s.CreateFirstOwner(context.Background(), models.User{Email: string(models.NewID()), PasswordHash: "x"}, models.Organization{Name: "Shop"})
			return err == nil, models.Errorf(models.CodeOf(err), "%v", err)
		}, 0},
		{"an address", func(s *Store) (bool, error) {
			_, _, err := s.CreateOwner(context.Background(), models.User{Email: "b@example.com", PasswordHash: "x"}, models.Organization{Name: "Shop"})
			return err == nil, models.Errorf(models.CodeOf(err), "%v", err)
		}, 1},
		{"a submission's id", func(s *Store) (bool, error) {
			accepted, err := s.Submit(context.Background(), same)
			return err == nil && !accepted.Repeated, err
		}, 1},
		{"an id in many projects", func(s *Store) (bool, error) {
			other := &models.Project{Name: fmt.Sprint(projects.Add(1)), AllowedOrigins: models.Origins{}, Settings: models.DefaultSettings()}
			if err := s.CreateProject(context.Background(), scope, other); err != nil {
				return false, err
			}
			in := newFeedback(other, "mine")
			in.Submission.ID = id
			_, err := s.Submit(context.Background(), in)
			return err == nil, models.Errorf(models.CodeOf(err), "%v", err)
		}, 1},
		{"a job", func(s *Store) (bool, error) {
			lease, err := s.LeaseJob(context.Background())
			return lease != nil, err
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got atomic.Int64
			var using sync.WaitGroup
			for i := range 5 * len(all) {
				using.Go(func() {
					had, err := tc.use(all[i%len(all)])
					if code := models.CodeOf(err); slices.Contains([]models.Code{models.CodeInternal, models.CodeUnavailable}, code) && !had {
						t.Errorf("node %d: %v", i%len(all), err)
					}
					if had {
						got.Add(1)
					}
				})
			}
			using.Wait()
			if n := got.Load(); n != tc.want {
				t.Errorf("it was had %d times, want %d", n, tc.want)
			}
		})
	}
}

// What one node changes in a project another one goes by a moment later.
func TestNodesFollowEachOther(t *testing.T) {
	t.Parallel()
	all := nodes(t, 2)
	scope, p := newProject(t, all[0])
	if _, err := all[1].ProjectByKey(t.Context(), p.Key); err != nil {
		t.Fatal(err)
	}
	if blocks, err := all[1].Blocks(t.Context(), p.ID); err != nil || blocks.Any() {
		t.Fatalf("blocks %v (%v)", blocks, err)
	}
	_, err := all[0].UpdateProject(t.Context(), scope, p.ID, func(p *models.Project) error { p.KeyDisabled = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all[0].CreateBlock(t.Context(), scope, models.Block{ProjectID: p.ID, Kind: models.BlockWord, Value: "spam", Label: "spam"}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	await(t, func() bool {
		known, err := all[1].ProjectByKey(t.Context(), p.Key)
		blocks, blocksErr := all[1].Blocks(t.Context(), p.ID)
		return err == nil && blocksErr == nil && known.KeyDisabled && blocks.Any()
	})
	if took := time.Since(began); took > 2*othersInterval+time.Second {
		t.Errorf("that took %v", took)
	}
}

// Several nodes that start at once migrate once.
func TestNodesMigrateOnce(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	path := emptyDatabase(t)
	var starting sync.WaitGroup
	for i := range 6 {
		starting.Go(func() {
			schema, err := OpenSchema(context.Background(), path)
			if err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			defer func() { _ = schema.Close() }()
			if _, err := schema.Up(context.Background()); err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			s, err := Open(context.Background(), Options{Path: path, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	s := reopenTest(t, path, nil)
	if n, most := number(t, s, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"), number(t, s, "SELECT count(DISTINCT version_id) FROM goose_db_version WHERE version_id > 0"); n != most || n == 0 {
		t.Errorf("%d migrations are recorded, of %d", n, most)
	}
}
