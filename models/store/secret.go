package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"gorm.io/gorm/clause"
)

// metaSecret is the note of which secret the database belongs to.
const metaSecret = "secret"

// ErrOtherSecret says that a database was opened with another secret than before. What
// was signed and sealed with the one is worth nothing under the other, and each line of
// the audit log that is written meanwhile breaks its chain for good.
var ErrOtherSecret = errors.New("the database belongs to another secret: give the one that it had, in EARSHOT_SECRET or the file secret of the data folder " +
	"(to go on with this one, which ends sessions, receipts' links and second factors: earshot secret adopt)")

// secretNote is what the note says of a secret: 32 hexadecimal digits, from which
// nobody learns the key.
func secretNote(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("earshot: which secret"))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// IsOfAnother reports whether the database was last used with another secret than the
// one that key is from, so that Open would refuse it with ErrOtherSecret. A database
// without a note is anybody's.
func (i Inspection) IsOfAnother(key []byte) bool {
	return i.secret != "" && i.secret != secretNote(key)
}

// inspectSecret reads the note; "" where there is none.
func inspectSecret(ctx context.Context, db *sql.DB) (note string, err error) {
	err = db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = '"+metaSecret+"'").Scan(&note)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read whose secret the database has: %w", err)
	}
	return note, nil
}

// checkSecret holds a key of the secret against the note, which a new database gets.
func (s *Store) checkSecret(ctx context.Context, key []byte, adopt bool) error {
	if len(key) == 0 {
		return nil
	}
	mine := secretNote(key)
	known, err := s.Meta(ctx, metaSecret)
	if err != nil {
		return fmt.Errorf("read whose secret the database has: %w", err)
	}
	switch {
	case known == mine:
		return nil
	case adopt:
		return s.SetMeta(ctx, metaSecret, mine)
	case known != "":
		return ErrOtherSecret
	}
	err = s.writer.do(ctx, false, func(t *tx) error {
		return t.orm().Clauses(clause.OnConflict{DoNothing: true}).Create(&metaRow{Name: metaSecret, Value: mine}).Error
	})
	if err == nil { // another server may have come first
		known, err = s.Meta(ctx, metaSecret)
	}
	if err != nil {
		return fmt.Errorf("note whose secret the database has: %w", err)
	}
	if known != mine {
		return ErrOtherSecret
	}
	return nil
}

// ForgetSecret has a database in a file belong to the secret that it is next opened
// with. Nobody else may have it open.
func ForgetSecret(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", "file:"+escapePath(path)+"?mode=rw&_synchronous=FULL")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "DELETE FROM meta WHERE name = ?", metaSecret)
	return errors.Join(err, db.Close())
}
