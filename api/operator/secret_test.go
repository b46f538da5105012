package operator_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/api/operator"
	"earshot/models/store"
)

// Another secret than before is refused by whatever opens the database, until it is
// adopted.
func TestAnotherSecretIsRefused(t *testing.T) {
	dir := t.TempDir()
	with := func(secret string) operator.Data {
		return operator.Data{Dir: dir, Configured: strings.Repeat(secret, 32), Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
	}
	create := func(secret, email string) error {
		return with(secret).CreateUser(t.Context(), operator.NewUser{Email: email, Role: "owner", Organization: "Shop", Name: "Ann"})
	}
	verify := func(secret string) error { return with(secret).VerifyAudit(t.Context()) }
	for _, step := range []struct {
		what string
		err  error
		want error
	}{
		{"a user by the first secret", create("a", "a@example.com"), nil},
		{"a user by another", create("b", "b@example.com"), store.ErrOtherSecret},
		{"a look at the audit log by another", verify("b"), store.ErrOtherSecret},
		{"a look at it by the first", verify("a"), nil},
		{"the other is adopted", with("b").AdoptSecret(t.Context()), nil},
		{"a look at the audit log by the first", verify("a"), store.ErrOtherSecret},
	} {
		if !errors.Is(step.err, step.want) {
			t.Errorf("%s: %v, want %v", step.what, step.err, step.want)
		}
	}
}

// In the folder of a server on PostgreSQL nobody finds another database for want of
// its address: not an old one, and none is made.
func TestNoDatabaseInTheFolderOfOneElsewhere(t *testing.T) {
	data := operator.Data{Dir: t.TempDir(), Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
	server := data
	server.Database, server.Configured = "postgres://db.example.com/earshot", strings.Repeat("s", 32)
	if err := server.Prepare(); err != nil { // as its start does
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"serve":        data.Prepare(),
		"migrate up":   data.MigrateUp(t.Context()),
		"user create":  data.CreateUser(t.Context(), operator.NewUser{Email: "a@example.com"}),
		"audit verify": data.VerifyAudit(t.Context()),
	} {
		if err == nil || !strings.Contains(err.Error(), "set EARSHOT_DATABASE_URL") || store.Exists(data.Path()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(filepath.Join(data.Dir, "on-postgresql")); err != nil {
		t.Fatal(err)
	}
	if err := data.MigrateUp(t.Context()); err != nil {
		t.Errorf("a folder that is to have its own: %v", err)
	}
}
