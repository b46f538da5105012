package postgrestest

import (
	"database/sql"
	"testing"
)

func TestDatabasesAreCopiesOfTheirTemplate(t *testing.T) {
	if wanted, _, err := Wanted(); err != nil {
		t.Fatal(err)
	} else if !wanted {
		t.Skip("there is no PostgreSQL server")
	}
	made := 0
	prepare := func(url string) error {
		made++
		return execute(url, "CREATE TABLE words (word text); INSERT INTO words VALUES ('template')")
	}
	for range 2 {
		url := Database(t, "words", prepare)
		if err := execute(url, "INSERT INTO words VALUES ('test')"); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow("SELECT count(*) FROM words").Scan(&n); err != nil || n != 2 {
			t.Errorf("the database has %d words (%v), want the template's and its own", n, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if made != 1 {
		t.Errorf("the template was made %d times", made)
	}
}

func execute(url, statement string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.Exec(statement)
	return err
}
