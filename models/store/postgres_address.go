package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// IsPostgres reports whether a database is named by an address of PostgreSQL rather
// than by the path of a file.
func IsPostgres(path string) bool {
	return strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://")
}

// CheckPostgres says what is wrong with an address. It does not repeat the address, nor
// any part of which it is not sure where it ends: there is a password in it.
func CheckPostgres(address string) error {
	parsed, err := url.Parse(address)
	if IsPostgres(address) && !userIsEscaped(address, err) {
		return errors.New("has a character in its user or password that must be percent-encoded: " +
			"% as %25, @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, a space as %20")
	}
	if err != nil || !IsPostgres(address) || strings.Trim(parsed.Path, "/") == "" {
		return errAddress
	}
	for _, setting := range []struct {
		name   string
		values []string // https://www.postgresql.org/docs/current/libpq-connect.html
	}{
		{"sslmode", []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
		{"target_session_attrs", []string{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}},
	} {
		query := parsed.Query()
		if query.Has(setting.name) && !slices.Contains(setting.values, query.Get(setting.name)) {
			return fmt.Errorf("has an unknown %s: it may be %s", setting.name, strings.Join(setting.values, ", "))
		}
	}
	_, err = pgx.ParseConfig(address)
	var missing *fs.PathError
	if errors.As(err, &missing) { // such as sslrootcert
		return fmt.Errorf("names a file that cannot be read: %w", missing)
	}
	if err != nil {
		return errAddress
	}
	return nil
}

var errAddress = errors.New("must be an address such as postgres://user:password@host:5432/database")

// userIsEscaped reports whether what is before the host ends where it seems to. Drivers
// do not agree on where it does: part of a password would be looked up as a host.
func userIsEscaped(address string, parsing error) bool {
	var escape url.EscapeError
	if errors.As(parsing, &escape) || parsing != nil && strings.HasSuffix(parsing.Error(), "invalid userinfo") {
		return false
	}
	_, rest, _ := strings.Cut(address, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	switch strings.Count(authority, "@") {
	case 0:
		if parsing != nil {
			return !strings.Contains(rest, "@")
		}
		// A password of digits alone, up to what ends it, passes for a port. Then the '@'
		// comes in the path, or in the name of a setting.
		path, query, _ := strings.Cut(rest[len(authority):], "?")
		setting, _, _ := strings.Cut(query, "=")
		return !strings.Contains(path+setting, "@")
	case 1:
		return true
	}
	return false
}

// PostgresName is an address as it may be shown: without the password.
func PostgresName(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host + parsed.EscapedPath()
}
