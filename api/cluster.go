package api

import (
	"encoding/hex"

	"earshot/models"
	"earshot/models/blob"
	"earshot/realtime/cluster"
	"earshot/realtime/protocol"
)

// realmBytes is 128 bits: the subjects of another installation on the same NATS are not
// to be found by trying.
const realmBytes = 16

// joinCluster joins the other servers of the database, if there may be any.
func (s *Server) joinCluster() error {
	if s.config.NATS == "" {
		return nil
	}
	if s.config.Files == (blob.Location{}) {
		s.log.Warn("files are kept on this server's disk alone, so other servers have none of them: set EARSHOT_BLOB_URL to a bucket or to a folder that all of them mount")
	}
	realm, err := models.DeriveKey(s.config.Secret, "earshot nats")
	if err != nil {
		return err
	}
	node, err := cluster.Join(cluster.Options{
		URL: s.config.NATS, Realm: hex.EncodeToString(realm[:realmBytes]), Log: s.log, Store: s.store, Hub: s.hub, Now: s.now,
		Job: s.realtime.RelayJob, Ended: s.closeSessionHere,
	})
	if err != nil {
		return err
	}
	s.hub.SetRelay(node)
	s.cluster.Store(node)
	return nil
}

// publish takes what was committed here.
func (s *Server) publish(entries []models.LogEntry) {
	if node := s.cluster.Load(); node != nil {
		node.Publish(entries)
		return
	}
	s.hub.Publish(entries)
}

// closeSession ends what is open for a session that was revoked, on all nodes.
func (s *Server) closeSession(session models.ID) {
	s.closeSessionHere(session)
	if node := s.cluster.Load(); node != nil {
		node.Ended(session)
	}
}

func (s *Server) closeSessionHere(session models.ID) {
	s.realtime.CloseSession(session, protocol.CloseRevoked)
	s.closeStreams(session)
}
