package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store/postgrestest"
)

// ownServer is a server for one test, with a database of ours.
func ownServer(t *testing.T, settings ...string) (server *postgrestest.Server, address string) {
	t.Helper()
	ofPostgres(t)
	server = postgrestest.New(t, settings...)
	if err := server.Exec("postgres", "CREATE DATABASE earshot"); err != nil {
		t.Fatal(err)
	}
	address = server.URL("earshot")
	migrateTest(t, address)
	return server, address
}

// insistent submits until told to end, each submission again and again until it is
// acknowledged, as a widget's outbox does.
type insistent struct {
	mu           sync.Mutex
	acknowledged []models.ID
	longest      time.Duration
	refused      int
	unexpected   error
}

func (i *insistent) submit(s *Store, p *models.Project, ended <-chan struct{}) {
	for n := 0; ; n++ {
		in := newFeedback(p, fmt.Sprint("number ", n))
		for {
			began := time.Now()
			_, err := s.Submit(context.Background(), in)
			i.mu.Lock()
			i.longest = max(i.longest, time.Since(began))
			switch models.CodeOf(err) {
			case "":
				i.acknowledged = append(i.acknowledged, in.Submission.ID)
			case models.CodeUnavailable:
				i.refused++
			default:
				i.unexpected = err
			}
			i.mu.Unlock()
			if err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		select {
		case <-ended:
			return
		default:
		}
	}
}

// check holds what was acknowledged, and what was published, against the log.
func (i *insistent) check(t *testing.T, s *Store, scope models.Scope, p *models.Project, published []models.LogEntry) {
	t.Helper()
	if i.unexpected != nil {
		t.Errorf("a submission was answered with %v", i.unexpected)
	}
	if i.longest > writeTimeout+time.Second {
		t.Errorf("an answer took %v", i.longest)
	}
	var log []models.LogEntry
	for {
		more, err := s.ReadLog(t.Context(), scope, p.ID, int64(len(log)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if log = append(log, more...); len(more) < 1000 {
			break
		}
	}
	there := map[models.ID]int{}
	for n, entry := range log {
		there[entry.FeedbackID]++
		if entry.Seq != int64(n+1) {
			t.Fatalf("entry %d has seq %d", n, entry.Seq)
		}
	}
	for _, id := range i.acknowledged {
		if there[id] != 1 {
			t.Errorf("acknowledged %s is in the log %d times", id, there[id])
		}
	}
	if len(i.acknowledged) == 0 || len(log) != len(i.acknowledged) {
		t.Errorf("%d were acknowledged, %d are in the log", len(i.acknowledged), len(log))
	}
	for n := 1; n < len(published); n++ {
		if published[n].Seq <= published[n-1].Seq {
			t.Errorf("seq %d was published after %d", published[n].Seq, published[n-1].Seq)
		}
	}
	t.Logf("%d acknowledged, %d refused, %d published, the longest answer took %v", len(i.acknowledged), i.refused, len(published), i.longest)
}

// The server is stopped, crashes, and comes back, while others submit: nothing
// acknowledged is lost, nothing is there twice, nobody waits for ever, and the store
// is well again by itself.
func TestPostgresComesBack(t *testing.T) {
	t.Parallel()
	const away = 300 * time.Millisecond
	server, address := ownServer(t)
	s := reopenTest(t, address, nil)
	scope, p := newProject(t, s)
	var all insistent
	ended := make(chan struct{})
	var writing sync.WaitGroup
	for range 8 {
		writing.Go(func() { all.submit(s, p, ended) })
	}
	for _, end := range []func() error{server.Stop, server.Kill, server.Kill} {
		time.Sleep(500 * time.Millisecond)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(away)
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(500 * time.Millisecond)
	close(ended)
	writing.Wait()
	all.check(t, s, scope, p, nil)
	// Whoever could be answered in time after all was not refused, but waited.
	if all.refused == 0 && all.longest < away {
		t.Error("nobody was refused, and nobody waited: the server was never away")
	}
}

// The writer's connection is broken again and again, also while a commit is on its
// way: the server is asked what became of it. So nothing is published that is not
// committed, nothing that is stays unpublished, and hardly anybody is refused.
func TestPostgresConnectionsBreak(t *testing.T) {
	t.Parallel()
	server, address := ownServer(t)
	var mu sync.Mutex
	var published []models.LogEntry
	s := reopenTest(t, address, func(entries []models.LogEntry) {
		mu.Lock()
		defer mu.Unlock()
		published = append(published, entries...)
	})
	scope, p := newProject(t, s)
	var all insistent
	ended := make(chan struct{})
	var writing sync.WaitGroup
	for range 8 {
		writing.Go(func() { all.submit(s, p, ended) })
	}
	var broken int64
	for until := time.Now().Add(4 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		err := server.Exec("earshot", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'earshot writer'")
		if err != nil {
			t.Fatal(err)
		}
		broken++
	}
	close(ended)
	writing.Wait()
	all.check(t, s, scope, p, published)
	if len(published) != len(all.acknowledged) {
		t.Errorf("%d were published of %d that were committed", len(published), len(all.acknowledged))
	}
	t.Logf("the connection was broken %d times", broken)
}

// frozen is a way to a server that, once it is frozen, takes everything and delivers
// nothing: as a cable that was pulled.
type frozen struct {
	listener net.Listener
	target   string
	still    atomic.Bool
	// cut: the next commit is delivered, and its answer is not, but the end of the
	// connection.
	cut atomic.Bool
}

func freeze(t *testing.T, address string) (*frozen, string) {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f := &frozen{target: parsed.Host}
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := f.listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { f.carry(conn) })
		}
	})
	t.Cleanup(func() { _ = f.listener.Close(); serving.Wait() })
	parsed.Host = f.listener.Addr().String()
	return f, parsed.String()
}

func (f *frozen) carry(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", f.target)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			defer func() { _ = way[0].Close(); _ = way[1].Close() }()
			buffer := make([]byte, 32<<10)
			for {
				n, err := way[0].Read(buffer)
				if err != nil {
					return
				}
				if f.still.Load() {
					continue
				}
				commits := way[0] == near && bytes.Contains(buffer[:n], []byte("COMMIT\x00")) && f.cut.Swap(false)
				if commits {
					_ = near.Close() // no answer comes through any more
				}
				if _, err := way[1].Write(buffer[:n]); err != nil {
					return
				}
				if commits {
					time.Sleep(100 * time.Millisecond) // the server commits
					return
				}
			}
		})
	}
	both.Wait()
}

