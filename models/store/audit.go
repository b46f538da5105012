package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"earshot/models"
)

type auditRow struct {
	OrganizationID models.ID `gorm:"primaryKey"`
	N              int64     `gorm:"primaryKey;autoIncrement:false"`
	At             int64
	ActorKind      models.ActorKind
	ActorID        models.ID
	Address        string
	Action         models.AuditAction
	ObjectKind     string
	ObjectID       models.ID
	ProjectID      models.ID
	Detail         string
	Mac            []byte
}

func (auditRow) TableName() string { return "audit" }

// seal is the row's mac over itself and what came before: a line that was changed,
// left out or put in shows, unless whoever did it has the key. What shows not is an
// end that was cut off, which is why exports of the log are worth keeping elsewhere.
func (r *auditRow) seal(key, before []byte) []byte {
	mac := hmac.New(sha256.New, key)
	field := func(b []byte) { // each behind its length: none can run into the next
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		mac.Write(b)
	}
	field(before)
	for _, text := range []string{
		string(r.OrganizationID), string(r.ActorKind), string(r.ActorID), r.Address, string(r.Action), r.ObjectKind, string(r.ObjectID),
		string(r.ProjectID), r.Detail,
	} {
		field([]byte(text))
	}
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(r.N)))  //nolint:gosec // its bits
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(r.At))) //nolint:gosec // its bits
	return mac.Sum(nil)
}

func (r *auditRow) entry() (models.AuditEntry, error) {
	e := models.AuditEntry{
		N: r.N, At: fromMillis(r.At), By: models.By{Kind: r.ActorKind, ID: r.ActorID, Address: r.Address},
		Action: r.Action, ObjectKind: r.ObjectKind, ObjectID: r.ObjectID, ProjectID: r.ProjectID,
	}
	if err := json.Unmarshal([]byte(r.Detail), &e.Detail); err != nil {
		return e, fmt.Errorf("decode audit entry %d: %w", r.N, err)
	}
	return e, nil
}

// noted is what is recorded of a change beside who made it.
type noted struct {
	action  models.AuditAction
	kind    string
	object  models.ID
	project models.ID
	detail  map[string]string
}

// audit records a change in the transaction that makes it: there is none without
// the other. ctx is that of whoever asked for it.
func (t *tx) audit(ctx context.Context, organization models.ID, what noted) error {
	by := models.ByOf(ctx)
	if what.detail == nil {
		what.detail = map[string]string{}
	}
	detail, err := json.Marshal(what.detail)
	if err != nil {
		return fmt.Errorf("encode audit entry: %w", err)
	}
	var last auditRow
	if err := t.orm().Where("organization_id = ?", organization).Order("n DESC").Limit(1).Find(&last).Error; err != nil {
		return err
	}
	row := auditRow{
		OrganizationID: organization, N: last.N + 1, At: t.now.UnixMilli(), ActorKind: by.Kind, ActorID: by.ID, Address: by.Address,
		Action: what.action, ObjectKind: what.kind, ObjectID: what.object, ProjectID: what.project, Detail: string(detail),
	}
	row.Mac = row.seal(t.w.auditKey, last.Mac)
	return t.orm().Create(&row).Error
}

// auditMemberships records something about a person in all of their organisations.
func (t *tx) auditMemberships(ctx context.Context, user models.ID, action models.AuditAction) error {
	var organizations []models.ID
	if err := t.orm().Model(&memberRow{}).Where("user_id = ?", user).Order("organization_id").Pluck("organization_id", &organizations).Error; err != nil {
		return err
	}
	for _, organization := range organizations {
		if err := t.audit(ctx, organization, noted{action: action, kind: "user", object: user}); err != nil {
			return err
		}
	}
	return nil
}

// Audit is one page of an organisation's audit log, the newest first.
func (s *Store) Audit(ctx context.Context, scope models.Scope, page Page) (List[models.AuditEntry], error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	list := List[models.AuditEntry]{}
	db, err := s.scoped(ctx, scope)
	if err != nil {
		return list, err
	}
	after, err := decodeCursor(page.Cursor, "audit")
	if err != nil {
		return list, err
	}
	query := db.Where("organization_id = ?", scope.Organization())
	if after != nil {
		query = query.Where("n < ?", after.N)
	}
	var rows []auditRow
	if err := query.Order("n DESC").Limit(page.Limit + 1).Find(&rows).Error; err != nil {
		return list, translate(err)
	}
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		list.NextCursor = cursor{List: "audit", N: rows[page.Limit-1].N}.encode()
	}
	if page.Count != CountNone { // numbers have no holes
		var n int64
		err := db.Model(&auditRow{}).Select("coalesce(max(n), 0)").Where("organization_id = ?", scope.Organization()).Scan(&n).Error
		if err != nil {
			return list, translate(err)
		}
		list.Total = &Total{N: n}
		if page.Count == CountBounded && n > countBound {
			list.Total = &Total{N: countBound, AtLeast: true}
		}
	}
	for i := range rows {
		entry, err := rows[i].entry()
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, entry)
	}
	return list, nil
}

// auditAtOnce is how many lines of the log are read together.
const auditAtOnce = 1000

// EachAudit gives an organisation's whole log to each, from its start, and checks
// its chain on the way: the error names the first line that is not what was
// written.
func (s *Store) EachAudit(ctx context.Context, scope models.Scope, each func(models.AuditEntry) error) error {
	if _, err := s.scoped(ctx, scope); err != nil {
		return err
	}
	var n int64
	var before []byte
	for {
		var rows []auditRow
		err := s.read.WithContext(ctx).Where("organization_id = ? AND n > ?", scope.Organization(), n).Order("n").Limit(auditAtOnce).Find(&rows).Error
		if err != nil {
			return translate(err)
		}
		for i := range rows {
			row := &rows[i]
			if row.N != n+1 {
				return fmt.Errorf("audit log: line %d is missing", n+1)
			}
			if !hmac.Equal(row.seal(s.writer.auditKey, before), row.Mac) {
				return fmt.Errorf("audit log: line %d is not as it was written", row.N)
			}
			n, before = row.N, row.Mac
			entry, err := row.entry()
			if err == nil {
				err = each(entry)
			}
			if err != nil {
				return err
			}
		}
		if len(rows) < auditAtOnce {
			return nil
		}
	}
}
