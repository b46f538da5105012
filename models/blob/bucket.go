package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// patience is how long a bucket may take: to the first word of an answer, between two
// pieces of a content, and for sending one, to begin with.
type patience struct{ answer, pause, put time.Duration }

const (
	// slowest is the rate, in bytes a second, below which a Put is given up.
	slowest = 128 << 10
	// partSize is what a large content is sent in at a time, and what one that cannot
	// be read again takes of memory.
	partSize = 16 << 20
	// tries of one request; the pauses between them are the library's.
	tries = 3
	// idleConnections are kept for the next call.
	idleConnections = 16
)

// bucket keeps contents in a store that speaks S3.
type bucket struct {
	core minio.Core
	Bucket
	patience
}

func openBucket(at Bucket, c Credentials, times patience) (Store, error) {
	client, err := minio.New(at.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, c.SessionToken), Secure: !at.Plain, Region: cmp.Or(at.Region, c.Region, defaultRegion),
		MaxRetries: tries, Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: times.answer}).DialContext,
			TLSHandshakeTimeout:   times.answer,
			ResponseHeaderTimeout: times.answer,
			IdleConnTimeout:       time.Minute,
			MaxIdleConnsPerHost:   idleConnections,
			DisableCompression:    true, // sizes are those of the contents
		},
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", at.Name, err)
	}
	return bucket{minio.Core{Client: client}, at, times}, nil
}

func (b bucket) key(name string) string { return b.Prefix + name }

// Put implements Store. A bucket shows a content once all of it is there.
func (b bucket) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	if err := checkName(name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.put+time.Duration(size/slowest)*time.Second)
	defer cancel()
	// The MD5 is signed with the request, so that contents are checked on either kind
	// of connection. Signing every chunk instead is what many stores do not know.
	_, err := b.core.Client.PutObject(ctx, b.Name, b.key(name), content, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partSize, NumThreads: 1, SendContentMd5: true, DisableContentSha256: true,
	})
	if err != nil {
		return failed("keep "+name, err)
	}
	return nil
}

// Open implements Store.
func (b bucket) Open(ctx context.Context, name string) (*Content, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	watch := newWatch(b.pause, cancel)
	body, info, _, err := b.core.GetObject(ctx, b.Name, b.key(name), minio.GetObjectOptions{})
	watch.rest()
	if err != nil {
		defer cancel(nil)
		if isMissing(err) {
			return nil, errNotFound(name)
		}
		return nil, failed("read "+name, cause(ctx, err))
	}
	return &Content{&watched{body, ctx, watch, cancel}, info.Size}, nil
}

// isMissing tells a content that is not there from a bucket that is not.
func isMissing(err error) bool {
	var answer minio.ErrorResponse
	return errors.As(err, &answer) && answer.Code == minio.NoSuchKey
}

// Delete implements Store.
func (b bucket) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.pause)
	defer cancel()
	if err := b.core.RemoveObject(ctx, b.Name, b.key(name), minio.RemoveObjectOptions{}); err != nil && !isMissing(err) {
		return failed("remove "+name, err)
	}
	return nil
}

// List implements Store.
func (b bucket) List(ctx context.Context, of string) iter.Seq2[Entry, error] {
	prefix := b.Prefix
	if of != "" {
		prefix += of + "/"
	}
	return func(yield func(Entry, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		watch := newWatch(b.pause, cancel)
		defer watch.rest()
		for object := range b.core.ListObjectsIter(ctx, b.Name, minio.ListObjectsOptions{Prefix: prefix}) {
			watch.rest() // whoever lists takes the time they need
			if object.Err != nil {
				yield(Entry{}, failed("list "+of, cause(ctx, object.Err)))
				return
			}
			name := strings.TrimPrefix(object.Key, b.Prefix)
			if ValidName(name) && !yield(Entry{name, object.Size, object.LastModified}, nil) {
				return
			}
			watch.begin()
		}
	}
}

// watch ends what takes longer than it may.
type watch struct {
	timer *time.Timer
	each  time.Duration
}

var errSlow = errors.New("there was no answer in time")

// newWatch begins at once.
func newWatch(each time.Duration, cancel context.CancelCauseFunc) watch {
	return watch{time.AfterFunc(each, func() { cancel(errSlow) }), each}
}

func (w watch) begin() { w.timer.Reset(w.each) }
func (w watch) rest()  { w.timer.Stop() }

// cause is why something ended.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return errors.Join(why, err)
	}
	return err
}

// watched is a content on its way.
type watched struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // it is that of the request whose answer this is
	watch  watch
	cancel context.CancelCauseFunc
}

// Read implements io.Reader.
func (w *watched) Read(buf []byte) (int, error) {
	w.watch.begin()
	n, err := w.ReadCloser.Read(buf)
	w.watch.rest()
	if err != nil && err != io.EOF { //nolint:errorlint // it comes as it is
		err = failed("read on", cause(w.ctx, err))
	}
	return n, err
}

// Close implements io.Closer.
func (w *watched) Close() error {
	w.watch.rest()
	w.cancel(nil)
	return w.ReadCloser.Close()
}
