package api

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"earshot/models/intake"
)

// HurryStreams shortens the times of the streams that are opened from now on.
func (s *Server) HurryStreams(heartbeat, check, patience time.Duration) {
	s.streams.heartbeat, s.streams.check, s.streams.patience = heartbeat, check, patience
}

// HurryAnswers shortens the time that clients get to take an answer in. It is
// to be called before Serve.
func (s *Server) HurryAnswers(d time.Duration) { s.app.Server().WriteTimeout = d }

// OpenStreams counts the streams that have not ended.
func (s *Server) OpenStreams() int {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return len(s.streams.open)
}

// WaitingPolls counts the visitors' polls that wait.
func (s *Server) WaitingPolls() int {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	return s.waiting.all
}

// WaitingStaff counts the staff's polls that wait.
func (s *Server) WaitingStaff() int {
	s.staffWaiting.mu.Lock()
	defer s.staffWaiting.mu.Unlock()
	return s.staffWaiting.all
}

// FailLogins counts n wrong passwords from an address, each for an account of its own.
func (s *Server) FailLogins(ctx context.Context, address netip.Addr, n int) error {
	var failed error
	for range n {
		failed = errors.Join(failed, s.loginAddresses.Take(ctx, intake.AddressKey(address)))
	}
	return failed
}

// LoginsPerAddress is how many wrong passwords a minute one address may send.
const LoginsPerAddress = loginsPerAddress

// HeldPerAddress is how many calls that wait one address may have.
const HeldPerAddress = heldPerAddress

// CountInDatabase counts the files of the data folder that hold a text.
func (s *Server) CountInDatabase(ctx context.Context, text string) (n int) {
	_ = s.store.Ping(ctx)
	files, _ := filepath.Glob(filepath.Join(s.config.DataDir, "*"))
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && bytes.Contains(content, []byte(text)) {
			n++
		}
	}
	return n
}

// OpenUploads counts the uploads whose bodies come.
func (s *Server) OpenUploads() int {
	s.uploads.mu.Lock()
	defer s.uploads.mu.Unlock()
	return len(s.uploads.open)
}

// MetricNames lists all that the server counts, each with its labels.
func (s *Server) MetricNames() map[string][]string { return s.metrics.Names() }
