package realtime

import (
	"crypto/sha256"

	"earshot/models"
)

// A session is provisional until something is submitted under its resume token,
// over whatever transport. So that it is then the one that open sockets were told
// of, and they hear what becomes of it, the sockets are found by their tokens
// until then.

// tokenKey is a resume token, hashed, in its project.
type tokenKey struct {
	project models.ID
	hash    [sha256.Size]byte
}

func keyOf(project models.ID, token string) tokenKey {
	k := tokenKey{project: project}
	copy(k.hash[:], models.HashResumeToken(token))
	return k
}

// provisional is a session of open sockets that may not be stored yet. It is
// guarded by the server's mutex.
type provisional struct {
	session models.ID
	sockets map[*visitor]struct{}
	// begun: something was submitted.
	begun bool
}

// enterProvisional makes v one of the sockets of its token, whose session it is
// in then. begun says that the session is stored or about to be.
func (s *Server) enterProvisional(v *visitor, token string) (session models.ID, begun bool) {
	key := keyOf(v.project.ID, token)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveProvisionalLocked(v)
	p := s.provisional[key]
	if p == nil {
		p = &provisional{session: v.sessionID(), sockets: map[*visitor]struct{}{}}
		s.provisional[key] = p
	}
	p.sockets[v] = struct{}{}
	v.tokenKey = key
	return p.session, p.begun
}

func (s *Server) leaveProvisional(v *visitor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveProvisionalLocked(v)
}

func (s *Server) leaveProvisionalLocked(v *visitor) {
	p := s.provisional[v.tokenKey]
	if p == nil {
		return
	}
	if delete(p.sockets, v); len(p.sockets) == 0 {
		delete(s.provisional, v.tokenKey)
	}
}

// SessionOf is the session that open sockets were told of for a resume token; ""
// where there are none. It is to be called before something is submitted under
// the token: the sockets join the session, before anybody can change anything in
// it.
func (s *Server) SessionOf(project models.ID, token string) models.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.provisional[keyOf(project, token)]
	if p == nil {
		return ""
	}
	p.begun = true
	for v := range p.sockets {
		v.joinNew(p.session)
	}
	return p.session
}
