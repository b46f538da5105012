package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"earshot/models"
)

// The search index is a projection: it follows the projects' logs in the
// background, whose events stay until it has seen them. Inside a submission's own
// transaction it would cost a third of the speed.

const (
	searchProjectionName = "search"
	// Rows that one transaction indexes. Submissions wait for it meanwhile, so it
	// is what one in a hundred of them takes longer than the others.
	searchBatch = 64
	// The longest time between two looks at the logs.
	searchInterval = 500 * time.Millisecond
	// Indexing rests this many times as long as it worked: under a flood the
	// index falls behind, rather than the acknowledgements.
	searchRest = 9
)

type searchProjection struct {
	store  *Store
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func startSearchProjection(s *Store) *searchProjection {
	ctx, cancel := context.WithCancel(context.Background())
	p := &searchProjection{store: s, cancel: cancel}
	p.ended.Go(func() { p.run(ctx) })
	return p
}

func (p *searchProjection) stop() {
	p.cancel()
	p.ended.Wait()
}

func (p *searchProjection) run(ctx context.Context) {
	var seen uint64
	for looked := false; ; {
		pause := searchInterval
		if commits := p.store.writer.commits.Load(); !looked || commits != seen {
			began := time.Now()
			more, err := p.step(ctx)
			if err != nil && ctx.Err() == nil {
				p.store.log.Error("search index", "error", err)
			}
			if more {
				pause = searchRest * time.Since(began)
			}
			looked, seen = err == nil && !more, commits
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// step indexes what the first project that is behind has waiting.
func (p *searchProjection) step(ctx context.Context) (more bool, err error) {
	var behind []projectionRow
	err = p.store.read.WithContext(ctx).Raw(`SELECT p.id AS project_id, COALESCE(at.seq, 0) AS seq FROM projects AS p
		LEFT JOIN projections AS at ON at.project_id = p.id AND at.name = ?
		WHERE `+lastSeq+` > COALESCE(at.seq, 0)`, searchProjectionName).Scan(&behind).Error
	if err != nil {
		return false, err
	}
	var failed []error
	for _, at := range behind {
		n, err := p.index(ctx, at)
		if err != nil { // the other projects' search goes on
			failed = append(failed, fmt.Errorf("project %s: %w", at.ProjectID, err))
		}
		more = more || n == searchBatch
	}
	if !more {
		failed = append(failed, p.purge(ctx))
	}
	return more, errors.Join(failed...)
}

// metaPurge notes that the index still has words of rows that are gone.
const metaPurge = "search_purge"

// owePurge has the words of deleted rows taken out of the index's segments. A
// deletion alone only marks them: they are there until the segments are merged,
// for which the whole index is written anew. So that is done once for all that
// were deleted in the meantime, and the note of it survives a crash.
func (t *tx) owePurge() error {
	return t.orm().Exec("INSERT INTO meta (name, value) VALUES (?, '1') ON CONFLICT DO NOTHING", metaPurge).Error
}

func (p *searchProjection) purge(ctx context.Context) error {
	var owed int64
	if err := p.store.read.WithContext(ctx).Model(&metaRow{}).Where("name = ?", metaPurge).Count(&owed).Error; err != nil || owed == 0 {
		return err
	}
	return p.store.writer.do(ctx, false, func(t *tx) error {
		if err := t.orm().Exec("INSERT INTO feedback_search (feedback_search) VALUES ('optimize')").Error; err != nil {
			return err
		}
		// The pages as they were before are in the log of pages still.
		t.committed = append(t.committed, func() { t.w.owed.Store(owesTruncate) })
		return t.orm().Where("name = ?", metaPurge).Delete(&metaRow{}).Error
	})
}

// The writer's two statements of the index. What was read before the transaction
// may be erased by now, and its project deleted.
const (
	indexFeedback = `INSERT INTO feedback_search (docid, project, message, name, email, page_url)
		SELECT n, ?, ?, ?, email, page_url FROM feedback WHERE n = ? AND erased_at IS NULL`
	noteIndexed = `INSERT INTO projections (name, project_id, seq) SELECT ?, id, ? FROM projects WHERE id = ?
		ON CONFLICT (name, project_id) DO UPDATE SET seq = excluded.seq`
)

// index takes one project's next batch of the log into the index, and notes how
// far it came in the same transaction. Nobody else does, so that all it needs is
// read beforehand, where no submission waits for it.
func (p *searchProjection) index(ctx context.Context, at projectionRow) (int, error) {
	read := p.store.read.WithContext(ctx)
	var events []eventRow
	err := read.Where("project_id = ? AND seq > ?", at.ProjectID, at.Seq).Order("seq").Limit(searchBatch).Find(&events).Error
	if err != nil || len(events) == 0 {
		return 0, err
	}
	var ids []models.ID
	for _, event := range events {
		if event.Type == models.EventFeedbackReceived {
			ids = append(ids, event.FeedbackID)
		}
	}
	var rows []feedbackRow
	if err := read.Select("n", "message", "name").Where("id IN ? AND erased_at IS NULL", ids).Find(&rows).Error; err != nil {
		return 0, err
	}
	for i := range rows {
		rows[i].Message, rows[i].Name = segment(rows[i].Message), segment(rows[i].Name)
	}
	token, last := projectToken(at.ProjectID), events[len(events)-1].Seq
	err = p.store.writer.do(ctx, false, func(t *tx) error {
		for _, row := range rows {
			if _, err := t.w.stmts.indexFeedback.ExecContext(t.ctx, token, row.Message, row.Name, row.N); err != nil {
				return err
			}
		}
		_, err := t.w.stmts.noteIndexed.ExecContext(t.ctx, searchProjectionName, last, at.ProjectID)
		return err
	})
	return len(events), err
}

// projectToken is the project's id as one word, so that one look-up in the
// index narrows a search to the project. It begins with a character of private
// use, which the index takes for a letter and searchExpression does not: nothing
// that is typed can be its beginning.
func projectToken(id models.ID) string { return "\ue000" + strings.ReplaceAll(string(id), "-", "") }

// maxSearchTerms bounds what one search may ask of the index.
const maxSearchTerms = 16

// searchExpression turns what a person typed into an expression of the index:
// all words must be there, the last one may be a beginning. Nothing that was
// typed is taken for an operator. It is "" where no word was typed.
func searchExpression(project models.ID, typed string) string {
	fields := strings.FieldsFunc(typed, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	if len(fields) == 0 {
		return ""
	}
	fields = fields[:min(len(fields), maxSearchTerms)]
	var b strings.Builder
	b.WriteString("project:" + projectToken(project))
	for i, field := range fields {
		b.WriteString(` "` + segment(field))
		if i == len(fields)-1 {
			b.WriteByte('*')
		}
		b.WriteByte('"')
	}
	return b.String()
}

// segment puts spaces around the characters of scripts that write none, so that
// each is a word to the index and a run of them a phrase.
func segment(s string) string {
	if !strings.ContainsFunc(s, unspaced) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unspaced(r) {
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
