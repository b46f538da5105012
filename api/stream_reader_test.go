package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/api/apitest"
)

// serverEvent is one block of a stream.
type serverEvent struct {
	id, name, data, retry string
	comment               bool
}

// streamReader is a client's side of a stream.
type streamReader struct {
	t      *testing.T
	answer *http.Response
	lines  *bufio.Scanner
}

func openStream(t *testing.T, client *apitest.Client, project api.Project, query string, headers ...string) *streamReader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, client.URL+"/api/v1/projects/"+string(project.ID)+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+client.Token)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &streamReader{t, answer, lines}
}

func (r *streamReader) next() (e serverEvent, err error) {
	for r.lines.Scan() {
		name, value, _ := strings.Cut(r.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case r.lines.Text() == "":
			return e, nil
		case name == "":
			e.comment = true
		case name == "id":
			e.id = value
		case name == "event":
			e.name = value
		case name == "data":
			e.data += value
		case name == "retry":
			e.retry = value
		default:
			r.t.Errorf("unknown line %q", r.lines.Text())
		}
	}
	if err := r.lines.Err(); err != nil {
		return e, err
	}
	return e, io.EOF
}

// event reads the next event, past comments and retry.
func (r *streamReader) event() (serverEvent, error) {
	for {
		if e, err := r.next(); err != nil || e.name != "" {
			return e, err
		}
	}
}

func (r *streamReader) want(name, id string) serverEvent {
	r.t.Helper()
	e, err := r.event()
	if err != nil || e.name != name || e.id != id {
		r.t.Fatalf("got %+v (%v), want %s with id %q", e, err, name, id)
	}
	return e
}

// wantEnd expects the stream to end as a stream should, soon.
func (r *streamReader) wantEnd(within time.Duration) {
	r.t.Helper()
	began := time.Now()
	if e, err := r.event(); !errors.Is(err, io.EOF) {
		r.t.Fatalf("got %+v (%v), want the end", e, err)
	}
	if took := time.Since(began); took > within {
		r.t.Errorf("the stream ended after %v, want at most %v", took, within)
	}
}
