package store

import (
	"strings"

	"gorm.io/gorm"

	"earshot/models"
)

// dialect is what the two databases say differently. Statements are written so that
// both run them; what cannot be is here, and nowhere else.
type dialect interface {
	// indexed has a table (with its alias) be read along an index, and unindexed by
	// its primary key, where the database has to be told. join joins in the order in
	// which tables are named.
	indexed(table, index string) string
	unindexed(table string) string
	join() string
	// mostly is a condition that most rows fulfil, where the database would guess that
	// hardly any do.
	mostly(condition string) string
	// bounded is one of several queries whose results are merged in an order, to a
	// limit, where each has to be told of both.
	bounded(arm query, by string, limit int) query

	// elements is a table r, whose column value has the elements of a JSON array of
	// texts; text is a field of a JSON object as text; isFalse holds where what is at
	// a path of a JSON object is false.
	elements(array string) string
	text(object, field string) string
	isFalse(object string, path ...string) string

	// The search index: what it keeps of items, up to which of them, the numbers of
	// those that match an expression (the newest ones, to a bound), the expression for
	// what was typed ("" where that matches nothing), and the newest hits with scores.
	searchItems() string
	searchProgress() string
	hits() string
	expression(project models.ID, typed string) string
	ranked(sel *selection) ([]rankedHit, error)

	// explain is what a statement's plan is asked for with.
	explain() string
	// numbers gives out so many of the numbers of items, and the first of them.
	numbers(tx *gorm.DB, count int) (first int64, err error)
}

// dialectOf is the dialect of the database that db is of.
func dialectOf(db *gorm.DB) dialect {
	if db.Name() == "postgres" {
		return postgresDialect{}
	}
	return sqliteDialect{}
}

type sqliteDialect struct{}

func (sqliteDialect) indexed(table, index string) string { return table + " INDEXED BY " + index }
func (sqliteDialect) unindexed(table string) string      { return table + " NOT INDEXED" }
func (sqliteDialect) join() string                       { return "CROSS JOIN" }
func (sqliteDialect) mostly(condition string) string     { return condition }

func (sqliteDialect) bounded(arm query, _ string, _ int) query { return arm }

// Arrays of before they were texts are blobs.
func (sqliteDialect) elements(array string) string {
	return "json_each(CAST(" + array + " AS TEXT)) AS r"
}
func (sqliteDialect) text(object, field string) string { return object + " ->> '" + field + "'" }
func (sqliteDialect) isFalse(object string, path ...string) string {
	return "json_extract(" + object + ", '$." + strings.Join(path, ".") + "') = 0"
}

func (sqliteDialect) searchItems() string    { return "search.items" }
func (sqliteDialect) searchProgress() string { return "search.progress" }
func (sqliteDialect) hits() string {
	return "SELECT docid FROM search.feedback_search WHERE feedback_search MATCH ? ORDER BY docid DESC LIMIT ?"
}

func (sqliteDialect) expression(project models.ID, typed string) string {
	return searchExpression(project, typed)
}

func (sqliteDialect) explain() string { return "EXPLAIN QUERY PLAN " }

func (sqliteDialect) numbers(tx *gorm.DB, _ int) (first int64, err error) {
	err = tx.Raw("SELECT coalesce(max(n), 0) + 1 FROM feedback").Scan(&first).Error
	return first, err
}

type postgresDialect struct{}

func (postgresDialect) indexed(table, _ string) string { return table }
func (postgresDialect) unindexed(table string) string  { return table }
func (postgresDialect) join() string                   { return "JOIN" }

// What is to be sorted after the merging it would read to the end.
func (postgresDialect) bounded(arm query, by string, limit int) query {
	return query{"SELECT * FROM (" + arm.sql + " ORDER BY " + by + " LIMIT ?) AS arm", append(arm.args, limit)}
}

// Of two columns that are equal it expects one row in two hundred, and then sorts them
// all rather than read along their order. Of what it cannot look into it expects half.
func (postgresDialect) mostly(condition string) string {
	return "CASE WHEN " + condition + " THEN TRUE ELSE FALSE END"
}

func (postgresDialect) elements(array string) string {
	return "json_array_elements_text(CAST(" + array + " AS JSON)) AS r (value)"
}

func (postgresDialect) text(object, field string) string {
	return "(CAST(" + object + " AS JSON) ->> '" + field + "')"
}

// Not every text is an object, and the order in which conditions are asked is not
// ours to say.
func (postgresDialect) isFalse(object string, path ...string) string {
	return "CASE WHEN " + object + " <> '' THEN CAST(" + object + " AS JSON) #>> '{" + strings.Join(path, ",") + "}' END = 'false'"
}

func (postgresDialect) searchItems() string    { return "search_items" }
func (postgresDialect) searchProgress() string { return "search_progress" }
func (postgresDialect) hits() string {
	return "SELECT n FROM search_items WHERE words @@ CAST(? AS TSQUERY) ORDER BY n DESC LIMIT ?"
}

func (postgresDialect) explain() string { return "EXPLAIN " }

func (postgresDialect) numbers(tx *gorm.DB, count int) (first int64, err error) {
	// Nobody else takes any meanwhile: whoever fills a store has it alone.
	err = tx.Raw("SELECT min(nextval(pg_get_serial_sequence('feedback', 'n'))) FROM generate_series(1, ?)", count).Scan(&first).Error
	return first, err
}
