package config

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"earshot/models/blob"
)

// Keeping are the settings of where files and backups are kept.
type Keeping struct {
	BlobURL          string `placeholder:"URL" help:"Where visitors' files, exports and imports are kept: file:///folder, or s3://bucket/prefix?endpoint=https://…&region=… with the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Default: in the data folder."`
	BackupURL        string `placeholder:"URL" help:"Where the server puts a backup again and again, a file:// or s3:// address. Default: nowhere."`
	BackupEvery      string `default:"24h" placeholder:"DURATION" help:"How often it does."`
	BackupKeep       string `default:"7" placeholder:"NUMBER" help:"How many of them stay there."`
	BackupPassphrase string `placeholder:"TEXT" help:"Encrypts the secret in backups, at least 12 characters. Without one it is in none."`
}

// Stores is where files and backups are kept.
type Stores struct {
	Files       blob.Location // zero where they are in the data folder
	Credentials blob.Credentials
	Passphrase  string // "": backups have no secret in them
	// Backups is where they are put, nil for nowhere; the newest Keep of them stay.
	Backups *blob.Location
	Every   time.Duration
	Keep    int
}

const (
	minPassphrase = 12
	// minEvery is a time in which a backup is done, but for the largest databases.
	minEvery = time.Minute
	maxKeep  = 10_000
)

// Stores checks these settings; database is the address of PostgreSQL, "" where the
// data is in the folder. The credentials are read from the variables that all
// programs of this kind read.
func (k Keeping) Stores(getenv func(string) string, database string) (Stores, []error) {
	var problems []error
	bad := func(flag, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %w", EnvName(flag), fmt.Errorf(format, args...)))
	}
	stores := Stores{Passphrase: k.BackupPassphrase, Credentials: blob.Credentials{
		AccessKey: getenv("AWS_ACCESS_KEY_ID"), SecretKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
		Region: getenv("AWS_REGION"),
	}}
	read := func(flag, raw string) *blob.Location {
		if raw == "" {
			return nil
		}
		at, err := blob.Parse(raw)
		if err != nil {
			bad(flag, "%w", err)
		}
		if at.Bucket != nil && (stores.Credentials.AccessKey == "" || stores.Credentials.SecretKey == "") {
			bad(flag, "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
		}
		return &at
	}
	if at := read("blob-url", k.BlobURL); at != nil {
		stores.Files = *at
	}
	if stores.Backups = read("backup-url", k.BackupURL); stores.Backups != nil && database != "" {
		bad("backup-url", "backups are of a data folder; back PostgreSQL up with pg_dump")
	}
	var err error
	if stores.Every, err = time.ParseDuration(k.BackupEvery); err != nil || stores.Every < minEvery {
		bad("backup-every", "must be a duration of a minute or more, such as 24h")
	}
	if stores.Keep, err = strconv.Atoi(k.BackupKeep); err != nil || stores.Keep < 1 || stores.Keep > maxKeep {
		bad("backup-keep", "must be a number from 1 to %d", maxKeep)
	}
	if k.BackupPassphrase != "" && utf8.RuneCountInString(k.BackupPassphrase) < minPassphrase {
		bad("backup-passphrase", "must have at least %d characters", minPassphrase)
	}
	return stores, problems
}
