package operator

import (
	"context"
	"fmt"

	"earshot/models"
	"earshot/models/store"
)

// VerifyAudit is the command "audit verify": it checks the chain of every
// organisation's audit log, and says which line is not as it was written.
func (d Data) VerifyAudit(ctx context.Context) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	return d.withStore(ctx, func(s *store.Store) error {
		organizations, err := s.Organizations(ctx)
		if err != nil {
			return err
		}
		broken := 0
		for _, organization := range organizations {
			lines := 0
			err := s.EachAudit(ctx, models.ScopeOf(organization.ID), func(models.AuditEntry) error { lines++; return nil })
			if err != nil {
				broken++
				d.printf("%s (%s): %v\n", organization.Name, organization.ID, err)
				continue
			}
			d.printf("%s (%s): %d lines, as they were written\n", organization.Name, organization.ID, lines)
		}
		if broken > 0 {
			return fmt.Errorf("the audit log of %d organisations was changed", broken)
		}
		return nil
	})
}
