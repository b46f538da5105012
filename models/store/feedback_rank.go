package store

import (
	"cmp"
	"encoding/binary"
	"slices"

	"earshot/models"
)

// rankBound is how many of the newest hits are ranked.
const rankBound = 1000

// The constants of BM25 as Robertson and Zaragoza give them (The Probabilistic
// Relevance Framework, 2009). How rare a word is does not count: every hit has all
// the words, and to tell it the index would have to read all hits.
const (
	saturation = 1.2
	normalized = 0.75
)

// columnWeights are of the index's columns: project, message, name, email, page_url.
func columnWeights() []float64 { return []float64{0, 1, 0.8, 0.8, 0.4} }

// rankedHit is a hit with its score, in thousandths, so that a cursor can name it.
type rankedHit struct{ n, score int64 }

// best are the hits to be ranked, with what the index tells of each.
func (sel *selection) best() query {
	return query{`SELECT docid, matchinfo(feedback_search, 'pcaly') AS match FROM search.feedback_search
		WHERE feedback_search MATCH ? ORDER BY docid DESC LIMIT ?`, []any{sel.match, rankBound}}
}

func (sqliteDialect) ranked(sel *selection) ([]rankedHit, error) {
	var found []struct {
		N     int64 `gorm:"column:docid"`
		Match []byte
	}
	err := sel.best().on(sel.db).Scan(&found).Error
	hits := make([]rankedHit, len(found))
	for i, hit := range found {
		hits[i] = rankedHit{hit.N, score(hit.Match)}
	}
	return hits, err
}

// ranked is a page of the newest hits, the best ones first.
func (sel *selection) ranked(page Page, after *cursor) (list List[*models.Feedback], err error) {
	hits, err := sel.dialect.ranked(sel)
	if err != nil {
		return list, translate(err)
	}
	numbers, scores := make([]int64, len(hits)), make(map[int64]int64, len(hits))
	for i, hit := range hits {
		numbers[i], scores[hit.n] = hit.n, hit.score
	}
	src := source{byWords, []span{{
		from: sel.dialect.unindexed("feedback AS f"), where: "f.n IN ? AND " + ofList,
		args: []any{numbers, sel.project, sel.filter.Quarantined}, key: "f", few: true,
	}}}
	var places []place
	if len(hits) > 0 {
		err = sel.query(part{source: src, descending: true, limit: rankBound}).on(sel.db).Scan(&places).Error
		if err != nil {
			return list, translate(err)
		}
	}
	for i := range places {
		places[i].Value = scores[places[i].N]
	}
	if page.Count != CountNone {
		list.Total = &Total{N: int64(len(places)), AtLeast: len(hits) == rankBound}
	}
	slices.SortFunc(places, func(a, b place) int { return b.compare(a) })
	if after != nil {
		last := place{after.Value, after.Created, after.N}
		places = slices.DeleteFunc(places, func(p place) bool { return p.compare(last) >= 0 })
	}
	if len(places) > page.Limit {
		places = places[:page.Limit]
		last := places[page.Limit-1]
		list.NextCursor = cursor{List: "feedback " + models.SortRelevance, Value: last.Value, Created: last.CreatedAt, N: last.N}.encode()
	}
	list.Items, err = sel.items(places)
	return list, err
}

// score reads what the index tells of a hit: the numbers of phrases and columns, the
// columns' average lengths and lengths in words, and the hits by phrase and column.
func score(match []byte) int64 {
	at := func(i int) float64 { return float64(binary.NativeEndian.Uint32(match[4*i:])) }
	phrases, columns := int(at(0)), int(at(1))
	column := func(from int) []float64 {
		all := make([]float64, columns)
		for i := range all {
			all[i] = at(from + i)
		}
		return all
	}
	const average = 2
	length, hits := average+columns, average+2*columns
	var frequencies [][]float64
	for phrase := 1; phrase < phrases; phrase++ { // the first one is the project
		frequencies = append(frequencies, column(hits+phrase*columns))
	}
	return bm25(frequencies, column(length), column(average))
}

// bm25 scores a hit by how often it has each phrase in each column, how many words
// its columns have, and how many columns have on average. It is in thousandths.
func bm25(frequencies [][]float64, lengths, average []float64) int64 {
	sum := 0.0
	for _, hits := range frequencies {
		frequency := 0.0
		for column, weight := range columnWeights() {
			long := 1 - normalized + normalized*lengths[column]/cmp.Or(average[column], 1)
			frequency += weight * hits[column] / long
		}
		sum += frequency * (saturation + 1) / (frequency + saturation)
	}
	return int64(sum * 1000)
}
