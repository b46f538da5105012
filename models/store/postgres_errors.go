package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresCode is the SQLSTATE of what the server refused; "" where it said nothing
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func postgresCode(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// lost reports whether the connection is of no use any more, or there is none: it broke,
// the server is leaving or has no more of them, ended what we left open for too long, or
// is one that cannot write.
func lost(err error) bool {
	if code := postgresCode(err); code != "" {
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == "25006" || code == "25P03" || code == "53300"
	}
	var network net.Error
	var connecting *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connecting) || errors.Is(err, errReadOnly) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || err != nil && strings.Contains(err.Error(), "conn closed")
}

// passing reports whether the same transaction may well succeed another time: it
// met others.
func passing(err error) bool {
	switch postgresCode(err) {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return errors.Is(err, errMetOthers)
}

// stuck reports whether the server has not done in time what it was asked for, or has
// nothing left to do it with.
func stuck(err error) bool {
	code := postgresCode(err)
	return code == "57014" || code == "55P03" || strings.HasPrefix(code, "53")
}

// ofData reports whether a statement was refused for what was in it.
func ofData(err error) bool {
	code := postgresCode(err)
	return strings.HasPrefix(code, "22") || strings.HasPrefix(code, "23")
}

// translatePostgres is the answer to a failure that PostgreSQL names; nil where the
// fault is ours.
func translatePostgres(err error) error {
	switch {
	case postgresCode(err) == "53100": // disk_full
		return errStorageFull
	case stuck(err), passing(err), lost(err), errors.Is(err, errOutOfReach):
		return errUnavailable
	}
	return nil
}
