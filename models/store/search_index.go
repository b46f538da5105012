package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"earshot/models"
)

// The search index is a database of its own, beside the one that submissions are
// acknowledged from: a merge of its segments takes up to a tenth of a second, and
// nobody who submits waits for it. All that is in it is in the other one too, so
// it is neither synced at each commit nor backed up, and one that is missing,
// broken, or of another database is built anew.
type searchIndex struct {
	db *sql.DB // one connection
}

const (
	// searchVersion changes with what is indexed, and how.
	searchVersion = 2
	// searchSchema is how an index begins. Progress says of which database's
	// feedback it has everything up to the number n.
	//
	// Hits are kept the newest first, and a search that is bounded reads no others. So
	// are those of short beginnings of words, which many words have. The texts are in
	// a table of ours: of its own SQLite would read all hits of a word to see whether
	// it was cheaper to read the texts.
	//
	// Beside the words there is what submissions bring along and nobody changes, and
	// which of the two lists they are in: lists are narrowed down by it, and in the
	// other database each would cost every submission a write.
	searchSchema = `DROP TABLE IF EXISTS feedback_search;
		DROP TABLE IF EXISTS progress;
		DROP TABLE IF EXISTS words;
		DROP TABLE IF EXISTS items;
		CREATE TABLE words (
			n INTEGER PRIMARY KEY, project TEXT NOT NULL, message TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, page_url TEXT NOT NULL
		);
		CREATE VIRTUAL TABLE feedback_search USING fts4 (
			content=words, project, message, name, email, page_url,
			order=desc, prefix="1,2,3,4,5", tokenize=unicode61 "remove_diacritics=2"
		);
		CREATE TABLE items (
			n INTEGER PRIMARY KEY, project TEXT NOT NULL, quarantined INTEGER NOT NULL, kind TEXT NOT NULL, page INTEGER NOT NULL, created_at INTEGER NOT NULL
		);
		CREATE INDEX items_by_kind ON items (project, quarantined, kind, created_at) WHERE kind <> '';
		CREATE INDEX items_by_page ON items (project, quarantined, page, created_at);
		CREATE TABLE progress (version INTEGER NOT NULL, epoch TEXT NOT NULL, n INTEGER NOT NULL)`
)

func searchPath(database string) string { return database + "-search" }

// openSearchIndex opens the index beside the database at path, or begins one.
func openSearchIndex(ctx context.Context, path string) (*searchIndex, error) {
	path = searchPath(path)
	index, err := tryOpenSearchIndex(ctx, path)
	if err == nil {
		return index, nil
	}
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("begin the search index anew: %w", err)
		}
	}
	if index, err = tryOpenSearchIndex(ctx, path); err != nil {
		return nil, fmt.Errorf("open the search index: %w", err)
	}
	return index, nil
}

func tryOpenSearchIndex(ctx context.Context, path string) (*searchIndex, error) {
	// SQLite would let others read a file that it makes.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own folder
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", "file:"+escapePath(path)+
		"?_journal_mode=WAL&_synchronous=NORMAL&_txlock=immediate&_secure_delete=on&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	index := &searchIndex{db: db}
	var version int
	err = db.QueryRowContext(ctx, "SELECT version FROM progress").Scan(&version)
	if err != nil || version != searchVersion {
		err = index.begin(ctx, "")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return index, nil
}

// begin empties the index.
func (x *searchIndex) begin(ctx context.Context, epoch models.Epoch) error {
	return x.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, searchSchema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO progress (version, epoch, n) VALUES (?, ?, 0)", searchVersion, epoch)
		return err
	})
}

// follow makes the index that of a database whose last item has the number last.
func (x *searchIndex) follow(ctx context.Context, epoch models.Epoch, last int64) error {
	var n int64
	var of models.Epoch
	if err := x.db.QueryRowContext(ctx, "SELECT epoch, n FROM progress").Scan(&of, &n); err != nil {
		return err
	}
	if of == epoch && n <= last {
		return nil
	}
	return x.begin(ctx, epoch)
}

func (x *searchIndex) progress(ctx context.Context) (n int64, err error) {
	err = x.db.QueryRowContext(ctx, "SELECT n FROM progress").Scan(&n)
	return n, err
}

// add takes in the items that rows are, and notes that all up to n are in.
func (x *searchIndex) add(ctx context.Context, rows []feedbackRow, n int64) error {
	return x.transact(ctx, func(tx *sql.Tx) error {
		texts, err := tx.PrepareContext(ctx, "INSERT INTO words (n, project, message, name, email, page_url) VALUES (?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = texts.Close() }()
		index, err := tx.PrepareContext(ctx, "INSERT INTO feedback_search (docid, project, message, name, email, page_url) VALUES (?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = index.Close() }()
		items, err := tx.PrepareContext(ctx, "INSERT INTO items (n, project, quarantined, kind, page, created_at) VALUES (?, ?, ?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer func() { _ = items.Close() }()
		for _, row := range rows {
			texted := []any{row.N, projectToken(row.ProjectID), segment(row.Message), segment(row.Name), row.Email, row.PageURL}
			for _, insert := range []*sql.Stmt{texts, index} {
				if _, err := insert.ExecContext(ctx, texted...); err != nil {
					return err
				}
			}
			_, err := items.ExecContext(ctx, row.N, row.ProjectID, row.Quarantined, row.Kind, pageHash(row.PageURL), row.CreatedAt)
			if err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE progress SET n = ?", n)
		return err
	})
}

// move notes which of the two lists items are in now.
func (x *searchIndex) move(ctx context.Context, rows []feedbackRow) error {
	return x.transact(ctx, func(tx *sql.Tx) error {
		for _, row := range rows {
			if _, err := tx.ExecContext(ctx, "UPDATE items SET quarantined = ? WHERE n = ?", row.Quarantined, row.N); err != nil {
				return err
			}
		}
		return nil
	})
}

// remove takes items out. Their words are still in its file afterwards, until
// purge was called.
func (x *searchIndex) remove(ctx context.Context, numbers []int64) error {
	return x.transact(ctx, func(tx *sql.Tx) error {
		for _, n := range numbers {
			// The index first: it asks the texts for the words.
			for _, remove := range []string{"DELETE FROM feedback_search WHERE docid = ?", "DELETE FROM words WHERE n = ?", "DELETE FROM items WHERE n = ?"} {
				if _, err := tx.ExecContext(ctx, remove, n); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// purge writes the index anew without the words of what was removed: a removal
// only marks them in its segments. Then the write-ahead log is emptied, which
// has the pages as they were.
func (x *searchIndex) purge(ctx context.Context) error {
	if _, err := x.db.ExecContext(ctx, "INSERT INTO feedback_search (feedback_search) VALUES ('optimize')"); err != nil {
		return err
	}
	conn, err := x.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	state, err := runCheckpoint(ctx, conn, checkpointTruncate)
	if err == nil && state.busy {
		err = errors.New("somebody reads the search index all the time")
	}
	return err
}

func (x *searchIndex) transact(ctx context.Context, apply func(*sql.Tx) error) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := apply(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (x *searchIndex) close() error { return x.db.Close() }

// pageHash stands for an address: 64 bits of its SHA-256, which no two pages of a
// project share by chance.
func pageHash(url string) int64 {
	sum := sha256.Sum256([]byte(url))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // the bits are what counts
}
