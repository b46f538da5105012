package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	// postgresConnect bounds the making of a connection.
	postgresConnect = 5 * time.Second
	// postgresStatement bounds a statement, postgresLock the wait for a lock in one,
	// and postgresIdle how long a server that lost us keeps our transaction's locks.
	// All are below the time that a write waits (writeTimeout). The last is also below
	// the wait for a lock, so that a node that is cut off in a transaction has nobody
	// refused at the others; between two statements ours takes milliseconds.
	postgresStatement = 8 * time.Second
	postgresLock      = 4 * time.Second
	postgresIdle      = 2 * time.Second
	// postgresLifetime is when a reader's connection is made anew, so that a node
	// follows where the server's name leads.
	postgresLifetime = 30 * time.Minute
	// oldestPostgres is the oldest server that is supported, as it numbers itself.
	oldestPostgres = 140000
)

// IsPostgres reports whether a database is named by an address of PostgreSQL rather
// than by the path of a file.
func IsPostgres(path string) bool {
	return strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://")
}

// CheckPostgres says what is wrong with an address. It does not repeat the address:
// there is a password in it.
func CheckPostgres(address string) error {
	parsed, err := url.Parse(address)
	if err == nil && IsPostgres(address) && strings.Trim(parsed.Path, "/") != "" {
		if _, err = pgx.ParseConfig(address); err == nil {
			return nil
		}
	}
	return errors.New("must be an address such as postgres://user:password@host:5432/database")
}

// PostgresName is an address as it may be shown: without the password.
func PostgresName(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host + parsed.EscapedPath()
}

// postgresConfig is how we connect. purpose is what the server's lists of
// connections show.
func postgresConfig(address, purpose string, settings map[string]string) (*pgx.ConnConfig, error) {
	if err := CheckPostgres(address); err != nil {
		return nil, fmt.Errorf("the address of the database %w", err)
	}
	config, err := pgx.ParseConfig(address)
	if err != nil { // CheckPostgres has parsed it
		return nil, errors.New("the address of the database cannot be read")
	}
	config.ConnectTimeout = postgresConnect
	config.DialFunc = (&net.Dialer{Timeout: postgresConnect, KeepAlive: 15 * time.Second}).DialContext
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	for name, value := range map[string]string{
		"application_name":                    "earshot " + purpose,
		"statement_timeout":                   milliseconds(postgresStatement),
		"lock_timeout":                        milliseconds(postgresLock),
		"idle_in_transaction_session_timeout": milliseconds(postgresIdle),
		"jit":                                 "off", // for statements of milliseconds it is a loss
	} {
		config.RuntimeParams[name] = value
	}
	for name, value := range settings {
		config.RuntimeParams[name] = value
	}
	return config, nil
}

func openPostgres(config *pgx.ConnConfig, connections int) (*gorm.DB, error) {
	pool := stdlib.OpenDB(*config)
	db, err := openWith(postgres.New(postgres.Config{Conn: pool}), connections)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	pool.SetConnMaxLifetime(postgresLifetime)
	return db, nil
}

// openPostgresReaders opens connections that cannot write.
func openPostgresReaders(address string) (*gorm.DB, error) {
	config, err := postgresConfig(address, "reader", map[string]string{"default_transaction_read_only": "on"})
	if err != nil {
		return nil, err
	}
	return openPostgres(config, max(16, 4*runtime.NumCPU())) // most of the time they wait for the network
}

// connectPostgres opens a pool of one connection, and says in one line what is in
// the way of it and what to do.
func connectPostgres(ctx context.Context, address, purpose string, settings map[string]string) (*sql.DB, error) {
	config, err := postgresConfig(address, purpose, settings)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	ctx, cancel := context.WithTimeout(ctx, 2*postgresConnect)
	defer cancel()
	err = pool.PingContext(ctx)
	if err == nil {
		err = checkServer(ctx, pool, oldestPostgres)
	} else {
		err = explainConnect(config, err)
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}

// explainConnect tells the operator what to do.
func explainConnect(config *pgx.ConnConfig, err error) error {
	server := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		server = config.Host
	}
	switch postgresCode(err) {
	case "28P01", "28000":
		return fmt.Errorf("PostgreSQL at %s does not let %q in: check the user and the password in EARSHOT_DATABASE_URL, and the server's pg_hba.conf", server, config.User)
	case "3D000":
		return fmt.Errorf("PostgreSQL at %s has no database %q: create it (createdb -E UTF8 %s) or correct EARSHOT_DATABASE_URL", server, config.Database, config.Database)
	case "42501":
		return fmt.Errorf("PostgreSQL at %s does not let %q connect to the database %q: GRANT CONNECT on it", server, config.User, config.Database)
	case "53300":
		return fmt.Errorf("PostgreSQL at %s has no connection left: raise its max_connections, or run fewer nodes", server)
	case "57P03":
		return fmt.Errorf("PostgreSQL at %s is starting up or shutting down: try again in a moment", server)
	case "":
		return fmt.Errorf("PostgreSQL at %s cannot be reached: check the host and the port in EARSHOT_DATABASE_URL, and that the server runs there (%w)", server, lastCause(err))
	}
	return fmt.Errorf("connect to PostgreSQL at %s: %w", server, err)
}

// lastCause is an error without what wraps it: the driver's own words have a line for
// each address that it tried.
func lastCause(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 0 {
		return lastCause(several.Unwrap()[0])
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
	var standby bool
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('server_encoding'), coalesce(current_schema(), ''), pg_is_in_recovery()`).Scan(&version, &name, &encoding, &schema, &standby)
	switch {
	case err != nil:
		return fmt.Errorf("ask PostgreSQL for its version: %w", err)
	case version < oldest:
		return fmt.Errorf("PostgreSQL %s is too old: Earshot needs %d or newer", name, oldest/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database is encoded as %s: create it anew with ENCODING 'UTF8'", encoding)
	case standby:
		return errors.New("this PostgreSQL server is a standby, which cannot be written to: name the primary in EARSHOT_DATABASE_URL")
	case schema == "":
		return errors.New("the database has no schema for our tables: create one that is in the user's search_path, such as public")
	}
	return nil
}
