package store

import (
	"context"
	"slices"

	"earshot/models"
)

// Authorize says who the holder of a session, or of an API key by its id, is right now: the role comes from the
// store, so that a change of it holds at once. CodeUnauthorized where the
// session, the user or the membership has ended.
func (s *Store) Authorize(ctx context.Context, session models.ID) (models.Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	claims, err := s.holders(ctx, []models.ID{session})
	if err != nil {
		return models.Claims{}, err
	}
	if len(claims) == 0 {
		return models.Claims{}, models.Errorf(models.CodeUnauthorized, "the session has ended")
	}
	return claims[0], nil
}

// sessionsAtOnce is how many sessions one query asks for.
const sessionsAtOnce = 500

// AuthorizeAll is Authorize of many sessions; those that have ended are not in
// what it gives.
func (s *Store) AuthorizeAll(ctx context.Context, sessions []models.ID) (map[models.ID]models.Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	open := make(map[models.ID]models.Claims, len(sessions))
	for some := range slices.Chunk(sessions, sessionsAtOnce) {
		claims, err := s.holders(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, c := range claims {
			open[c.SessionID] = c
		}
	}
	return open, nil
}

func (s *Store) holders(ctx context.Context, sessions []models.ID) ([]models.Claims, error) {
	var rows []struct {
		ID             models.ID
		UserID         models.ID
		OrganizationID models.ID
		Role           models.Role
	}
	err := s.read.WithContext(ctx).Raw(`SELECT s.id, s.user_id, s.organization_id, m.role FROM sessions AS s
		JOIN members AS m ON m.organization_id = s.organization_id AND m.user_id = s.user_id
		WHERE s.id IN ? AND s.revoked_at IS NULL AND s.expires_at > ?`, sessions, s.millis()).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	claims := make([]models.Claims, 0, len(rows))
	for _, row := range rows {
		claims = append(claims, models.Claims{UserID: row.UserID, SessionID: row.ID, Scope: models.ScopeOf(row.OrganizationID), Role: row.Role})
	}
	if len(claims) == len(sessions) {
		return claims, nil
	}
	keys, err := keyHolders(s.read.WithContext(ctx), sessions)
	return append(claims, keys...), err
}
