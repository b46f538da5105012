package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// The queue's library wants a database and transactions of its own. What it
// writes belongs into ours, though: a job is queued with the row that people see
// of it, or not at all. So it gets a database whose one connection is the
// writer's, and whose transactions are savepoints in the one that is open.

// nested makes connections that are the writer's own.
type nested struct {
	driver driver.Driver
	conn   nestedConn
}

func (n nested) Driver() driver.Driver                        { return n.driver }
func (n nested) Connect(context.Context) (driver.Conn, error) { return n.conn, nil }

// nestedConn lends the writer's connection; closing it closes nothing.
type nestedConn struct {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
}

func (nestedConn) Close() error { return nil }

func (c nestedConn) Begin() (driver.Tx, error) {
	return c, c.run("SAVEPOINT nested")
}

// Commit implements driver.Tx.
func (c nestedConn) Commit() error { return c.run("RELEASE nested") }

// Rollback implements driver.Tx.
func (c nestedConn) Rollback() error {
	return errors.Join(c.run("ROLLBACK TO nested"), c.run("RELEASE nested"))
}

func (c nestedConn) run(statement string) error {
	_, err := c.ExecContext(context.Background(), statement, nil)
	return err
}

// openNested is the database for the queue's library. Only the writer's goroutine
// may use it, inside a transaction.
func openNested(conn *sql.Conn, drv driver.Driver) (db *sql.DB, err error) {
	err = conn.Raw(func(raw any) error {
		c, isConn := raw.(driver.Conn)
		execer, executes := raw.(driver.ExecerContext)
		queryer, queries := raw.(driver.QueryerContext)
		if !isConn || !executes || !queries {
			return fmt.Errorf("a %T cannot be lent", raw)
		}
		db = sql.OpenDB(nested{driver: drv, conn: nestedConn{c, execer, queryer}})
		db.SetMaxOpenConns(1)
		return nil
	})
	return db, err
}

// inQueue runs what the queue's library does in the transaction that is open.
func (t *tx) inQueue(use func(context.Context, *sql.Tx) error) error {
	inner, err := t.w.queueDB.BeginTx(t.ctx, nil)
	if err != nil {
		return fmt.Errorf("begin in queue: %w", err)
	}
	if err := use(t.ctx, inner); err != nil {
		return errors.Join(err, inner.Rollback())
	}
	return inner.Commit()
}
