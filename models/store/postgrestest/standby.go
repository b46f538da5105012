//go:build unix

package postgrestest

import (
	"errors"
	"os"
	"path/filepath"
)

// Demote starts the server anew as a standby: it answers, and takes no writes until
// Promote.
func (s *Server) Demote() error {
	if err := s.Stop(); err != nil {
		return err
	}
	// https://www.postgresql.org/docs/current/warm-standby.html#STANDBY-SERVER-OPERATION
	return errors.Join(os.WriteFile(filepath.Join(s.data(), "standby.signal"), nil, 0o600), s.Run())
}

// Promote has a standby take over.
func (s *Server) Promote() error { return s.Exec("postgres", "SELECT pg_promote()") }
