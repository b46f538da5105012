package store

import (
	"slices"
	"strings"

	"gorm.io/gorm"
)

// query is a statement with its arguments.
type query struct {
	sql  string
	args []any
}

// place is where an item stands in an order; Value is that of the order's own column,
// and 0 in the order of creation.
type place struct{ Value, CreatedAt, N int64 }

func (p place) compare(q place) int {
	return slices.Compare([]int64{p.Value, p.CreatedAt, p.N}, []int64{q.Value, q.CreatedAt, q.N})
}

// part is what a page, or a part of one, is read by.
type part struct {
	source source
	// column is what it is ordered by before the time of creation; "" is that order.
	column string
	// value is what stands in the column where it is not read.
	value func(place) int64
	// extra is asked of each item beside the filter.
	extra      string
	descending bool
	// after is the place before the first item; nil is the start.
	after *place
	limit int
}

// query reads places, each span along its index, merged by their order.
func (sel *selection) query(p part) query {
	direction, compare := "ASC", ">"
	if p.descending {
		direction, compare = "DESC", "<"
	}
	by := "created_at " + direction + ", n " + direction
	if p.column != "" {
		by = "value " + direction + ", " + by
	}
	var q query
	for i, span := range p.source.spans {
		if i > 0 {
			q.sql += " UNION ALL "
		}
		columns, place := "", []string{span.key + ".created_at", span.key + ".n"}
		if p.column != "" {
			columns, place = "f."+p.column+" AS value, ", slices.Insert(place, 0, "f."+p.column)
		}
		arm := sel.arm(span, p.source.field, columns+span.key+".created_at AS created_at, "+span.key+".n AS n", p.column != "", p.extra)
		if p.after != nil {
			arm.sql += " AND (" + strings.Join(place, ", ") + ") " + compare + " (?" + strings.Repeat(", ?", len(place)-1) + ")"
			if p.column != "" {
				arm.args = append(arm.args, p.after.Value)
			}
			arm.args = append(arm.args, p.after.CreatedAt, p.after.N)
		}
		arm = sel.dialect.bounded(arm, by, p.limit)
		q.sql, q.args = q.sql+arm.sql, append(q.args, arm.args...)
	}
	q.sql, q.args = q.sql+" ORDER BY "+by+" LIMIT ?", append(q.args, p.limit)
	return q
}

// arm reads a span. What the filter asks beside the span's own field is looked up
// in the item, which is joined where the span has only its number.
func (sel *selection) arm(span span, own field, columns string, whole bool, extra string) query {
	var asked strings.Builder
	var args []any
	for _, condition := range sel.conditions {
		// That something is unread only its condition tells.
		if condition.field != own || own == byUnread {
			asked.WriteString(" AND " + condition.sql)
			args = append(args, condition.args...)
			whole = true
		}
	}
	if sel.match != "" && own != byWords {
		found := sel.hits()
		asked.WriteString(" AND f.n IN (" + found.sql + ")")
		args, whole = append(args, found.args...), true
	}
	if extra != "" {
		asked.WriteString(" AND " + extra)
		whole = true
	}
	from := span.from
	if whole && span.key != "f" {
		from += " " + sel.dialect.join() + " feedback AS f ON f.n = " + span.key + ".n"
	}
	q := query{"SELECT " + columns + " FROM " + from + " WHERE " + span.where, slices.Clone(span.args)}
	if from := sel.filter.From; !from.IsZero() {
		q.sql, q.args = q.sql+" AND "+span.key+".created_at >= ?", append(q.args, from.UnixMilli())
	}
	if to := sel.filter.To; !to.IsZero() {
		q.sql, q.args = q.sql+" AND "+span.key+".created_at < ?", append(q.args, to.UnixMilli())
	}
	return query{q.sql + asked.String(), append(q.args, args...)}
}

// counting counts what a source leads to, no further than a bound.
func (sel *selection) counting(src source, bound int) query {
	var q query
	for i, span := range src.spans {
		if i > 0 {
			q.sql += " UNION ALL "
		}
		arm := sel.arm(span, src.field, "1", false, "")
		q.sql, q.args = q.sql+arm.sql, append(q.args, arm.args...)
	}
	return query{"SELECT count(*) FROM (" + q.sql + " LIMIT ?) AS counted", append(q.args, bound)}
}

func (q query) on(db *gorm.DB) *gorm.DB { return db.Raw(q.sql, q.args...) }

// size is how much is in a source, up to a bound, whatever else the filter asks.
func (sel *selection) size(src source, bound int) (n int, err error) {
	alone := *sel
	alone.conditions, alone.match = nil, ""
	err = alone.counting(src, bound).on(sel.db).Scan(&n).Error
	return n, err
}

// choose finds the source with the least in it, and how much that is, up to
// sourceBound.
func (sel *selection) choose() (best source, size int, err error) {
	if sel.match != "" {
		return sel.found(), 0, nil
	}
	sources := sel.sources()
	if len(sel.filter.Statuses) > 0 {
		sources = append([]source{sel.created()}, sources...)
	}
	if len(sources) == 0 {
		return sel.created(), sourceBound, nil
	}
	best, size = sources[0], sourceBound
	if len(sources) == 1 && sel.filter.creationOrder() {
		return best, size, nil
	}
	for _, src := range sources {
		if src.field == byUnread { // is looked through to its end, or its bound
			continue
		}
		n, err := sel.size(src, sourceBound)
		if err != nil {
			return best, 0, err
		}
		if n < size {
			best, size = src, n
		}
	}
	return best, size, nil
}
