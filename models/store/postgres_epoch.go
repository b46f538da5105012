package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"earshot/models"
)

// metaEpochOf says of which server's which database the epoch is. A dump that was
// restored is another database, and a standby that took over is on another timeline,
// which may lack what was acknowledged last: both would number new events as others
// have seen old ones, so they get a new epoch.
const metaEpochOf = "epoch_of"

// identify tells which database on which timeline of which server a connection leads
// to.
func identify(ctx context.Context, pg *pgx.Conn) (identity string, err error) {
	err = pg.QueryRow(ctx, `SELECT system_identifier::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' ||
		(SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_control_system()`).Scan(&identity)
	if postgresCode(err) == "42501" { // a service that hides its servers
		err = pg.QueryRow(ctx, "SELECT '/' || oid FROM pg_database WHERE datname = current_database()").Scan(&identity)
	}
	return identity, err
}

// epochOf reads the epoch of a database, and gives it one that is new, or is not what
// it was.
func epochOf(ctx context.Context, pg *pgx.Conn, identity string) (epoch models.Epoch, renewed bool, err error) {
	tx, err := pg.Begin(ctx)
	if err != nil {
		return "", false, err
	}
	defer func() {
		if rollbackErr := tx.Rollback(ctx); !errors.Is(rollbackErr, pgx.ErrTxClosed) {
			err = errors.Join(err, rollbackErr)
		}
	}()
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(lockOfWriters)); err != nil {
		return "", false, err
	}
	var of string
	err = tx.QueryRow(ctx, `SELECT e.value, coalesce(o.value, '') FROM meta AS e LEFT JOIN meta AS o ON o.name = $2 WHERE e.name = $1`,
		metaEpoch, metaEpochOf).Scan(&epoch, &of)
	if err == nil && of == identity {
		return epoch, false, nil
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", false, err
	}
	renewed = epoch != ""
	epoch = newEpoch()
	_, err = tx.Exec(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2), ($3, $4) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		metaEpoch, string(epoch), metaEpochOf, identity)
	if err != nil {
		return "", false, err
	}
	return epoch, renewed, tx.Commit(ctx)
}

// settleEpoch finds out where a new line leads to, and under which epoch.
func (r *remote) settleEpoch(ctx context.Context) error {
	identity, err := identify(ctx, r.pg)
	if err != nil {
		return fmt.Errorf("ask which database this is: %w", err)
	}
	epoch, renewed, err := epochOf(ctx, r.pg, identity)
	if err != nil {
		return fmt.Errorf("read epoch: %w", err)
	}
	if err := r.register(ctx); err != nil {
		return fmt.Errorf("note this node: %w", err)
	}
	if renewed {
		r.log.Warn("the database is another one than it was, or a standby that took over: clients will fetch everything anew")
	}
	r.setEpoch(epoch)
	return nil
}

// nodesForgotten is when a node's row is removed that was not heard of: nodes that are
// gone leave theirs behind.
const nodesForgotten = 24 * time.Hour

// register sees to it that this node has a row, so that whoever asks for it waits for
// the transaction that changes it.
func (r *remote) register(ctx context.Context) error {
	now := time.Now()
	if _, err := r.pg.Exec(ctx, "DELETE FROM writers WHERE at < $1 AND id <> $2", now.Add(-nodesForgotten).UnixMilli(), string(r.node)); err != nil {
		return err
	}
	_, err := r.pg.Exec(ctx, "INSERT INTO writers (id, written, at) VALUES ($1, 0, $2) ON CONFLICT (id) DO NOTHING", string(r.node), now.UnixMilli())
	return err
}
