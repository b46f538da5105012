package store

import (
	"context"

	"earshot/models"
)

// RevokeReceipt ends an item's receipt of that version, and with it every copy of
// the link. The next version, which it returns, is the item's from now on. A
// receipt that has ended already is not found.
func (s *Store) RevokeReceipt(ctx context.Context, scope models.Scope, id models.ID, version int) (next int, err error) {
	if _, err := s.scoped(ctx, scope); err != nil {
		return 0, err
	}
	err = s.writer.do(ctx, true, func(t *tx) error {
		row, err := t.lockFeedback(scope, id)
		if err != nil {
			return err
		}
		if row.ReceiptVersion != version {
			return models.Errorf(models.CodeNotFound, "there is no such receipt")
		}
		next = version + 1
		if err := t.orm().Model(row).Update("receipt_version", next).Error; err != nil {
			return err
		}
		return t.audit(ctx, row.OrganizationID, noted{action: models.AuditReceiptRevoked, kind: "feedback", object: row.ID, project: row.ProjectID})
	})
	return next, err
}
