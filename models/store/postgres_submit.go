package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"earshot/models"
)

// submissionOp is a submission that can be written together with others: with its
// row go at most an event and a visitor's session.
type submissionOp struct {
	in                   *NewFeedback
	fingerprint, reasons []byte
	accepted             Accepted
}

// sessionKey is what a visitor's session is found by.
type sessionKey struct {
	project models.ID
	hash    string
}

// earlierItem is an item whose id a submission brings again.
type earlierItem struct {
	project, session models.ID
	fingerprint      []byte
	version          int
	erased           bool
}

// sighted is what was there before the submissions of a run.
type sighted struct {
	items    map[models.ID]earlierItem
	sessions map[sessionKey]models.ID
}

// lockProjects adds to a batch what locks the projects of its submissions, in the
// order of their ids.
func (t *tx) lockProjects(b *pgx.Batch, batch []*op) {
	var projects []string
	for _, o := range batch {
		if o.submission == nil {
			continue
		}
		if project := o.submission.in.Project.ID; t.heads[project] == nil {
			projects = append(projects, string(project))
		}
	}
	if len(projects) == 0 {
		return
	}
	slices.Sort(projects)
	projects = slices.Compact(projects)
	b.Queue("SELECT 1 FROM projects WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", projects)
	// A statement of its own, so that it sees what was committed before the locks
	// were had.
	b.Queue("SELECT p.id, "+lastSeq+" FROM projects AS p WHERE p.id = ANY ($1)", projects).Query(func(rows pgx.Rows) error {
		var project models.ID
		var last int64
		_, err := pgx.ForEachRow(rows, []any{&project, &last}, func() error {
			head := last
			t.heads[project] = &head
			return nil
		})
		return err
	})
}

// submit writes a run of submissions. Where the run is refused for what is in it, its
// halves are tried, so that one bad row fails alone and the others share their
// statements.
func (r *remote) submit(t *tx, run []*op, results []error) error {
	entries, given := len(t.entries), len(t.given)
	err := r.submitTogether(t, run, results)
	if err == nil || !ofData(err) {
		return err
	}
	t.forget(entries, given)
	clear(results)
	if _, err := t.w.stmts.rollbackTo.exec(); err != nil {
		return fmt.Errorf("roll back to savepoint: %w", err)
	}
	if len(run) == 1 {
		results[0] = fmt.Errorf("insert feedback: %w", err)
		return nil
	}
	half := len(run) / 2
	if err := r.submit(t, run[:half], results[:half]); err != nil {
		return err
	}
	return r.submit(t, run[half:], results[half:])
}

func (r *remote) submitTogether(t *tx, run []*op, results []error) error {
	seen, err := r.sight(t, run)
	if err != nil {
		return fmt.Errorf("look for earlier submissions: %w", err)
	}
	rows := &newRows{at: t.now.UnixMilli()}
	for i, o := range run {
		first := len(t.entries)
		results[i] = t.plan(o.submission, seen, rows)
		o.mark(t.entries[first:])
	}
	if len(rows.ids) == 0 {
		return nil
	}
	return r.insert(t, rows)
}

// sight looks for the ids and the sessions that submissions bring.
func (r *remote) sight(t *tx, run []*op) (sighted, error) {
	seen := sighted{map[models.ID]earlierItem{}, map[sessionKey]models.ID{}}
	ids := make([]string, 0, len(run))
	var projects []string
	var hashes [][]byte
	for _, o := range run {
		in := o.submission.in
		ids = append(ids, string(in.Submission.ID))
		// Also of a session that was stored: another node may have erased it.
		if !in.TokenMade {
			projects, hashes = append(projects, string(in.Project.ID)), append(hashes, in.ResumeHash)
		}
	}
	b := &pgx.Batch{}
	b.Queue("SAVEPOINT op")
	b.Queue("SELECT id, project_id, session_id, fingerprint, receipt_version, erased_at IS NOT NULL FROM feedback WHERE id = ANY ($1)", ids).
		Query(func(rows pgx.Rows) error {
			var id models.ID
			var item earlierItem
			_, err := pgx.ForEachRow(rows, []any{&id, &item.project, &item.session, &item.fingerprint, &item.version, &item.erased}, func() error {
				seen.items[id] = item
				return nil
			})
			return err
		})
	if len(hashes) > 0 {
		b.Queue(`SELECT v.project_id, v.resume_hash, v.id FROM unnest($1::text[], $2::bytea[]) AS k (project_id, resume_hash)
			JOIN visitor_sessions AS v ON v.project_id = k.project_id AND v.resume_hash = k.resume_hash`, projects, hashes).
			Query(func(rows pgx.Rows) error {
				var project, id models.ID
				var hash []byte
				_, err := pgx.ForEachRow(rows, []any{&project, &hash, &id}, func() error {
					seen.sessions[sessionKey{project, string(hash)}] = id
					return nil
				})
				return err
			})
	}
	return seen, r.pg.SendBatch(t.ctx, b).Close()
}

