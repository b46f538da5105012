package api

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/api/operator"
	"earshot/models"
	"earshot/models/metrics"
)

// missingLocal marks a request for which the route table has nothing.
const missingLocal = "earshot.missing"

// countRequest names the route and never the address, which may hold a receipt, and
// of which there is no end.
func (s *Server) countRequest(c *fiber.Ctx, began time.Time) {
	s.metrics.HTTP.InFlight.Dec()
	s.metrics.HTTP.Answered(knownMethod(c), routeOf(c), c.Response().StatusCode(), time.Since(began).Seconds())
}

// routeOf is the pattern of the route that answered.
func routeOf(c *fiber.Ctx) string {
	if c.Locals(missingLocal) != nil {
		return metrics.NoRoute
	}
	return c.Route().Path
}

// getMetrics is for owners and for API keys with the scope, of the organisation that
// was there first: it is whose server this is. On the private address nobody is
// asked.
func (s *Server) getMetrics(c *fiber.Ctx) error {
	who, err := s.admit(c, operation{scope: models.ScopeMetricsRead})
	if err != nil {
		return err
	}
	if who.claims.Key == nil && who.claims.Role != models.RoleOwner {
		return errRole()
	}
	first, err := s.store.FirstOrganization(c.UserContext())
	if err != nil {
		return err
	}
	if who.claims.Scope.Organization() != first {
		return models.Errorf(models.CodeForbidden, "these are the figures of the whole server: they are for the organisation that runs it")
	}
	var text bytes.Buffer
	if err := s.metrics.Write(&text); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, metrics.ContentType)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(text.Bytes())
}

// WriteMetrics writes what the private address shows.
func (s *Server) WriteMetrics(w io.Writer) error { return s.metrics.Write(w) }

// measureTimeout bounds what a look at the database may take of a scrape.
const measureTimeout = 2 * time.Second

// measure adds what is only known at the moment when somebody asks. What cannot be
// said then is left as NaN, which no alert takes for a zero.
func (s *Server) measure() {
	m := s.metrics
	m.Gauge("ready", "1 where requests should be sent here, as /readyz says.", func() float64 {
		if len(s.unready(context.Background())) > 0 {
			return 0
		}
		return 1
	})
	m.Gauge("write_queue_length", "Writes that wait for the store's writer.", func() float64 {
		waiting, _ := s.store.QueuedWrites()
		return float64(waiting)
	})
	m.Gauge("write_queue_limit", "The most that wait; then writes are refused.", func() float64 {
		_, limit := s.store.QueuedWrites()
		return float64(limit)
	})
	m.Gauge("jobs_open", "Exports and imports that wait or run.", s.counted(s.store.OpenJobs))
	m.Gauge("mails_waiting", "Mails that wait to be sent.", s.counted(func(ctx context.Context) (int64, error) {
		waiting, _, err := s.store.MailCounts(ctx)
		return waiting, err
	}))
	m.Gauge("backup_interval_seconds", "The time from one of the server's own backups to the next; 0 where it makes none.", func() float64 {
		if s.backups == nil {
			return 0
		}
		return s.config.Backups.Every.Seconds()
	})
	m.Gauge("backup_last_success_timestamp_seconds", "When the newest of them was made, in Unix time; 0 where there is none.", func() float64 {
		if s.backups == nil || s.backups.Last().IsZero() {
			return 0
		}
		return float64(s.backups.Last().Unix())
	})
	m.Gauge("backup_failures", "How many attempts at one have failed since the start.", func() float64 {
		if s.backups == nil {
			return 0
		}
		return float64(s.backups.Failed())
	})
	m.Gauge("nats_connected", "1 where this server is connected to NATS; NaN, and without a meaning, where EARSHOT_NATS_URL is not set.", func() float64 {
		node := s.cluster.Load()
		switch {
		case node == nil:
			return math.NaN()
		case node.Connected():
			return 1
		}
		return 0
	})
	m.Gauge("streams_open", "Server-sent streams that are open.", func() float64 { return float64(s.streams.count()) })
	m.Gauge("disk_free_bytes", "Room on the disk of the data folder.", func() float64 {
		free, err := operator.FreeBytes(s.config.DataDir)
		if err != nil {
			return math.NaN()
		}
		return float64(free)
	})
	const what = "Size of the database's files."
	if s.config.Database != "" { // its files are its server's, which knows their size
		m.Gauge("database_bytes", what, s.counted(s.store.DatabaseBytes), metrics.Label{Name: "file", Value: "database"})
		return
	}
	for name, path := range map[string]string{"database": "", "log": "-wal", "search": "-search"} {
		m.Gauge("database_bytes", what, func() float64 {
			info, err := os.Stat(s.data().Path() + path)
			if err != nil {
				return math.NaN()
			}
			return float64(info.Size())
		}, metrics.Label{Name: "file", Value: name})
	}
}

func (s *Server) counted(count func(context.Context) (int64, error)) func() float64 {
	return func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), measureTimeout)
		defer cancel()
		n, err := count(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	}
}
