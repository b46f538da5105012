package models

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hint codes tell a visitor about a draft before it is sent.
const (
	HintEmpty   = "empty"
	HintTooLong = "too_long"
	HintSecret  = "secret"
	HintCard    = "card_number"
)

// Hint is one remark on a draft.
type Hint struct {
	Code    string `json:"code" enum:"empty,too_long,secret,card_number"`
	Message string `json:"message"`
}

// Reading is what plain rules make of a draft. They guess; nothing is refused
// or changed because of them.
type Reading struct {
	Kind  Kind // "" where no rule speaks
	Hints []Hint
}

// ReadDraft reads a draft: its likely kind and what the visitor may want to
// know before sending it.
func ReadDraft(text string) Reading {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return Reading{Hints: []Hint{{HintEmpty, "Write a few words first."}}}
	}
	r := Reading{Kind: likelyKind(trimmed)}
	if utf8.RuneCountInString(trimmed) > MaxMessage {
		r.Hints = append(r.Hints, Hint{HintTooLong, "This is longer than can be sent."})
	}
	if looksLikeSecret(trimmed) {
		r.Hints = append(r.Hints, Hint{HintSecret, "This looks like a password or a key. Better leave it out."})
	}
	if hasCardNumber(trimmed) {
		r.Hints = append(r.Hints, Hint{HintCard, "This looks like a card number. Better leave it out."})
	}
	return r
}

// kindWords is read from top to bottom and the first list with a word in the
// text wins: who reports a fault politely ("great shop, but the cart is
// broken") still reports a fault.
var kindWords = []struct {
	kind  Kind
	words []string
}{
	{KindBug, []string{
		"error", "errors", "bug", "broken", "crash", "crashes", "crashed", "fails", "failed", "wrong",
		"doesn't work", "does not work", "not working", "can't", "cannot",
		"fehler", "kaputt", "funktioniert nicht", "falsch", "خطأ", "لا يعمل",
	}},
	{KindIdea, []string{
		"would be nice", "would be great", "could you add", "please add", "suggestion", "suggest", "feature", "i wish",
		"wäre schön", "vorschlag", "wünsche", "اقتراح", "أقترح",
	}},
	{KindPraise, []string{
		"thanks", "thank you", "love", "great", "awesome", "excellent",
		"danke", "super", "toll", "شكرا", "رائع",
	}},
}

var questionMarks = "?？؟"

func likelyKind(text string) Kind {
	// Padding both sides lets one Contains find whole words only.
	// Phones write the typographic apostrophe: "can’t" is "can't".
	plain := strings.ReplaceAll(strings.ToLower(text), "’", "'")
	words := " " + strings.Join(strings.FieldsFunc(plain, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '\''
	}), " ") + " "
	for _, rule := range kindWords {
		for _, word := range rule.words {
			if strings.Contains(words, " "+word+" ") {
				return rule.kind
			}
		}
	}
	if strings.ContainsAny(text, questionMarks) {
		return KindQuestion
	}
	return ""
}

// secretForms are well-known shapes of credentials: "password: x", private key
// headers, JSON web tokens, and the prefixes that large providers and we put
// before their keys.
var secretForms = regexp.MustCompile(`(?i)\b(?:password|passwort|passwd|pwd|secret|api[ _-]?key|token)\s*(?:is|ist|[:=])\s*\S{4,}` +
	`|-----BEGIN [A-Z ]*PRIVATE KEY-----` +
	`|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}` +
	`|\b(?:sk|rk)_(?:live_|test_)?[0-9A-Za-z]{16,}|\bghp_[0-9A-Za-z]{30,}|\bAKIA[0-9A-Z]{16}\b`)

// secretMarks are what each of secretForms has in it, in lower case; ſ is an s where
// case does not count.
var secretMarks = []string{"pass", "pwd", "secret", "api", "token", "private", "eyj", "k_", "ghp_", "akia", "ſ"}

// looksLikeSecret is asked with every pause of every visitor: the forms take a tenth
// of a microsecond for each byte, so that they are tried where they can match alone.
func looksLikeSecret(text string) bool {
	lower := strings.ToLower(text)
	return slices.ContainsFunc(secretMarks, func(mark string) bool { return strings.Contains(lower, mark) }) &&
		secretForms.MatchString(text)
}

const minCardDigits = 13

// Card numbers have 13 to 19 digits (ISO/IEC 7812-1), usually in groups.
var digitRuns = regexp.MustCompile(`\d(?:[ -]?\d){12,18}`)

func hasCardNumber(text string) bool {
	digits := 0
	for i := range len(text) {
		if c := text[i]; '0' <= c && c <= '9' {
			digits++
		}
	}
	if digits < minCardDigits {
		return false
	}
	for _, run := range digitRuns.FindAllString(text, 20) {
		if luhn(run) {
			return true
		}
	}
	return false
}

// luhn is the check digit formula of ISO/IEC 7812-1, annex B.
func luhn(digits string) bool {
	sum, double := 0, false
	for i := len(digits) - 1; i >= 0; i-- {
		c := digits[i]
		if c < '0' || c > '9' {
			continue
		}
		d := int(c - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}
