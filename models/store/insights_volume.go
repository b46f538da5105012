package store

import (
	"context"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"earshot/models"
)

// quarter is the finest step between time zones (Kathmandu and Eucla are quarters
// of an hour off), so any zone's days are whole quarters.
const quarter = hour / 4

// volumeRow is what came within a quarter of an hour, by what it is now.
type volumeRow struct {
	ProjectID models.ID `gorm:"primaryKey"`
	At        int64     `gorm:"primaryKey;autoIncrement:false"`
	Volume    volume    `gorm:"embedded"`
}

func (volumeRow) TableName() string { return "volumes" }

// volume counts items in all and by their kind and status; those of no kind are what
// the kinds leave of the total.
type volume struct {
	Total                                   int64
	Bug, Idea, Question, Praise, Other      int64
	New, Open, InProgress, Resolved, Closed int64
}

func (v *volume) add(r *feedbackRow, sign int64) {
	v.Total += sign
	if n := v.kinds()[r.Kind]; n != nil {
		*n += sign
	}
	if n := v.statuses()[r.Status]; n != nil {
		*n += sign
	}
}

func (v *volume) kinds() map[models.Kind]*int64 {
	return map[models.Kind]*int64{
		models.KindBug: &v.Bug, models.KindIdea: &v.Idea, models.KindQuestion: &v.Question,
		models.KindPraise: &v.Praise, models.KindOther: &v.Other,
	}
}

func (v *volume) statuses() map[models.Status]*int64 {
	return map[models.Status]*int64{
		models.StatusNew: &v.New, models.StatusOpen: &v.Open, models.StatusInProgress: &v.InProgress,
		models.StatusResolved: &v.Resolved, models.StatusClosed: &v.Closed,
	}
}

// tell writes the volume into a day's figures; what there is none of is left out.
func (v *volume) tell(d *models.InsightDay) {
	d.Total = v.Total
	unset := v.Total
	for kind, n := range v.kinds() {
		unset -= *n
		if *n > 0 {
			d.ByKind[kind] = *n
		}
	}
	if unset > 0 {
		d.ByKind[""] = unset
	}
	for status, n := range v.statuses() {
		if *n > 0 {
			d.ByStatus[status] = *n
		}
	}
}

// volumeColumns are the columns that are added up.
func volumeColumns() []string {
	return []string{"total", "bug", "idea", "question", "praise", "other", "new", "open", "in_progress", "resolved", "closed"}
}

// sums is a list of SQL terms over volumeColumns, with % for the column's name.
func sums(term string) string {
	terms := make([]string, 0, len(volumeColumns()))
	for _, column := range volumeColumns() {
		terms = append(terms, strings.ReplaceAll(term, "%", column))
	}
	return strings.Join(terms, ", ")
}

func (t *tx) countVolumes(volumes map[volumeRow]*volume) error {
	rows := make([]volumeRow, 0, len(volumes))
	for key, v := range volumes {
		if *v != (volume{}) {
			key.Volume = *v
			rows = append(rows, key)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	added := map[string]any{}
	for _, column := range volumeColumns() {
		added[column] = gorm.Expr("volumes." + column + " + excluded." + column)
	}
	return t.orm().Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "project_id"}, {Name: "at"}}, DoUpdates: clause.Assignments(added),
	}).CreateInBatches(&rows, insightsBatch).Error
}

// readDays adds up the quarters of each day, in the database: a year has too many to
// be handed over one by one.
func (s *Store) readDays(ctx context.Context, project models.ID, in *models.Insights, to int64) error {
	var bounds strings.Builder
	args := make([]any, 0, 3*len(in.Days)+1)
	for i, d := range in.Days {
		end := to
		if i+1 < len(in.Days) {
			end = in.Days[i+1].Begins.UnixMilli()
		}
		if i > 0 {
			bounds.WriteString(", ")
		}
		bounds.WriteString("(CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT))")
		args = append(args, i, d.Begins.UnixMilli(), end)
	}
	var found []struct {
		Day    int
		Volume volume `gorm:"embedded"`
	}
	// The order of the join is said: the index is read once a day.
	err := s.read.WithContext(ctx).Raw(`WITH days (day, begins, ends) AS (VALUES `+bounds.String()+`)
		SELECT days.day, `+sums("SUM(v.%) AS %")+` FROM days CROSS JOIN volumes AS v
		WHERE v.project_id = ? AND v.at >= days.begins AND v.at < days.ends GROUP BY days.day`, append(args, project)...).Scan(&found).Error
	for _, row := range found {
		row.Volume.tell(&in.Days[row.Day])
	}
	return err
}

func (t *tx) removeVolumes(project models.ID) (int64, error) {
	return rows(t.orm().Exec(`DELETE FROM volumes WHERE project_id = ? AND at IN
		(SELECT at FROM volumes WHERE project_id = ? LIMIT ?)`, project, project, removalBatch))
}
