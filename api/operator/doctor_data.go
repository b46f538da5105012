package operator

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// The room on the disk that the doctor finds too little, and little.
const (
	tooLittleRoom = 64 << 20
	littleRoom    = 1 << 30
)

func (d Doctor) checkSettings() (findings []Finding) {
	const check = "settings"
	for _, problem := range d.Problems {
		findings = append(findings, bad(check, problem.Error(), "change it; the others were looked at all the same"))
	}
	if len(findings) == 0 {
		findings = append(findings, ok(check, "all are valid"))
	}
	if d.Config.Unlimited {
		findings = append(findings, warn(check, "EARSHOT_LIMITS=off: nobody is limited in anything", "unset it, unless this is a load test"))
	}
	base, err := url.Parse(d.Config.BaseURL)
	if err == nil && base.Scheme == "http" && !isLoopbackName(base.Hostname()) {
		findings = append(findings, warn(check, "EARSHOT_BASE_URL is http: passwords and feedback travel in the clear",
			"put a proxy with TLS in front (earshot print caddy) and set the https address"))
	}
	return findings
}

func (d Doctor) checkFolder(context.Context) (findings []Finding) {
	const check = "data folder"
	info, err := os.Stat(d.Dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return []Finding{warn(check, d.Dir+" is not there yet", "the first start makes it; if there was one, set EARSHOT_DATA")}
	case err != nil:
		return []Finding{bad(check, err.Error(), "give the account that runs Earshot access to it")}
	case !info.IsDir():
		return []Finding{bad(check, d.Dir+" is not a folder", "set EARSHOT_DATA to one")}
	}
	if mode := info.Mode().Perm(); mode&^dirMode != 0 {
		findings = append(findings, warn(check, fmt.Sprintf("others can look into %s (mode %04o)", d.Dir, mode), "chmod 700 "+d.Dir))
	}
	if err := d.readable(); err != nil {
		return []Finding{bad(check, err.Error(), asItsAccount)}
	}
	for _, name := range []string{databaseFile, secretFile} {
		file, err := os.Stat(filepath.Join(d.Dir, name))
		if err == nil && file.Mode().Perm()&^fileMode != 0 {
			findings = append(findings, bad(check, fmt.Sprintf("others can read %s (mode %04o)", name, file.Mode().Perm()), "chmod 600 "+filepath.Join(d.Dir, name)))
		}
	}
	if err := writable(d.Dir); err != nil {
		findings = append(findings, bad(check, "cannot be written to: "+err.Error(), "run as the account that owns it, or chown it to that"))
	}
	if len(findings) == 0 {
		findings = append(findings, ok(check, "%s is ours alone and can be written to", d.Dir))
	}
	return append(findings, d.checkRoom())
}

