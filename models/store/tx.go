package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

// tx is the writer's transaction while it is open.
type tx struct {
	w   *writer
	ctx context.Context
	now time.Time
	// heads are the last numbers of the projects' logs as this transaction sees them.
	heads   map[models.ID]*int64
	entries []models.LogEntry
	// given are the heads of the numbers given out, in that order.
	given []*int64
	// committed is run after the commit, before anybody is told of it.
	committed []func()
}

// orm is gorm inside the transaction.
func (t *tx) orm() *gorm.DB { return t.w.orm.WithContext(t.ctx) }

// applyOne runs one write. refused is for its caller alone; err ends the whole
// transaction.
func (t *tx) applyOne(o *op) (refused, err error) {
	entries, given := len(t.entries), len(t.given)
	if !o.clean {
		if _, err := t.w.stmts.savepoint.ExecContext(t.ctx); err != nil {
			return nil, fmt.Errorf("savepoint: %w", err)
		}
	}
	applyErr := o.apply(t)
	readable := errors.As(applyErr, new(*models.Error)) || errors.Is(applyErr, gorm.ErrRecordNotFound)
	if o.clean {
		if applyErr == nil || readable {
			return applyErr, nil
		}
		return nil, applyErr
	}
	if applyErr != nil {
		t.forget(entries, given)
		if _, err := t.w.stmts.rollbackTo.ExecContext(t.ctx); err != nil {
			return nil, fmt.Errorf("roll back to savepoint: %w", errors.Join(applyErr, err))
		}
	}
	if _, err := t.w.stmts.release.ExecContext(t.ctx); err != nil {
		return nil, fmt.Errorf("release savepoint: %w", errors.Join(applyErr, err))
	}
	return applyErr, nil
}

// forget takes back the events and the numbers after the first ones. A number
// may have been given out without its event: the write failed between the two.
func (t *tx) forget(entries, given int) {
	for _, head := range t.given[given:] {
		*head--
	}
	t.given = t.given[:given]
	t.entries = t.entries[:entries]
}

// nextSeq gives out the next number of a project's log.
func (t *tx) nextSeq(project models.ID) (int64, error) {
	head, ok := t.heads[project]
	if !ok {
		head = new(int64)
		err := t.w.stmts.readHead.QueryRowContext(t.ctx, project).Scan(head)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, errNotFound
		}
		if err != nil {
			return 0, fmt.Errorf("read log head: %w", err)
		}
		t.heads[project] = head
	}
	*head++
	t.given = append(t.given, head)
	return *head, nil
}

// returnSeq takes back the number that nextSeq gave out last, unused.
func (t *tx) returnSeq(project models.ID) { *t.heads[project]-- }

// record writes an entry, whose seq was given out by nextSeq, and keeps it for
// publishing.
func (t *tx) record(entry models.LogEntry) error {
	var data []byte
	if entry.Update != nil {
		var err error
		if data, err = json.Marshal(entry.Update); err != nil {
			return fmt.Errorf("encode event: %w", err)
		}
	}
	_, err := t.w.stmts.insertEvent.ExecContext(t.ctx,
		entry.ProjectID, entry.Seq, entry.Type, entry.FeedbackID, string(data), entry.At.UnixMilli())
	if err != nil {
		return fmt.Errorf("insert event: %w", err)
	}
	t.entries = append(t.entries, entry)
	return nil
}

// statements are prepared once, on the writer's connection.
type statements struct {
	begin, commit, rollback        *sql.Stmt
	savepoint, release, rollbackTo *sql.Stmt
	readHead                       *sql.Stmt
	insertFeedback, insertEvent    *sql.Stmt
	findFeedback                   *sql.Stmt
	findSession, insertSession     *sql.Stmt
	all                            []*sql.Stmt
}

func prepare(ctx context.Context, conn *sql.Conn) (*statements, error) {
	s := &statements{}
	for _, p := range []struct {
		into **sql.Stmt
		text string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
		{&s.savepoint, "SAVEPOINT op"},
		{&s.release, "RELEASE op"},
		{&s.rollbackTo, "ROLLBACK TO op"},
		{&s.readHead, "SELECT " + lastSeq + " FROM projects AS p WHERE p.id = ?"},
		{&s.insertEvent, "INSERT INTO events (project_id, seq, type, feedback_id, data, at) VALUES (?, ?, ?, ?, ?, ?)"},
		{&s.findFeedback, "SELECT project_id, session_id, fingerprint, receipt_version, erased_at IS NOT NULL FROM feedback WHERE id = ?"},
		{&s.insertFeedback, `INSERT INTO feedback (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url,
			kind, rating, email, name, context, quarantined, quarantine_reasons, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`},
		{&s.findSession, "SELECT id FROM visitor_sessions WHERE project_id = ? AND resume_hash = ?"},
		{&s.insertSession, "INSERT INTO visitor_sessions (project_id, resume_hash, id, created_at) VALUES (?, ?, ?, ?)"},
	} {
		stmt, err := conn.PrepareContext(ctx, p.text) //nolint:sqlclosecheck // close does it, for all of them
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		*p.into = stmt
		s.all = append(s.all, stmt)
	}
	return s, nil
}

func (s *statements) close() error {
	var errs []error
	for _, stmt := range s.all {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(errs...)
}
