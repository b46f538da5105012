package operator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"earshot/models/backup"
	"earshot/models/blob"
)

// checkBackups looks at what the server's own backups have come to.
func (d Doctor) checkBackups(ctx context.Context) []Finding {
	const check = "backups"
	if d.Database != "" {
		if d.Stores.Backups != nil {
			return []Finding{bad(check, "EARSHOT_BACKUP_URL is for a data folder", "unset it, and back PostgreSQL up with pg_dump or its archive")}
		}
		return []Finding{{check, Skipped, "PostgreSQL's are its own", ""}}
	}
	at := d.Stores.Backups
	if at == nil {
		return []Finding{warn(check, "the server makes none by itself", "set EARSHOT_BACKUP_URL to a folder on another disk or a bucket, or run earshot backup FILE by the clock")}
	}
	if at.Folder != "" { // a look at one that is not there finds it empty
		if _, err := os.Stat(at.Folder); errors.Is(err, os.ErrNotExist) {
			return []Finding{warn(check, at.Folder+" is not there yet", "the server makes it when it starts")}
		} else if err != nil {
			return []Finding{bad(check, err.Error(), "see EARSHOT_BACKUP_URL")}
		}
	}
	to, err := blob.Look(*at, d.Stores.Credentials)
	if err != nil {
		return []Finding{bad(check, err.Error(), "see EARSHOT_BACKUP_URL")}
	}
	newest, made, err := backup.Newest(ctx, to)
	if err != nil {
		return []Finding{bad(check, fmt.Sprintf("%v: %v", at, err), "see that the account that runs Earshot may list, read, write and delete there")}
	}
	var findings []Finding
	switch age := d.Now().Sub(made); {
	case made.IsZero():
		findings = append(findings, warn(check, fmt.Sprintf("there is none in %v yet", at), "the server makes the first one when it starts"))
	case age > 2*d.Stores.Every:
		findings = append(findings, bad(check, fmt.Sprintf("the newest in %v is %v old, and one is due every %v", at, age.Round(time.Minute), d.Stores.Every),
			`look for "backup" in the server's log`))
	default:
		findings = append(findings, ok(check, "%s in %v, %.1f MiB, %v old", newest.Name, at, float64(newest.Size)/(1<<20), age.Round(time.Minute)))
	}
	if d.Stores.Passphrase == "" {
		findings = append(findings, warn(check, "the secret is in none of them", "set EARSHOT_BACKUP_PASSPHRASE, or keep the secret somewhere else: a database is of no use without it"))
	}
	return findings
}
