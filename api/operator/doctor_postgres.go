package operator

import (
	"context"
	"time"

	"earshot/models/store"
)

// checkPostgres is checkDatabase for a database that has an address. What is in the
// way of it says what to do about it.
func (d Doctor) checkPostgres(ctx context.Context) []Finding {
	const check, clock, advice = "database", "clock", "correct that, and look again"
	found, err := store.Inspect(ctx, d.Database)
	if err != nil {
		return []Finding{bad(check, err.Error(), advice), d.checkClock(clock, time.Time{})}
	}
	findings := []Finding{ok(check, "%s answers", store.PostgresName(d.Database))}
	switch {
	case found.Version == 0:
		findings = append(findings, skip(check, "it has no tables yet: the first start makes them"))
	case found.Version < found.Newest:
		findings = append(findings, schemaIsOlder(check, found, "the next start brings it up to date: make a copy before (pg_dump)"))
	default:
		findings = append(findings, ok(check, "opens, schema version %d", found.Version))
	}
	if found.Durable != nil {
		findings = append(findings, bad(check, found.Durable.Error(), "set both to on in postgresql.conf"))
	} else {
		findings = append(findings, ok(check, "commits are synced before they are acknowledged"))
	}
	return append(findings, d.checkClock(clock, found.LastChange))
}
