package store

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"earshot/models"
)

// PostgreSQL has no tokenizer that takes words as SQLite's does: without an extension
// it keeps accents, and its dictionaries are of one language each. So words are made
// here, for the index and for what is searched alike.

const (
	// longestWord bounds a word, in code points: an index holds no longer ones.
	longestWord = 500
	// mostPlaces is how many places of a word are kept, and lastPlace the highest one
	// (https://www.postgresql.org/docs/current/textsearch-limitations.html).
	mostPlaces = 256
	lastPlace  = 16383
	// columnGap keeps phrases from reaching over the end of a column.
	columnGap = 2
)

// wordsOf is a text as its words: runs of letters and digits, without case and without
// accents. Letters of scripts that write no spaces are words each.
func wordsOf(text string) (words []string) {
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word[:min(len(word), longestWord)]))
			word = word[:0]
		}
	}
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsNumber(r):
			if !accent(r) {
				end()
			}
		case unspaced(r):
			end()
			word = append(word, r)
			end()
		default:
			word = append(word, foldRune(r))
		}
	}
	end()
	return words
}

// accent reports whether r is a mark that is put over or under the letter before it.
func accent(r rune) bool {
	const first, last = 0x0300, 0x036F // combining diacritical marks
	return r >= first && r <= last
}

// foldRune is a letter in lower case, without its accents.
func foldRune(r rune) rune {
	if r < unicode.MaxLatin1 && r < 0x80 {
		return unicode.ToLower(r)
	}
	parts := []rune(string(norm.NFD.AppendString(nil, string(r))))
	if len(parts) > 1 && !slices.ContainsFunc(parts[1:], func(r rune) bool { return !accent(r) }) {
		r = parts[0]
	}
	return unicode.ToLower(r)
}

// tsvector is a row of the index: the project, and the words of its columns with
// their places.
func tsvector(project models.ID, columns ...string) string {
	places := map[string][]string{}
	place := 1
	for _, column := range columns {
		for _, word := range wordsOf(column) {
			if len(places[word]) < mostPlaces {
				places[word] = append(places[word], strconv.Itoa(min(place, lastPlace)))
			}
			place++
		}
		place += columnGap
	}
	var b strings.Builder
	b.WriteString(lexeme(projectToken(project)))
	for word, at := range places {
		b.WriteString(" " + lexeme(word) + ":" + strings.Join(at, ","))
	}
	return b.String()
}

// lexeme is a word as a literal of the index. Letters and digits need no escape, and
// so nothing of what was typed can be an operator.
func lexeme(word string) string { return "'" + word + "'" }

// phrasesOf are the words that were typed, each with those that have to follow it.
func phrasesOf(typed string) (phrases [][]string) {
	fields := strings.FieldsFunc(typed, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	for _, field := range fields[:min(len(fields), maxSearchTerms)] {
		if words := wordsOf(field); len(words) > 0 {
			phrases = append(phrases, words)
		}
	}
	return phrases
}

func (postgresDialect) expression(project models.ID, typed string) string {
	phrases := phrasesOf(typed)
	if len(phrases) == 0 {
		return ""
	}
	terms := []string{lexeme(projectToken(project))}
	for i, phrase := range phrases {
		words := make([]string, len(phrase))
		for j, word := range phrase {
			words[j] = lexeme(word)
		}
		term := strings.Join(words, " <-> ")
		if i == len(phrases)-1 { // the last one may be a beginning
			term += ":*"
		}
		terms = append(terms, "("+term+")")
	}
	return strings.Join(terms, " & ")
}

func (postgresDialect) ranked(sel *selection) (hits []rankedHit, err error) {
	var found []feedbackRow
	q := sel.hits()
	err = sel.db.Select("n", "message", "name", "email", "page_url").Where("n IN ("+q.sql+")", sel.match, rankBound).
		Order("n DESC").Find(&found).Error
	if err != nil {
		return nil, err
	}
	items := make([][][]string, len(found))
	average := make([]float64, len(columnWeights()))
	for i, row := range found {
		// The first column is the project's, as in SQLite's index.
		items[i] = [][]string{nil, wordsOf(row.Message), wordsOf(row.Name), wordsOf(row.Email), wordsOf(row.PageURL)}
		for column, words := range items[i] {
			average[column] += float64(len(words)) / float64(len(found))
		}
	}
	phrases := phrasesOf(sel.filter.Query)
	for i, row := range found {
		frequencies := make([][]float64, len(phrases))
		lengths := make([]float64, len(average))
		for column, words := range items[i] {
			lengths[column] = float64(len(words))
			for p, phrase := range phrases {
				frequencies[p] = append(frequencies[p], float64(occurrences(words, phrase, p == len(phrases)-1)))
			}
		}
		hits = append(hits, rankedHit{row.N, bm25(frequencies, lengths, average)})
	}
	return hits, nil
}

// occurrences counts a phrase among words, the last of which may be a beginning.
func occurrences(words, phrase []string, beginning bool) (n int) {
	last := len(phrase) - 1
	for i := 0; i+len(phrase) <= len(words); i++ {
		there := words[i : i+len(phrase)]
		if slices.Equal(there[:last], phrase[:last]) && (there[last] == phrase[last] || beginning && strings.HasPrefix(there[last], phrase[last])) {
			n++
		}
	}
	return n
}