// plan decides what becomes of a submission, and adds its rows where it is new. An
// error is its caller's alone.
func (t *tx) plan(o *submissionOp, seen sighted, rows *newRows) error {
	in, sub := o.in, &o.in.Submission
	session, known, key := in.SessionID, false, sessionKey{in.Project.ID, string(in.ResumeHash)}
	if !in.TokenMade {
		if id, there := seen.sessions[key]; there {
			session, known = id, true
		}
	}
	head := t.heads[in.Project.ID]
	if head == nil {
		return errNotFound
	}
	if item, taken := seen.items[sub.ID]; taken {
		if item.project != in.Project.ID || item.erased || !bytes.Equal(item.fingerprint, o.fingerprint) {
			return errIDTaken()
		}
		o.accepted = Accepted{
			ID: sub.ID, SessionID: item.session, Repeated: true, Owned: known && session == item.session, ReceiptVersion: item.version,
		}
		return nil
	}
	*head++
	t.given = append(t.given, head)
	rows.add(o, session, *head)
	if !known {
		rows.addSession(key, session)
	}
	// Those that follow in the run find it.
	seen.items[sub.ID] = earlierItem{in.Project.ID, session, o.fingerprint, 1, false}
	seen.sessions[key] = session
	o.accepted = Accepted{ID: sub.ID, SessionID: session, Owned: true, ReceiptVersion: 1}
	t.entries = append(t.entries, models.LogEntry{
		ProjectID: in.Project.ID, Seq: *head, Type: models.EventFeedbackReceived, FeedbackID: sub.ID, At: fromMillis(rows.at),
		Feedback: newItem(*in, session, rows.at),
	})
	return nil
}

// insert writes the rows of a run, in one round trip.
func (r *remote) insert(t *tx, rows *newRows) error {
	b := &pgx.Batch{}
	var inserted int64
	b.Queue(insertManyFeedback, rows.feedbackArgs()...).Exec(func(tag commandTag) error {
		inserted = tag.RowsAffected()
		return nil
	})
	if len(rows.sessionIDs) > 0 {
		b.Queue(`INSERT INTO visitor_sessions (project_id, resume_hash, id, created_at)
			SELECT s.project_id, s.resume_hash, s.id, $4 FROM unnest($1::text[], $2::bytea[], $3::text[]) AS s (project_id, resume_hash, id)`,
			rows.sessionProjects, rows.sessionHashes, rows.sessionIDs, rows.at)
	}
	b.Queue(`INSERT INTO events (project_id, seq, type, feedback_id, at)
		SELECT e.project_id, e.seq, $4, e.feedback_id, $5 FROM unnest($1::text[], $2::bigint[], $3::text[]) AS e (project_id, seq, feedback_id)`,
		rows.projects, rows.seqs, rows.ids, string(models.EventFeedbackReceived), rows.at)
	b.Queue("RELEASE SAVEPOINT op")
	if err := r.pg.SendBatch(t.ctx, b).Close(); err != nil {
		return err
	}
	if inserted != int64(len(rows.ids)) { // the id was taken in another project since we looked
		return errMetOthers
	}
	return nil
}
