package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"earshot/models"
)

type apiKeyRow struct {
	ID             models.ID `gorm:"primaryKey"`
	OrganizationID models.ID
	ProjectID      models.ID
	Name           string
	Hash           []byte
	Hint           string
	Scopes         string
	CreatedBy      models.ID
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	UsedAt         *int64
}

func (apiKeyRow) TableName() string { return "api_keys" }

func (r apiKeyRow) key() (models.APIKey, error) {
	key := models.APIKey{ID: r.ID, ProjectID: r.ProjectID, Name: r.Name, Hint: r.Hint, CreatedBy: r.CreatedBy, CreatedAt: fromMillis(r.CreatedAt)}
	if r.UsedAt != nil {
		key.UsedAt = fromMillis(*r.UsedAt)
	}
	if err := json.Unmarshal([]byte(r.Scopes), &key.Scopes); err != nil {
		return key, fmt.Errorf("decode scopes of API key %s: %w", r.ID, err)
	}
	return key, nil
}

// claims is who asks with the key.
func (r apiKeyRow) claims() (models.Claims, error) {
	key, err := r.key()
	return models.Claims{
		UserID: r.ID, SessionID: r.ID, Scope: models.ScopeOf(r.OrganizationID).Within(r.ProjectID), Key: &key,
	}, err
}

const (
	// maxAPIKeys bounds an organisation's keys.
	maxAPIKeys = 100
	// keyUseNoted is how exactly it is known when a key was last used.
	keyUseNoted = 5 * time.Minute
)

// CreateAPIKey stores a key, normalised by its Normalize, with the hash of its
// secret, and fills in its id and times.
func (s *Store) CreateAPIKey(ctx context.Context, scope models.Scope, key *models.APIKey, hash models.TokenHash) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	scopes, err := json.Marshal(key.Scopes)
	if err != nil {
		return fmt.Errorf("encode scopes: %w", err)
	}
	row := apiKeyRow{
		ID: models.NewID(), OrganizationID: scope.Organization(), ProjectID: key.ProjectID, Name: key.Name, Hash: hash, Hint: key.Hint,
		Scopes: string(scopes), CreatedBy: key.CreatedBy,
	}
	err = s.writer.do(ctx, false, func(t *tx) error {
		if mine, err := t.roleOf(scope, key.CreatedBy); err != nil || !mine.CanManage() {
			return cmp.Or(err, errRole())
		}
		if key.ProjectID != "" {
			if err := t.orm().Where("id = ? AND organization_id = ?", key.ProjectID, scope.Organization()).Take(&projectRow{}).Error; err != nil {
				return err
			}
		}
		var n int64
		if err := t.orm().Model(&apiKeyRow{}).Where("organization_id = ?", scope.Organization()).Count(&n).Error; err != nil {
			return err
		}
		if n >= maxAPIKeys {
			return models.Errorf(models.CodeForbidden, "an organisation has at most %d API keys", maxAPIKeys)
		}
		row.CreatedAt = t.now.UnixMilli()
		if err := t.orm().Create(&row).Error; err != nil {
			return err
		}
		names := make([]string, len(key.Scopes))
		for i, name := range key.Scopes {
			names[i] = string(name)
		}
		return t.audit(ctx, scope.Organization(), noted{
			action: models.AuditKeyCreated, kind: "api_key", object: row.ID, project: key.ProjectID,
			detail: map[string]string{"scopes": strings.Join(names, " ")},
		})
	})
	if err != nil {
		return err
	}
	*key, err = row.key()
	return err
}

// APIKeys is one page of the organisation's keys, the newest first.
func (s *Store) APIKeys(ctx context.Context, scope models.Scope, page Page) (List[models.APIKey], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return List[models.APIKey]{}, err
	}
	keys := chronology[apiKeyRow, models.APIKey]{
		name: "api-keys", sort: "-created_at",
		key:  func(row apiKeyRow) (int64, models.ID) { return row.CreatedAt, row.ID },
		item: apiKeyRow.key,
	}
	return keys.page(db.Model(&apiKeyRow{}).Where("organization_id = ?", scope.Organization()), page)
}

// RevokeAPIKey ends a key. What is open by it is the caller's to close.
func (s *Store) RevokeAPIKey(ctx context.Context, scope models.Scope, id models.ID) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	return s.writer.do(ctx, false, func(t *tx) error {
		deleted := t.orm().Where("id = ? AND organization_id = ?", id, scope.Organization()).Delete(&apiKeyRow{})
		if deleted.Error != nil {
			return deleted.Error
		}
		if deleted.RowsAffected == 0 {
			return errNotFound
		}
		return t.audit(ctx, scope.Organization(), noted{action: models.AuditKeyRevoked, kind: "api_key", object: id})
	})
}

// endKeysOf ends the keys that a member made, and gives their ids.
func (t *tx) endKeysOf(ctx context.Context, row *memberRow) (ids []models.ID, err error) {
	made := t.orm().Model(&apiKeyRow{}).Where("organization_id = ? AND created_by = ?", row.OrganizationID, row.UserID)
	if err := made.Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	if err := t.orm().Where("id IN ?", ids).Delete(&apiKeyRow{}).Error; err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := t.audit(ctx, row.OrganizationID, noted{action: models.AuditKeyRevoked, kind: "api_key", object: id}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// AuthorizeKey says who asks with an API key; CodeUnauthorized where there is none
// of that hash.
func (s *Store) AuthorizeKey(ctx context.Context, hash models.TokenHash) (models.Claims, error) {
	reading, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	var row apiKeyRow
	if err := s.read.WithContext(reading).Where("hash = ?", []byte(hash)).Limit(1).Find(&row).Error; err != nil {
		return models.Claims{}, translate(err)
	}
	if row.ID == "" {
		return models.Claims{}, models.Errorf(models.CodeUnauthorized, "there is no such API key")
	}
	at := s.millis()
	if row.UsedAt == nil || at-*row.UsedAt > keyUseNoted.Milliseconds() {
		err := s.writer.do(ctx, false, func(t *tx) error {
			return t.orm().Model(&apiKeyRow{}).Where("id = ?", row.ID).Update("used_at", at).Error
		})
		if err != nil { // it was used nevertheless
			s.log.Warn("note the use of an API key", "key", row.ID, "error", err)
		}
	}
	return row.claims()
}

// keyHolders are the claims of those of some ids that are API keys.
func keyHolders(db *gorm.DB, ids []models.ID) ([]models.Claims, error) {
	var rows []apiKeyRow
	if err := db.Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	claims := make([]models.Claims, len(rows))
	for i, row := range rows {
		var err error
		if claims[i], err = row.claims(); err != nil {
			return nil, err
		}
	}
	return claims, nil
}
