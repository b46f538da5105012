// Package blob keeps contents under names: in a folder, or in a bucket of a store that
// speaks S3. It is no library over many kinds of stores: the one that was tried took
// 9 MiB of memory at the start, and left syncing to the system.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"earshot/models"
)

// Store keeps contents. Every call ends within a time of its own, whatever the context
// says. What cannot be done for now is CodeUnavailable, what has no room
// CodeStorageFull; both wrap the cause.
type Store interface {
	// Put keeps size bytes of content under a name: it returns once all of it is
	// there for good, or nothing. What was there under the name is replaced.
	Put(ctx context.Context, name string, content io.Reader, size int64) error
	// Open reads what is under a name; CodeNotFound where there is nothing. The
	// caller closes it.
	Open(ctx context.Context, name string) (*Content, error)
	// Delete is no error where there is nothing.
	Delete(ctx context.Context, name string) error
	// List gives what is in a folder ("attachments"; "" for what is in none), but not
	// in folders in it, in no order.
	List(ctx context.Context, folder string) iter.Seq2[Entry, error]
}

// Content is what is under a name.
type Content struct {
	io.ReadCloser
	Size int64
}

// Entry says what is under a name.
type Entry struct {
	Name     string
	Size     int64
	Modified time.Time
}

// namePattern is what a name may be: ours, and safe as a path and in an address.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

// ValidName reports whether something can be kept under a name.
func ValidName(name string) bool {
	return len(name) <= 512 && namePattern.MatchString(name) && !strings.HasSuffix(name, half)
}

func checkName(name string) error {
	if !ValidName(name) {
		return fmt.Errorf("%q cannot be the name of a content", name)
	}
	return nil
}

// Credentials are for a store that asks for them. Region is that of buckets whose
// address names none.
type Credentials struct{ AccessKey, SecretKey, SessionToken, Region string }

// Location says where contents are kept.
type Location struct {
	Folder string  // of the file system; "" for a bucket
	Bucket *Bucket // nil for a folder
}

// Bucket is one of a store that speaks S3.
type Bucket struct {
	Name string
	// Prefix stands before all names; "" or with a slash behind it.
	Prefix string
	// Endpoint is host and port; Plain speaks HTTP with it, without encryption.
	Endpoint string
	Plain    bool
	Region   string // "" for the credentials' or, without one there, Amazon's default
}

const (
	amazon        = "s3.amazonaws.com"
	defaultRegion = "us-east-1"
)

// String is the location as it may be shown: there is no secret in it.
func (l Location) String() string {
	if l.Bucket == nil {
		return "file://" + filepath.ToSlash(l.Folder)
	}
	return "s3://" + path.Join(l.Bucket.Name, l.Bucket.Prefix)
}

// Parse reads an address: file:///var/lib/earshot, or
// s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1.
func Parse(raw string) (Location, error) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Fragment != "" {
		return Location{}, errors.New("must be file:///folder or s3://bucket, without credentials")
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" || !filepath.IsAbs(u.Path) || u.RawQuery != "" {
			return Location{}, errors.New("must name a folder from the root on, such as file:///var/lib/earshot")
		}
		return Location{Folder: filepath.Clean(u.Path)}, nil
	case "s3":
		return parseBucket(u)
	}
	return Location{}, errors.New("must begin with file:// or s3://")
}

func parseBucket(u *url.URL) (Location, error) {
	b := &Bucket{Name: u.Host, Endpoint: amazon}
	if b.Name == "" || u.Port() != "" {
		return Location{}, errors.New("must name a bucket, such as s3://feedback")
	}
	if b.Prefix = strings.Trim(u.Path, "/"); b.Prefix != "" {
		if !ValidName(b.Prefix) {
			return Location{}, errors.New("has a prefix that is not made of letters, digits, '.', '_', '-' and '/'")
		}
		b.Prefix += "/"
	}
	for name, values := range u.Query() {
		value := values[len(values)-1]
		switch name {
		case "endpoint":
			if err := b.setEndpoint(value); err != nil {
				return Location{}, err
			}
		case "region":
			b.Region = value
		default:
			return Location{}, fmt.Errorf("has %s in its query: only endpoint and region are known", name)
		}
	}
	return Location{Bucket: b}, nil
}

func (b *Bucket) setEndpoint(value string) error {
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("has an endpoint that is not an address such as https://s3.example.com")
	}
	b.Endpoint, b.Plain = u.Host, u.Scheme == "http"
	return nil
}

// Open opens a store. Nothing is asked of a bucket yet: one that is away for a while
// does not keep a server from starting.
func Open(at Location, credentials Credentials) (Store, error) {
	if at.Bucket == nil {
		return openFolder(at.Folder)
	}
	return openBucket(*at.Bucket, credentials, patience{answer: 10 * time.Second, pause: 30 * time.Second, put: time.Minute})
}

// Look is Open for who only looks: nothing is made, and nothing is tidied up on the way.
func Look(at Location, credentials Credentials) (Store, error) {
	if at.Bucket == nil {
		return folder{root: at.Folder, untouched: true}, nil
	}
	return Open(at, credentials)
}

// failed says for clients that a store did not do its work, and for the log why.
func failed(operation string, cause error) error {
	return fmt.Errorf("%w: %s: %w", models.Errorf(models.CodeUnavailable, "the files cannot be reached at the moment; try again"), operation, cause)
}