// An answer to a commit that is lost on its way is asked for over another connection:
// what was committed is answered and published as if nothing had been.
func TestPostgresAnswerIsLost(t *testing.T) {
	t.Parallel()
	_, address := ownServer(t)
	way, address := freeze(t, address)
	var published atomic.Int64
	s := reopenTest(t, address, func(entries []models.LogEntry) { published.Add(int64(len(entries))) })
	scope, p := newProject(t, s)
	for round := range int64(3) {
		way.cut.Store(true)
		accepted, err := s.Submit(t.Context(), newFeedback(p, "once"))
		if err != nil || accepted.Repeated || way.cut.Load() {
			t.Errorf("accepted %+v (%v), want it as new", accepted, err)
		}
		log, err := s.ReadLog(t.Context(), scope, p.ID, 0, 10)
		if err != nil || int64(len(log)) != round+1 || published.Load() != round+1 {
			t.Errorf("%d are in the log (%v), %d were published, want %d", len(log), err, published.Load(), round+1)
		}
	}
}

// A server that does not answer is no reason to wait for ever.
func TestPostgresDoesNotAnswer(t *testing.T) {
	t.Parallel()
	_, address := ownServer(t)
	way, address := freeze(t, address)
	s := reopenTest(t, address, nil)
	scope, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "before"))
	way.still.Store(true)
	var waiting sync.WaitGroup
	for name, call := range map[string]func() error{
		"a submission":        func() error { _, err := s.Submit(t.Context(), newFeedback(p, "meanwhile")); return err },
		"another submission":  func() error { _, err := s.Submit(t.Context(), newFeedback(p, "meanwhile, too")); return err },
		"another write":       func() error { return s.SetMeta(t.Context(), "a", "b") },
		"a read":              func() error { _, err := s.Project(t.Context(), scope, p.ID); return err },
		"whether it is there": func() error { return s.Ping(t.Context()) },
		"a look for something": func() error {
			_, err := s.FeedbackList(t.Context(), scope, p.ID, Filter{Query: "before"}, Page{Limit: 1})
			return err
		},
	} {
		waiting.Go(func() {
			began := time.Now()
			wantCode(t, name, call(), models.CodeUnavailable)
			if took := time.Since(began); took > writeTimeout+time.Second {
				t.Errorf("%s: the answer took %v", name, took)
			}
		})
	}
	waiting.Wait()
	way.still.Store(false)
	await(t, func() bool {
		_, err := s.Submit(t.Context(), newFeedback(p, "afterwards"))
		return err == nil
	})
}

// Somebody who keeps all other writers out for long makes them unavailable, not
// wait for ever.
func TestPostgresIsLockedForLong(t *testing.T) {
	t.Parallel()
	s := nodes(t, 1)[0]
	_, p := newProject(t, s)
	db, err := sql.Open("pgx", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	holder, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec("SELECT pg_advisory_xact_lock($1)", int64(lockOfWriters)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = s.Submit(t.Context(), newFeedback(p, "waits"))
	wantCode(t, "a submission meanwhile", err, models.CodeUnavailable)
	if took := time.Since(began); took > postgresLock+2*time.Second {
		t.Errorf("the answer took %v", took)
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, s, newFeedback(p, "has room"))
}

// An item whose number was given out before others' were, and which is committed
// after them, is not passed over by what follows the items.
func TestPostgresLateCommitIsFollowed(t *testing.T) {
	t.Parallel()
	s := nodes(t, 1)[0]
	scope, p := newProject(t, s)
	db, err := sql.Open("pgx", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	late, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		fmt.Sprintf("SELECT pg_advisory_xact_lock_shared(%d)", int64(lockOfWriters)), // as every submission
		fmt.Sprintf(`INSERT INTO feedback (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url, created_at, updated_at)
			VALUES ('%s', '%s', '%s', '', 0, '', 'the late one', 'https://shop.example/', 1, 1)`, models.NewID(), p.OrganizationID, p.ID),
	} {
		if _, err := late.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	mustSubmit(t, s, newFeedback(p, "the early one"))
	time.Sleep(2*searchInterval + 200*time.Millisecond)
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		return slices.Equal(found(t, s, scope, p, "one"), []string{"the late one", "the early one"})
	})
	await(t, func() bool { return number(t, s, "SELECT coalesce(sum(total), 0) FROM volumes") == 2 })
}
