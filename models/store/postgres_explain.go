package store

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// explainConnect tells the operator what to do.
func explainConnect(config *pgx.ConnConfig, err error) error {
	server := serversOf(config)
	if errors.Is(err, pgconn.ErrReadOnlyConnection) || errors.Is(err, pgconn.ErrStandbyConnection) {
		return fmt.Errorf("PostgreSQL at %s: %w", server, errReadOnly)
	}
	switch postgresCode(err) {
	case "28P01", "28000":
		return fmt.Errorf("PostgreSQL at %s does not let %q in: check the user and the password in EARSHOT_DATABASE_URL, and the server's pg_hba.conf", server, config.User)
	case "3D000":
		return fmt.Errorf("PostgreSQL at %s has no database %q: create it (createdb -E UTF8 %s) or correct EARSHOT_DATABASE_URL", server, config.Database, config.Database)
	case "42501":
		return fmt.Errorf("PostgreSQL at %s does not let %q connect to the database %q: GRANT CONNECT on it", server, config.User, config.Database)
	case "53300":
		return fmt.Errorf("PostgreSQL at %s: %w", server, tooFewConnections())
	case "57P03":
		return fmt.Errorf("PostgreSQL at %s is starting up or shutting down: try again in a moment", server)
	case "":
		return explainLine(server, err)
	}
	return fmt.Errorf("connect to PostgreSQL at %s: %w", server, lastCause(err))
}

// explainLine is about a connection that has not come so far that the server would say
// what is wrong.
func explainLine(server string, err error) error {
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return fmt.Errorf("the certificate of PostgreSQL at %s is not trusted: check the host, and give its authority as sslrootcert in EARSHOT_DATABASE_URL (%w)", server, untrusted.Err)
	}
	cause := lastCause(err)
	if strings.Contains(cause.Error(), "server refused TLS connection") { // the driver has no other name for it
		return fmt.Errorf("PostgreSQL at %s does not speak TLS: turn ssl on there (ssl = on, and a certificate), or choose another sslmode in EARSHOT_DATABASE_URL", server)
	}
	return fmt.Errorf("PostgreSQL at %s cannot be reached: check the host and the port in EARSHOT_DATABASE_URL, and that the server runs there (%w)", server, cause)
}

// serversOf are the servers that are tried.
func serversOf(config *pgx.ConnConfig) string {
	servers := []string{serverName(config.Host, config.Port)}
	for _, other := range config.Fallbacks { // also the same one, without TLS
		if name := serverName(other.Host, other.Port); !slices.Contains(servers, name) {
			servers = append(servers, name)
		}
	}
	return strings.Join(servers, " or ")
}

func serverName(host string, port uint16) string {
	if strings.HasPrefix(host, "/") { // of a socket
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

var errReadOnly = errors.New("the database is read-only, probably that of a standby: give the address of the primary in EARSHOT_DATABASE_URL " +
	"(where it names several hosts, with target_session_attrs=read-write); if it is the primary, turn " + readOnly + " off")

// tooFewConnections says how many a server needs.
func tooFewConnections() error {
	return fmt.Errorf("there are too few connections: a server needs %d (one to write, one for the search index, %d to read); "+
		"raise the role's limit (ALTER ROLE … CONNECTION LIMIT), the database's (ALTER DATABASE … CONNECTION LIMIT) or max_connections, or run fewer nodes",
		postgresConnections(), postgresReaders())
}

// lastCause is an error without what wraps it: the driver's own words have a line for
// each address that it tried.
func lastCause(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 0 {
		causes := several.Unwrap()
		return lastCause(causes[len(causes)-1])
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network.Err
	}
	if inner := errors.Unwrap(err); inner != nil {
		return lastCause(inner)
	}
	return err
}

// checkServer refuses a server that cannot keep what it is given.
func checkServer(ctx context.Context, db *sql.DB, oldest int) error {
	var version int
	var name, encoding, schema string
	var writes bool
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('server_encoding'), coalesce(current_schema(), ''), 
		NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'`).Scan(&version, &name, &encoding, &schema, &writes)
	switch {
	case err != nil:
		return fmt.Errorf("ask PostgreSQL for its version: %w", err)
	case version < oldest:
		return fmt.Errorf("PostgreSQL %s is too old: Earshot needs %d or newer", name, oldest/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database is encoded as %s: create it anew with ENCODING 'UTF8'", encoding)
	case !writes:
		return errReadOnly
	case schema == "":
		return errors.New("the database has no schema for our tables: create one that is in the user's search_path, such as public")
	}
	return nil
}

// ConnectionLimit is one of PostgreSQL's that lets in fewer connections than a server
// needs.
type ConnectionLimit struct {
	Of            string // such as "the role's CONNECTION LIMIT"
	Allows, Needs int
}

// lowLimits are those that let in fewer connections than one server needs.
func lowLimits(ctx context.Context, db *sql.DB) (low []ConnectionLimit, err error) {
	var role, database, server int
	err = db.QueryRowContext(ctx, `SELECT CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END, CASE WHEN rolsuper THEN -1 ELSE datconnlimit END,
		current_setting('max_connections')::int - CASE WHEN rolsuper THEN 0 ELSE
			current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0) END
		FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`).Scan(&role, &database, &server)
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL for its limits: %w", err)
	}
	for _, limit := range []ConnectionLimit{
		{Of: "the role's CONNECTION LIMIT", Allows: role}, {Of: "the database's CONNECTION LIMIT", Allows: database},
		{Of: "the server's max_connections", Allows: server},
	} {
		if limit.Needs = postgresConnections(); limit.Allows >= 0 && limit.Allows < limit.Needs {
			low = append(low, limit)
		}
	}
	return low, nil
}

// warnOfConnections tells of them at a start, rather than under load.
func warnOfConnections(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	low, err := lowLimits(ctx, db)
	for _, limit := range low {
		log.Warn("PostgreSQL lets in fewer connections than a server needs: under load it will not be available",
			"needs", limit.Needs, "raise", limit.Of, "allowed", limit.Allows)
	}
	return err
}