// writable tries it, and leaves nothing behind.
func writable(folder string) error {
	probe, err := os.CreateTemp(folder, ".write-test-*")
	if err != nil {
		return errors.Unwrap(err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (d Doctor) checkRoom() Finding {
	const check = "disk"
	free, err := FreeBytes(d.Dir)
	if err != nil {
		return skip(check, "its room is not known here: "+err.Error())
	}
	found := fmt.Sprintf("%.1f GiB are free", float64(free)/(1<<30))
	switch {
	case free < tooLittleRoom:
		return bad(check, found, "make room: without it nothing is taken in")
	case free < littleRoom:
		return warn(check, found, "make room, or watch it (earshot print alerts)")
	}
	return ok(check, "%s", found)
}

// knownSecret is the secret, without making one.
func (d Doctor) knownSecret() ([]byte, error) {
	if d.Configured == "" {
		if _, err := os.Stat(filepath.Join(d.Dir, secretFile)); err != nil {
			return nil, err
		}
	}
	return d.Secret()
}

func (d Doctor) checkSecret(context.Context) []Finding {
	const check = "secret"
	secret, err := d.knownSecret()
	switch {
	case errors.Is(err, os.ErrNotExist) && store.Exists(d.Path()):
		return []Finding{bad(check, "there is a database and not its secret", "restore the file secret from a backup: with a new one sessions, receipts and second factors end")}
	case errors.Is(err, os.ErrNotExist):
		return []Finding{ok(check, "the first start makes one")}
	case errors.Is(err, os.ErrPermission):
		return []Finding{bad(check, d.mayNotRead().Error(), asItsAccount)}
	case err != nil:
		return []Finding{bad(check, err.Error(), "restore it from a backup")}
	case strings.Count(string(secret), string(secret[:1])) == len(secret):
		return []Finding{bad(check, "is one character over and over", "set one that was made at random, such as by openssl rand -base64 32")}
	}
	from := "in the data folder: keep a copy elsewhere"
	if d.Configured != "" {
		from = "from the settings"
	}
	return []Finding{ok(check, "%d characters, %s", len(secret), from)}
}

// clockTolerance is what clocks may be apart without anybody being told.
const clockTolerance = 30 * time.Second

func (d Doctor) checkDatabase(ctx context.Context) []Finding {
	const check, clock = "database", "clock"
	if err := d.readable(); err != nil && d.Database == "" {
		return []Finding{bad(check, err.Error(), asItsAccount), d.checkClock(clock, time.Time{})}
	}
	if !store.Exists(d.Path()) {
		return []Finding{skip(check, "there is none yet: the first start makes it"), d.checkClock(clock, time.Time{})}
	}
	found, err := store.Inspect(ctx, d.Path())
	if err != nil {
		return []Finding{bad(check, err.Error(), d.databaseAdvice())}
	}
	if len(found.Damage) > 0 {
		return []Finding{bad(check, "is damaged: "+strings.Join(found.Damage, "; "), "stop the server, keep a copy of the folder, and restore the newest backup")}
	}
	findings := []Finding{ok(check, "its pages are whole")}
	if d.Database != "" {
		findings[0] = ok(check, "%s lets us in", store.PostgresName(d.Database))
	}
	findings = append(findings, d.checkSchema(ctx, check, found))
	findings = append(findings, d.checkWhoseSecret(check, found)...)
	if found.Durable != nil {
		findings = append(findings, bad(check, found.Durable.Error(), "have it sync what it commits: on a local disk, with fsync and full_page_writes on"))
	} else {
		findings = append(findings, ok(check, "commits are synced before they are acknowledged"))
	}
	for _, limit := range found.LowLimits {
		findings = append(findings, warn(check, fmt.Sprintf("%s lets in %d connections, and a server needs %d", limit.Of, limit.Allows, limit.Needs),
			"raise it, for each server: under load the database is not available"))
	}
	if skew := found.Now.Sub(d.Now()); !found.Now.IsZero() && skew.Abs() > clockTolerance {
		findings = append(findings, warn(clock, fmt.Sprintf("the database's is apart from ours by %v", skew.Round(time.Second)), "have both kept (timedatectl set-ntp true)"))
	}
	return append(findings, d.checkClock(clock, found.LastChange))
}

// checkWhoseSecret finds nothing where there is no secret, of which checkSecret has told.
func (d Doctor) checkWhoseSecret(check string, found store.Inspection) []Finding {
	secret, err := d.knownSecret()
	if err != nil {
		return nil
	}
	key, err := models.DeriveKey(secret, AuditUse)
	if err != nil || !found.IsOfAnother(key) {
		return nil
	}
	return []Finding{bad(check, "was last used with another secret than the one in "+d.secretPlace()+": the server does not start",
		"give it the one that it had; to go on with this one, which ends sessions, receipts' links and second factors: earshot secret adopt")}
}

// checkSchema wants what the server wants when it starts.
func (d Doctor) checkSchema(ctx context.Context, check string, found store.Inspection) Finding {
	if d.Database != "" { // of a file, the server looks at the version alone
		schema, err := store.OpenSchema(ctx, d.Database) // which reads, and no more
		if err == nil {
			err = schema.Close()
		}
		if err != nil {
			return bad(check, err.Error(), "the server does not start on it as it is")
		}
	}
	versions := fmt.Sprintf("its schema has version %d of %d", found.Version, found.Newest)
	switch {
	case found.Version > found.Newest:
		return bad(check, fmt.Sprintf("its schema has version %d, and this program knows %d", found.Version, found.Newest), "use the newer earshot")
	case found.Version < found.Newest && d.Database == "":
		return warn(check, versions, "the next start brings it up to date, after a copy")
	case found.Version == 0:
		return skip(check, "has no tables yet: the first start makes them")
	case found.Version < found.Newest:
		return warn(check, versions, "make a copy with pg_dump --format=custom, for the server makes none of PostgreSQL; then the next start brings it up to date")
	}
	return ok(check, "opens, schema version %d", found.Version)
}

func (d Doctor) databaseAdvice() string {
	if d.Database != "" {
		return "see EARSHOT_DATABASE_URL, and whether the server runs and lets us in"
	}
	return "run as the account that owns it; if it is broken, restore a backup"
}

// earliest is a time before this program was written: a clock that shows an earlier
// one was never set.
var earliest = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (d Doctor) checkClock(check string, lastChange time.Time) Finding {
	now := d.Now()
	ahead := lastChange.Sub(now)
	switch {
	case now.Before(earliest):
		return bad(check, "shows "+now.UTC().Format(time.DateTime)+" UTC", "set it, and have it kept (timedatectl set-ntp true)")
	case ahead > clockTolerance:
		return bad(check, fmt.Sprintf("is behind the last change in the database by %v", ahead.Round(time.Second)), "set it, and have it kept (timedatectl set-ntp true)")
	}
	return ok(check, "%s UTC", now.UTC().Format(time.DateTime))
}
