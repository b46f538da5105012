package api

import (
	"context"
	"time"

	"earshot/models"
)

// APIKey is a program's access, without its secret.
type APIKey struct { //nolint:revive // the name is the schema's on the wire
	ID        models.ID         `json:"id"`
	Name      string            `json:"name"`
	Hint      string            `json:"hint" doc:"The last characters of the key"`
	Scopes    []models.KeyScope `json:"scopes" nullable:"false"`
	ProjectID *models.ID        `json:"project_id" nullable:"true" doc:"The one project that the key is limited to"`
	CreatedBy models.ID         `json:"created_by"`
	CreatedAt time.Time         `json:"created_at"`
	UsedAt    *time.Time        `json:"used_at" nullable:"true" doc:"To within five minutes"`
}

// CreatedAPIKey is a key with its secret, this once.
type CreatedAPIKey struct {
	APIKey
	Key string `json:"key" doc:"Shown this once: it is not kept" example:"sk_…"`
}

// APIKeyList is a page of keys, newest first.
type APIKeyList struct { //nolint:revive // the name is the schema's on the wire
	Items      []APIKey `json:"items" nullable:"false"`
	NextCursor *string  `json:"next_cursor" nullable:"true" doc:"null on the last page"`
	Total      *int64   `json:"total,omitempty" doc:"Where count asks for it"`
	TotalIs    string   `json:"total_is,omitempty" enum:"at_least" doc:"There are more than total"`
}

// NewAPIKey makes a key.
type NewAPIKey struct {
	Name      string            `json:"name"`
	Scopes    []models.KeyScope `json:"scopes" nullable:"false" doc:"What the key may do"`
	ProjectID *models.ID        `json:"project_id,omitempty" doc:"Limits the key to one project"`
}

func apiKeyBody(key models.APIKey) APIKey {
	body := APIKey{
		ID: key.ID, Name: key.Name, Hint: key.Hint, Scopes: key.Scopes, CreatedBy: key.CreatedBy, CreatedAt: key.CreatedAt,
	}
	if key.ProjectID != "" {
		body.ProjectID = &key.ProjectID
	}
	if !key.UsedAt.IsZero() {
		body.UsedAt = &key.UsedAt
	}
	return body
}

type listAPIKeysInput struct{ PageQuery }

type listAPIKeysOutput struct{ Body APIKeyList }

func (s *Server) listAPIKeys(ctx context.Context, in *listAPIKeysInput) (*listAPIKeysOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	list, err := s.store.APIKeys(ctx, claims.Scope, in.page())
	if err != nil {
		return nil, err
	}
	body := APIKeyList{Items: []APIKey{}, NextCursor: cursorOrNull(list.NextCursor)}
	body.Total, body.TotalIs = total(list.Total)
	for _, key := range list.Items {
		body.Items = append(body.Items, apiKeyBody(key))
	}
	return &listAPIKeysOutput{Body: body}, nil
}

type createAPIKeyInput struct{ Body NewAPIKey }

type createAPIKeyOutput struct{ Body CreatedAPIKey }

func (s *Server) createAPIKey(ctx context.Context, in *createAPIKeyInput) (*createAPIKeyOutput, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	secret := models.NewAPIKeySecret()
	key := models.APIKey{Name: in.Body.Name, Scopes: in.Body.Scopes, Hint: models.APIKeyHint(secret), CreatedBy: claims.UserID}
	set(&key.ProjectID, in.Body.ProjectID)
	if err := key.Normalize(); err != nil {
		return nil, err
	}
	if err := s.store.CreateAPIKey(ctx, claims.Scope, &key, models.HashToken(secret)); err != nil {
		return nil, err
	}
	return &createAPIKeyOutput{Body: CreatedAPIKey{APIKey: apiKeyBody(key), Key: secret}}, nil
}

// APIKeyPath names a key.
type APIKeyPath struct { //nolint:revive // the name is the schema's on the wire
	ID string `path:"id"`
}

func (s *Server) revokeAPIKey(ctx context.Context, in *APIKeyPath) (*struct{}, error) {
	claims := askerOf(ctx).claims
	if !claims.CanManage() {
		return nil, errRole()
	}
	id := models.ID(in.ID)
	if err := s.store.RevokeAPIKey(ctx, claims.Scope, id); err != nil {
		return nil, err
	}
	s.closeSession(id)
	return nil, nil
}
