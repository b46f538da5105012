package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"earshot/models"
)

// late has a transaction that took a number of a project's log before all others stay
// open, as in a node that stalls, while they submit to the same project. Nobody passes
// its number over.
type late struct {
	Nodes      int           `default:"3" help:"Servers that share a PostgreSQL database and NATS."`
	Dashboards int           `default:"9" help:"How many."`
	Writers    int           `default:"12" help:"How many, half over sockets, half over POST."`
	Open       time.Duration `default:"2s" help:"How long the transaction stays open: less than others wait for a lock (4s)."`
	Times      int           `default:"10" help:"How often."`
}

// Run is called by kong.
func (l late) Run(t *test) (err error) {
	t.printf("A transaction that has a project's next number stays open for %v, %d times, under %d nodes\n", l.Open, l.Times, l.Nodes)
	c, err := t.startCluster(setting{nodes: l.Nodes})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	refused := &stood{}
	a := c.attend(watching{dashboards: l.Dashboards, writers: l.Writers, pause: pauseAtMost, refused: refused.refuse})
	err = l.stalling(t, c, a)
	found, leaveErr := a.leave(dialTimeout)
	if err = errors.Join(err, leaveErr); err != nil {
		return err
	}
	t.printf("  %s\n  refused meanwhile %d\n", found, refused.refused)
	if err := firstOf(found.wrong, firstOf(found.audit.holds(), refused.wrong)); err != nil {
		return err
	}
	if refused.refused > 0 {
		return fmt.Errorf("%d submissions were refused", refused.refused)
	}
	return l.unlocked(t, c)
}

func (l late) stalling(t *test, c *cluster, a *spectators) error {
	db, err := sql.Open("pgx", c.address())
	if err != nil {
		return err
	}
	for range l.Times {
		if err = t.wait(l.Open / 2); err != nil {
			break
		}
		id := models.NewID()
		a.w.ledger.send(id)
		var open *sql.Tx
		if open, err = begin(t.ctx, db, c.nodes[0].Project, id, 1, true); err != nil {
			break
		}
		if err = errors.Join(t.wait(l.Open), open.Commit()); err != nil {
			break
		}
		a.w.ledger.acknowledge(id, time.Time{})
	}
	return errors.Join(err, db.Close())
}

// begin writes an item with the number that comes so many after the log's last, as a node
// does: under the project's lock, or in a control without.
func begin(ctx context.Context, db *sql.DB, project, id models.ID, after int64, locked bool) (tx *sql.Tx, err error) {
	if tx, err = db.BeginTx(ctx, nil); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if locked {
		if _, err = tx.ExecContext(ctx, "SELECT 1 FROM projects WHERE id = $1 FOR NO KEY UPDATE", string(project)); err != nil {
			return nil, err
		}
	}
	var seq int64
	if err = tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) + $2 FROM events WHERE project_id = $1", string(project), after).Scan(&seq); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO feedback (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url, created_at, updated_at)
		SELECT $1, organization_id, id, '', $3, '', 'late', 'https://shop.example/', 1, 1 FROM projects WHERE id = $2`, string(id), string(project), seq)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO events (project_id, seq, type, feedback_id, at) VALUES ($1, $2, 'FeedbackReceived', $3, 1)", string(project), seq, string(id))
	return tx, err
}

// unlocked is a control: two writers without the project's lock, of which the one with
// the higher number commits first. Dashboards pass the lower one over.
func (l late) unlocked(t *test, c *cluster) error {
	a := c.attend(watching{dashboards: l.Dashboards, live: true})
	db, err := sql.Open("pgx", c.address())
	if err != nil {
		return errors.Join(err, a.g.end())
	}
	project := c.nodes[0].Project
	first, err := begin(t.ctx, db, project, models.NewID(), 1, false)
	if err == nil {
		var second *sql.Tx
		if second, err = begin(t.ctx, db, project, models.NewID(), 2, false); err == nil {
			err = errors.Join(second.Commit(), t.wait(l.Open+time.Second), first.Commit(), t.wait(l.Open+time.Second))
		} else {
			err = errors.Join(err, first.Rollback())
		}
	}
	if err = errors.Join(err, db.Close(), a.g.end()); err != nil {
		return err
	}
	var missed error
	for _, f := range a.g.all {
		if f.missing+f.disorder > 0 {
			missed = errors.New(f.counts())
		}
	}
	return t.mustFail("writers that do not lock the project", missed)
}
