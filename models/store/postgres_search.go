package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
)

// remoteSearch keeps the search index in PostgreSQL. Of several nodes one does so at
// a time, and each step is one transaction, so that an item which is erased while its
// words are taken in is taken out by the same step or a later one.
type remoteSearch struct {
	db *sql.DB // one connection
}

func startPostgresSearch(s *Store) (*searchProjection, error) {
	config, err := postgresConfig(s.path, "search", nil)
	if err != nil {
		return nil, err
	}
	x := &remoteSearch{db: stdlib.OpenDB(*config)}
	x.db.SetMaxOpenConns(1)
	x.db.SetMaxIdleConns(1)
	p := &searchProjection{store: s, remote: x}
	p.start()
	return p, nil
}

func (x *remoteSearch) close() error { return x.db.Close() }

// step is searchProjection.step.
func (x *remoteSearch) step(ctx context.Context) (more, owing bool, err error) {
	through, err := x.settled(ctx)
	if err != nil {
		return false, false, err
	}
	err = x.transact(ctx, func(tx *sql.Tx) error {
		var ours bool
		if err := tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", int64(lockOfSearch)).Scan(&ours); err != nil {
			return err
		}
		if !ours { // another node is at it, and may not have seen what we have
			owing = true
			return nil
		}
		if more, err = x.takeIn(ctx, tx, through); err != nil {
			return err
		}
		moved, err := x.takeOver(ctx, tx)
		if err != nil {
			return err
		}
		removed, err := x.takeOut(ctx, tx)
		more = more || moved == forgetBatch || removed == forgetBatch
		return err
	})
	return more, owing, err
}

// settled is a number up to which there will be no other items: numbers are given out
// before commits, and a smaller one may be committed later. Who has the lock of the
// writers alone knows that all of them are through.
func (x *remoteSearch) settled(ctx context.Context) (n int64, err error) {
	err = x.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockOfWriters)); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT coalesce(max(n), 0) FROM feedback").Scan(&n)
	})
	return n, err
}

// progress is up to which number the index has the items. One of another version is
// begun anew.
func (x *remoteSearch) progress(ctx context.Context, tx *sql.Tx) (n int64, err error) {
	var version int
	err = tx.QueryRowContext(ctx, "SELECT version, n FROM search_progress").Scan(&version, &n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || err == nil && version == searchVersion {
		return n, err
	}
	for _, statement := range []string{"DELETE FROM search_items", "DELETE FROM search_progress"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return 0, err
		}
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO search_progress (version, n) VALUES ($1, 0)", searchVersion)
	return 0, err
}

// indexed are items as the index has them, a slice a column.
type indexed struct {
	numbers, pages, created []int64
	projects, kinds, words  []string
	quarantined             []bool
}

func (x *remoteSearch) takeIn(ctx context.Context, tx *sql.Tx, through int64) (more bool, err error) {
	n, err := x.progress(ctx, tx)
	if err != nil || n >= through {
		return false, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT n, project_id, quarantined, kind, created_at, message, name, email, page_url FROM feedback
		WHERE n > $1 AND n <= $2 ORDER BY n LIMIT $3`, n, through, searchBatch)
	if err != nil {
		return false, err
	}
	items, err := collect(rows)
	if err != nil {
		return false, err
	}
	if more = len(items.numbers) == searchBatch; more {
		through = items.numbers[searchBatch-1]
	}
	if len(items.numbers) > 0 {
		_, err = tx.ExecContext(ctx, `INSERT INTO search_items (n, project, quarantined, kind, page, created_at, words)
			SELECT i.n, i.project, i.quarantined, i.kind, i.page, i.created_at, CAST(i.words AS TSVECTOR)
			FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::text[], $5::bigint[], $6::bigint[], $7::text[])
			AS i (n, project, quarantined, kind, page, created_at, words)`,
			items.numbers, items.projects, items.quarantined, items.kinds, items.pages, items.created, items.words)
		if err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE search_progress SET n = $1", through)
	return more, err
}

func collect(rows *sql.Rows) (items indexed, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r feedbackRow
		err := rows.Scan(&r.N, &r.ProjectID, &r.Quarantined, &r.Kind, &r.CreatedAt, &r.Message, &r.Name, &r.Email, &r.PageURL)
		if err != nil {
			return items, err
		}
		items.numbers = append(items.numbers, r.N)
		items.projects = append(items.projects, string(r.ProjectID))
		items.quarantined = append(items.quarantined, r.Quarantined)
		items.kinds = append(items.kinds, string(r.Kind))
		items.pages = append(items.pages, pageHash(r.PageURL))
		items.created = append(items.created, r.CreatedAt)
		items.words = append(items.words, tsvector(r.ProjectID, r.Message, r.Name, r.Email, r.PageURL))
	}
	return items, rows.Err()
}

// takeOver takes over which of the two lists items are in now, and takeOut takes out
// what was erased. Both say how many notes of it are done with.
func (x *remoteSearch) takeOver(ctx context.Context, tx *sql.Tx) (int64, error) {
	return x.settle(ctx, tx, "again", `UPDATE search_items AS i SET quarantined = f.quarantined FROM feedback AS f
		WHERE f.n = i.n AND i.n IN (SELECT n FROM search_removals WHERE again AND id <= $1)`)
}

func (x *remoteSearch) takeOut(ctx context.Context, tx *sql.Tx) (int64, error) {
	return x.settle(ctx, tx, "NOT again", "DELETE FROM search_items WHERE n IN (SELECT n FROM search_removals WHERE NOT again AND id <= $1)")
}

func (x *remoteSearch) settle(ctx context.Context, tx *sql.Tx, which, change string) (int64, error) {
	var last sql.NullInt64
	err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT max(id) FROM (SELECT id FROM search_removals WHERE %s ORDER BY id LIMIT $1) AS owed", which),
		forgetBatch).Scan(&last)
	if err != nil || !last.Valid {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, change, last.Int64); err != nil {
		return 0, err
	}
	done, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM search_removals WHERE %s AND id <= $1", which), last.Int64)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (x *remoteSearch) transact(ctx context.Context, apply func(*sql.Tx) error) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := apply(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
