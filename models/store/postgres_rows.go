package store

import (
	"github.com/jackc/pgx/v5/pgconn"

	"earshot/models"
)

type commandTag = pgconn.CommandTag

// newRows are the rows of new submissions, a slice a column, as the server takes many
// of them in one statement.
type newRows struct {
	at int64 // all of them came

	ids, organizations, projects, sessions      []string
	seqs, ratings                               []int64
	fingerprints                                [][]byte
	messages, pages, kinds                      []string
	emails, names, contexts, reasons, addresses []string
	identities                                  []string
	quarantined                                 []bool
	sessionProjects, sessionIDs                 []string
	sessionHashes                               [][]byte
}

// insertManyFeedback leaves out what is there already: that is for its caller to see.
const insertManyFeedback = `INSERT INTO feedback (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url,
	kind, rating, email, name, context, quarantined, quarantine_reasons, address_hash, identity, created_at, updated_at, visitor_at)
	SELECT f.id, f.organization_id, f.project_id, f.session_id, f.seq, f.fingerprint, f.message, f.page_url,
	f.kind, f.rating, f.email, f.name, f.context, f.quarantined, f.quarantine_reasons, f.address_hash, f.identity, $18, $18, $18
	FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::text[], $8::text[],
	$9::text[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::boolean[], $15::text[], $16::text[], $17::text[])
	AS f (id, organization_id, project_id, session_id, seq, fingerprint, message, page_url,
	kind, rating, email, name, context, quarantined, quarantine_reasons, address_hash, identity)
	ON CONFLICT (id) DO NOTHING`

func (r *newRows) add(o *submissionOp, session models.ID, seq int64) {
	in, sub := o.in, &o.in.Submission
	r.ids = append(r.ids, string(sub.ID))
	r.organizations = append(r.organizations, string(in.Project.OrganizationID))
	r.projects = append(r.projects, string(in.Project.ID))
	r.sessions = append(r.sessions, string(session))
	r.seqs = append(r.seqs, seq)
	r.fingerprints = append(r.fingerprints, o.fingerprint)
	r.messages = append(r.messages, sub.Message)
	r.pages = append(r.pages, sub.PageURL)
	r.kinds = append(r.kinds, string(sub.Kind))
	r.ratings = append(r.ratings, int64(sub.Rating))
	r.emails = append(r.emails, sub.Email)
	r.names = append(r.names, sub.Name)
	r.contexts = append(r.contexts, string(sub.Context))
	r.quarantined = append(r.quarantined, len(in.Quarantine) > 0)
	r.reasons = append(r.reasons, string(o.reasons))
	r.addresses = append(r.addresses, in.AddressHash)
	r.identities = append(r.identities, in.Identity)
}

func (r *newRows) addSession(key sessionKey, id models.ID) {
	r.sessionProjects = append(r.sessionProjects, string(key.project))
	r.sessionHashes = append(r.sessionHashes, []byte(key.hash))
	r.sessionIDs = append(r.sessionIDs, string(id))
}

func (r *newRows) feedbackArgs() []any {
	return []any{
		r.ids, r.organizations, r.projects, r.sessions, r.seqs, r.fingerprints, r.messages, r.pages, r.kinds, r.ratings,
		r.emails, r.names, r.contexts, r.quarantined, r.reasons, r.addresses, r.identities, r.at,
	}
}
