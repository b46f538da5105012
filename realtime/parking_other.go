//go:build !linux

package realtime

import (
	"errors"
	"log/slog"
)

// parking is there only where one goroutine can wait for many connections; here
// every socket keeps its reader.
type parking struct{}

func startParking(*slog.Logger) *parking { return nil }

func (*parking) stop() {}

func (*parking) wait(*conn) error { return errors.ErrUnsupported }

func (*parking) forget(*conn) {}
