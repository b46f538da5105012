package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	// readOnly is the setting of a session that cannot write.
	readOnly = "default_transaction_read_only"
	// oldestPostgres is the oldest server that is supported, as it numbers itself.
	oldestPostgres = 140000
)

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
	if settings[readOnly] == "on" && strings.Contains(address, "target_session_attrs=read-write") {
		// Of our own doing the session is none that writes.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	return config, nil
}

func openPostgres(config *pgx.ConnConfig, connections int) (*gorm.DB, error) {
	pool := stdlib.OpenDB(*config)
	db, err := openWith(postgres.New(postgres.Config{Conn: pool}), connections)
	if err != nil {
		return nil, errors.Join(explainConnect(config, err), pool.Close())
	}
	pool.SetConnMaxLifetime(postgresLifetime)
	return db, nil
}

// postgresReaders is how many connections read: most of the time they wait for the
// network.
func postgresReaders() int { return max(16, 4*runtime.NumCPU()) }

// postgresConnections is how many a server has in all: to read, to write, and for the
// search index.
func postgresConnections() int { return postgresReaders() + 2 }

// openPostgresReaders opens connections that cannot write.
func openPostgresReaders(address string) (*gorm.DB, error) {
	config, err := postgresConfig(address, "reader", map[string]string{readOnly: "on"})
	if err != nil {
		return nil, err
	}
	return openPostgres(config, postgresReaders())
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
