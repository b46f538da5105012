package store

import (
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// errBadConn has database/sql throw a connection away.
var errBadConn = driver.ErrBadConn

// remoteStatement is a statement of the writer's connection to PostgreSQL. The driver
// prepares it when it is run first.
type remoteStatement struct {
	remote *remote
	text   string
}

func (s *remoteStatement) exec(args ...any) (int64, error) {
	tag, err := s.remote.pg.Exec(s.remote.ctx, s.text, args...)
	return tag.RowsAffected(), err
}

func (s *remoteStatement) row(into []any, args ...any) (found bool, err error) {
	err = s.remote.pg.QueryRow(s.remote.ctx, s.text, args...).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// lockedHead reads where a project's log ends, under the project's lock. It is two
// statements: one that waits for a lock sees what it looked up before the wait.
type lockedHead struct{ read *remoteStatement }

func (s *lockedHead) exec(args ...any) (int64, error) { return s.read.exec(args...) }

func (s *lockedHead) row(into []any, args ...any) (found bool, err error) {
	r := s.read.remote
	tag, err := r.pg.Exec(r.ctx, "SELECT 1 FROM projects WHERE id = $1 FOR NO KEY UPDATE", args...)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	return s.read.row(into, args...)
}

func (r *remote) statements() *statements {
	s := &statements{}
	for _, p := range s.texts() {
		*p.into = &remoteStatement{remote: r, text: numbered(p.text)}
	}
	s.readHead = &lockedHead{read: s.readHead.(*remoteStatement)} //nolint:forcetypeassert // as it was just made
	return s
}

// numbered is a statement with the places of its arguments as PostgreSQL has them.
// None of ours has a question mark that is something else.
func numbered(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
