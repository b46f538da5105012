package store

import (
	"errors"
	"log/slog"
	"testing"
)

// A database is one secret's until somebody says otherwise.
func TestDatabaseBelongsToASecret(t *testing.T) {
	t.Parallel()
	path := newDatabase(t)
	start := func(key string, adopt bool) error {
		t.Helper()
		s, err := Open(t.Context(), Options{Path: path, Log: slog.New(slog.DiscardHandler), AuditKey: []byte(key), AdoptSecret: adopt})
		if err == nil {
			closeStore(t, s)
		}
		return err
	}
	for i, step := range []struct {
		key   string
		adopt bool
		want  error
	}{
		{"one", false, nil},
		{"one", false, nil},
		{"other", false, ErrOtherSecret},
		{"one", false, nil},
		{"other", true, nil},
		{"one", false, ErrOtherSecret},
		{"other", false, nil},
		{"other", true, nil},
	} {
		if err := start(step.key, step.adopt); !errors.Is(err, step.want) || (err != nil) != (step.want != nil) {
			t.Errorf("step %d, secret %q, adopted %v: %v, want %v", i, step.key, step.adopt, err, step.want)
		}
	}
	if onPostgres {
		return
	}
	if err := ForgetSecret(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := start("one", false); err != nil {
		t.Errorf("a database that was taken from its secret is refused: %v", err)
	}
}
