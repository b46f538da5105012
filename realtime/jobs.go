package realtime

import (
	"context"
	"fmt"

	"earshot/models"
	"earshot/realtime/protocol"
)

// Jobs is where jobs go.
type Jobs interface {
	// RequestJob stores a job and has tell called before anything of it can happen.
	RequestJob(ctx context.Context, scope models.Scope, job models.Job, tell func(models.Job)) (models.Job, error)
	CancelJob(ctx context.Context, scope models.Scope, id models.ID) (models.Job, error)
}

func (d *dashboard) requestJob(e protocol.JobRequested, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), submitTimeout)
	defer cancel()
	claims, err := d.may(ctx, models.Claims.CanExport)
	if err != nil {
		return err
	}
	if e.Kind != models.JobExport {
		return models.InvalidField("kind", "must be export")
	}
	job, err := models.NewExport(e.ProjectID, claims.UserID, e.Format, e.Filter)
	if err != nil {
		return err
	}
	_, err = d.server.jobs.RequestJob(ctx, claims.Scope, job, func(job models.Job) {
		d.server.tellJob(job, protocol.JobStarted{JobID: job.ID, Kind: job.Kind}, d, id)
	})
	return err
}

func (d *dashboard) cancelJob(e protocol.JobCancelled) error {
	ctx, cancel := context.WithTimeout(context.Background(), submitTimeout)
	defer cancel()
	claims, err := d.may(ctx, models.Claims.CanExport)
	if err != nil {
		return err
	}
	_, err = d.server.jobs.CancelJob(ctx, claims.Scope, e.JobID)
	return err
}

// TellJobStarted tells of a job that was taken in.
func (s *Server) TellJobStarted(job models.Job) {
	s.TellJob(job, protocol.JobStarted{JobID: job.ID, Kind: job.Kind})
}

// TellJob tells of a job: the sockets of who asked for it, and those that follow
// its project. Progress and lines give way where a client has no room.
func (s *Server) TellJob(job models.Job, event protocol.DashboardServerEvent) {
	s.tellJob(job, event, nil, "")
}

// tellJob is TellJob of an event that answers re of asker.
func (s *Server) tellJob(job models.Job, event protocol.DashboardServerEvent, asker *dashboard, re string) {
	key := ""
	if _, ok := event.(protocol.Progress); ok {
		key = "progress " + string(job.ID)
	} else if line, ok := event.(protocol.LogLine); ok {
		key = fmt.Sprint("line ", job.ID, line.N)
	}
	b, err := s.hub.ephemeral(event)
	if err != nil {
		s.log.Error("encode event of a job", "job", job.ID, "error", err)
		return
	}
	if relay := s.hub.others(); relay != nil {
		relay.Job(job, key, b.events[0])
	}
	if asker != nil {
		if err := asker.answer(event, re); err != nil {
			s.log.Error("answer with a job", "job", job.ID, "error", err)
		}
	}
	s.offerJob(job, key, b, asker)
}

// RelayJob tells of a job of another node.
func (s *Server) RelayJob(job models.Job, key string, event []byte) {
	s.offerJob(job, key, &broadcast{log: s.log, events: [][]byte{event}}, nil)
}

func (s *Server) offerJob(job models.Job, key string, b *broadcast, asker *dashboard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.dashboards {
		if d != asker && d.watches(job) {
			d.push(outgoing{frames: b.in(d.encoding), events: 1, key: key})
		}
	}
}

func (d *dashboard) watches(job models.Job) bool {
	claims := d.claims.Load()
	if claims.Scope != models.ScopeOf(job.OrganizationID) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.ended && (claims.UserID == job.UserID || d.subscriptions[job.ProjectID] != nil)
}
