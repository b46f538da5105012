package store

import (
	"strings"
	"unicode"

	"earshot/models"
)

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

// unspaced knows letters of scripts that write without spaces between words.
func unspaced(r rune) bool {
	const first = 0x0E00 // Thai's block: whatever comes before needs no table
	return r >= first && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
