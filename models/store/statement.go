package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"earshot/models"
)

// prepared is a statement of the writer's connection. exec runs one that has no rows,
// and gives the number of rows that it changed. row runs a query and puts the columns
// of its first row where into points; found is false where there is none.
type prepared interface {
	exec(args ...any) (changed int64, err error)
	row(into []any, args ...any) (found bool, err error)
}

// statement is a prepared statement of SQLite's connection, which it runs by
// the driver itself. What database/sql does for pools and for any driver (locks,
// conversions, a dozen allocations a call) was a third of the writer's own time
// for a submission, and a connection that one goroutine owns has no use for it.
type statement struct {
	text string
	stmt driver.Stmt
	args []driver.NamedValue // of the last call, for the next one to write over
	cols []driver.Value
}

func (s *statement) exec(args ...any) (changed int64, err error) {
	if err := s.bind(args); err != nil {
		return 0, err
	}
	//nolint:forcetypeassert // prepare has checked it
	result, err := s.stmt.(driver.StmtExecContext).ExecContext(context.Background(), s.args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *statement) row(into []any, args ...any) (found bool, err error) {
	if err := s.bind(args); err != nil {
		return false, err
	}
	//nolint:forcetypeassert // prepare has checked it
	rows, err := s.stmt.(driver.StmtQueryContext).QueryContext(context.Background(), s.args)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.cols == nil {
		s.cols = make([]driver.Value, len(rows.Columns()))
	}
	if err := rows.Next(s.cols); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, err
	}
	if len(into) != len(s.cols) {
		return false, fmt.Errorf("%q has %d columns, not %d", s.text, len(s.cols), len(into))
	}
	for i, to := range into {
		if err := scan(to, s.cols[i]); err != nil {
			return false, fmt.Errorf("column %d of %q: %w", i, s.text, err)
		}
	}
	return true, nil
}

// bind brings arguments to the types that drivers take.
func (s *statement) bind(args []any) error {
	if len(args) != s.stmt.NumInput() {
		return fmt.Errorf("%q takes %d arguments, not %d", s.text, s.stmt.NumInput(), len(args))
	}
	s.args = s.args[:0]
	for i, arg := range args {
		var value driver.Value
		switch v := arg.(type) {
		case string, []byte, int64, bool:
			value = v
		case int:
			value = int64(v)
		case models.ID:
			value = string(v)
		case models.Kind:
			value = string(v)
		case models.EventType:
			value = string(v)
		default:
			return fmt.Errorf("argument %d of %q: a %T", i, s.text, arg)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return nil
}

// scan writes a column's value where into points.
func scan(into any, value driver.Value) error {
	switch v := value.(type) {
	case string:
		switch to := into.(type) {
		case *string:
			*to = v
			return nil
		case *models.ID:
			*to = models.ID(v)
			return nil
		}
	case []byte:
		if to, ok := into.(*[]byte); ok {
			*to = v
			return nil
		}
	case int64:
		switch to := into.(type) {
		case *int64:
			*to = v
			return nil
		case *int:
			*to = int(v)
			return nil
		case *bool:
			*to = v != 0
			return nil
		}
	}
	return fmt.Errorf("a %T for a %T", value, into)
}

// statements are prepared once, on the writer's connection.
type statements struct {
	begin, commit, rollback        prepared
	savepoint, release, rollbackTo prepared
	readHead                       prepared
	insertFeedback, insertEvent    prepared
	findFeedback                   prepared
	findSession, insertSession     prepared
	all                            []*statement // what close closes
}

// texts are the statements with their places.
func (s *statements) texts() []struct {
	into *prepared
	text string
} {
	return []struct {
		into *prepared
		text string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
		{&s.savepoint, "SAVEPOINT op"},
		{&s.release, "RELEASE SAVEPOINT op"},
		{&s.rollbackTo, "ROLLBACK TO SAVEPOINT op"},
		{&s.readHead, "SELECT " + lastSeq + " FROM projects AS p WHERE p.id = ?"},
		{&s.insertEvent, "INSERT INTO events (project_id, seq, type, feedback_id, data, at) VALUES (?, ?, ?, ?, ?, ?)"},
		{&s.findFeedback, "SELECT project_id, session_id, fingerprint, receipt_version, erased_at IS NOT NULL FROM feedback WHERE id = ?"},
		{&s.insertFeedback, `INSERT INTO feedback (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url,
			kind, rating, email, name, context, quarantined, quarantine_reasons, address_hash, created_at, updated_at, visitor_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`},
		{&s.findSession, "SELECT id FROM visitor_sessions WHERE project_id = ? AND resume_hash = ?"},
		{&s.insertSession, "INSERT INTO visitor_sessions (project_id, resume_hash, id, created_at) VALUES (?, ?, ?, ?)"},
	}
}

func prepare(ctx context.Context, conn *sql.Conn) (*statements, error) {
	s := &statements{}
	for _, p := range s.texts() {
		stmt, err := prepareOne(ctx, conn, p.text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%q: %w", p.text, err), s.close())
		}
		*p.into = stmt
		s.all = append(s.all, stmt)
	}
	return s, nil
}

// prepareOne prepares a statement that outlives the call which lends the driver's
// connection: conn is the writer's for good, so nobody else can be lent it.
func prepareOne(ctx context.Context, conn *sql.Conn, text string) (*statement, error) {
	s := &statement{text: text}
	return s, conn.Raw(func(raw any) error {
		preparer, ok := raw.(driver.ConnPrepareContext)
		if !ok {
			return fmt.Errorf("a %T prepares no statements", raw)
		}
		var err error
		if s.stmt, err = preparer.PrepareContext(ctx, text); err != nil {
			return err
		}
		_, executes := s.stmt.(driver.StmtExecContext)
		_, queries := s.stmt.(driver.StmtQueryContext)
		if !executes || !queries {
			return errors.Join(fmt.Errorf("a %T cannot be run", s.stmt), s.stmt.Close())
		}
		return nil
	})
}

func (s *statements) close() error {
	var errs []error
	for _, stmt := range s.all {
		errs = append(errs, stmt.stmt.Close())
	}
	return errors.Join(errs...)
}
