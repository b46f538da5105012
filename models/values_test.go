package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIDs(t *testing.T) {
	for in, valid := range map[ID]bool{
		someID:                                   true,
		NewID():                                  true,
		"":                                       false,
		someID + "0":                             false,
		someID[:35]:                              false,
		"01890A5D-AC96-774B-BCCE-B302099A8057":   false,
		"01890a5d-ac96-474b-bcce-b302099a8057":   false, // version 4
		"01890a5d-ac96-774b-ccce-b302099a8057":   false, // another variant
		"01890a5d-ac96-774b-7cce-b302099a8057":   false,
		"01890a5dac96774bbcceb302099a8057":       false,
		"{01890a5d-ac96-774b-bcce-b302099a805}":  false,
		"01890a5d_ac96-774b-bcce-b302099a8057":   false,
		"01890a5g-ac96-774b-bcce-b302099a8057":   false,
		"01890a5d-ac96-774b-bcce-b302099a80é":    false,
		"0189\x00a5d-ac96-774b-bcce-b302099a805": false,
	} {
		if got := in.Valid(); got != valid {
			t.Errorf("%q is valid: %v, want %v", in, got, valid)
		}
	}
	one, two := NewID(), NewID()
	if one >= two {
		t.Errorf("%s was made before %s and is not smaller", one, two)
	}
}

func TestTokens(t *testing.T) {
	token := NewToken()
	for in, valid := range map[string]bool{
		token:                          true,
		strings.Repeat("A", 43):        true,
		"":                             false,
		token + "A":                    false,
		token[:42]:                     false,
		strings.Repeat("A", 42) + "B":  false, // the last 2 bits are not zero
		strings.Repeat("A", 42) + "=":  false,
		strings.Repeat("+", 43):        false,
		strings.Repeat("A", 42) + "\n": false,
	} {
		if got := ValidToken(in); got != valid {
			t.Errorf("ValidToken(%q) = %v, want %v", in, got, valid)
		}
	}
	if NewToken() == token {
		t.Error("two tokens are the same")
	}
	if got := len(HashToken(token)); got != 32 {
		t.Errorf("a hash has %d bytes, want 32", got)
	}
}

func TestProjectKeys(t *testing.T) {
	key := NewProjectKey()
	for in, valid := range map[string]bool{
		key: true, "": false, key + "a": false, key[:24]: false, "sk_" + key[3:]: false, "pk-" + key[3:]: false,
		"pk_" + strings.Repeat("z", 21) + "/": false, "pk_" + strings.Repeat("z", 21) + "_": false, strings.ToUpper(key[:3]) + key[3:]: false,
	} {
		if got := ValidProjectKey(in); got != valid {
			t.Errorf("ValidProjectKey(%q) = %v, want %v", in, got, valid)
		}
	}
	// Each of 62 characters is as likely as the others: 220,000 draws, 3,548
	// expected each, a deviation of 59; ten of those never happen by chance.
	counts := map[rune]int{}
	for range 10_000 {
		for _, c := range NewProjectKey()[3:] {
			counts[c]++
		}
	}
	for _, c := range base62 {
		if n := counts[c]; n < 2958 || n > 4138 {
			t.Errorf("%c was drawn %d times of 220,000, want about 3,548", c, n)
		}
	}
}

func TestReadDraft(t *testing.T) {
	for _, tc := range []struct {
		text  string
		kind  Kind
		hints string
	}{
		{"", "", HintEmpty},
		{" \n\u00a0", "", HintEmpty},
		{"hello there", "", ""},
		{"The cart is broken", KindBug, ""},
		{"Great shop, but the cart is broken", KindBug, ""},
		{"It doesn't work", KindBug, ""},
		{"It doesn’t work", KindBug, ""}, // as phones write it
		{"DAS FUNKTIONIERT NICHT", KindBug, ""},
		{"لا يعمل", KindBug, ""},
		{"unbroken terrors", "", ""}, // whole words only
		{"Please add dark mode", KindIdea, ""},
		{"Es wäre schön, wenn", KindIdea, ""},
		{"Thanks!", KindPraise, ""},
		{"Where is my order?", KindQuestion, ""},
		{"注文はどこですか？", KindQuestion, ""},
		{"أين طلبي؟", KindQuestion, ""},
		{strings.Repeat("a", 5000), "", ""},
		{strings.Repeat("ä", 5001), "", HintTooLong},
		{"my password is hunter2!", "", HintSecret},
		{"Passwort: geheim", "", HintSecret},
		{"I forgot my password", "", ""},
		{"-----BEGIN RSA PRIVATE KEY-----", "", HintSecret},
		{"key sk_" + "live_0123456789abcdef", "", HintSecret},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlIGhlcmU", "", HintSecret},
		{"4111 1111 1111 1111", "", HintCard},
		{"4111-1111-1111-1111", "", HintCard},
		{"card 378282246310005 declined", "", HintCard}, // 15 digits
		{"4111 1111 1111 1112", "", ""},                 // wrong check digit
		{"411111111111", "", ""},                        // 12 digits
		{"call +49 30 123456", "", ""},
	} {
		got := ReadDraft(tc.text)
		var hints []string
		for _, h := range got.Hints {
			hints = append(hints, h.Code)
		}
		if got.Kind != tc.kind || strings.Join(hints, " ") != tc.hints {
			t.Errorf("ReadDraft(%.40q) = %q %q, want %q %q", tc.text, got.Kind, hints, tc.kind, tc.hints)
		}
	}
}

// The numbers are those that payment providers publish for tests.
func TestLuhn(t *testing.T) {
	for digits, want := range map[string]bool{
		"4111111111111111": true, "5555555555554444": true, "378282246310005": true, "6011000990139424": true, "79927398713": true,
		"4111111111111112": false, "79927398710": false, "5555-5555-5555-4444": true,
	} {
		if got := luhn(digits); got != want {
			t.Errorf("luhn(%s) = %v, want %v", digits, got, want)
		}
	}
}

func TestPasswords(t *testing.T) {
	for _, tc := range []struct {
		name, password string
		code           Code
	}{
		{"empty", "", CodeInvalidField},
		{"11", strings.Repeat("a", 11), CodeInvalidField},
		{"12", strings.Repeat("a", 12), ""},
		{"11 of two bytes each", strings.Repeat("ä", 11), CodeInvalidField},
		{"12 of four bytes each", strings.Repeat("😀", 12), ""},
		{"256 of four bytes each", strings.Repeat("😀", 256), ""},
		{"257", strings.Repeat("a", 257), CodeInvalidField},
		{"a megabyte", strings.Repeat("a", 1<<20), CodeInvalidField},
		{"white space counts", strings.Repeat(" ", 12), ""},
		{"NUL", strings.Repeat("a", 12) + "\x00", CodeInvalidText},
		{"invalid UTF-8", strings.Repeat("a", 12) + "\xff", CodeInvalidText},
	} {
		err := CheckPassword(tc.password)
		if CodeOf(err) != tc.code {
			t.Errorf("%s: %v, want code %q", tc.name, err, tc.code)
		}
		if err != nil && tc.password != "" && strings.Contains(err.Error(), tc.password) {
			t.Errorf("%s: the error repeats the password", tc.name)
		}
	}
}

func TestNewUser(t *testing.T) {
	user, err := NewUser(" Ann@Example.COM ", " Ann ", "correct horse battery")
	if err != nil || user.Email != "ann@example.com" || user.Name != "Ann" || user.PasswordHash != "" {
		t.Errorf("got %+v (%v), want address and name in their normal form", user, err)
	}
	_, err = NewUser("ann", strings.Repeat("a", 201), "short")
	checkErr(t, err, CodeInvalidField, "email name password")
	organization, err := NewOrganization("  Shop ")
	if err != nil || organization.Name != "Shop" {
		t.Errorf("got %+v (%v), want the name trimmed", organization, err)
	}
	_, err = NewOrganization(" \n ")
	checkErr(t, err, CodeInvalidField, "organization")
}

func TestCheckTriage(t *testing.T) {
	text := func(s string) *string { return &s }
	tags := func(s ...string) *[]string { return &s }
	for _, tc := range []struct {
		name  string
		in    Triage
		paths string
		tags  []string
	}{
		{"status", Triage{Status: (*Status)(text("open")), Rev: 1}, "", nil},
		{"unassign", Triage{AssigneeID: (*ID)(text("")), Rev: 1}, "", nil},
		{"tags are trimmed, sorted and once", Triage{Tags: tags("b", " a ", "b ", "a"), Rev: 1}, "", []string{"a", "b"}},
		{"no tags", Triage{Tags: tags(), Rev: 1}, "", []string{}},
		{"nothing", Triage{Rev: 1}, "", nil},
		{"no revision", Triage{Priority: (*Priority)(text("high"))}, "rev", nil},
		{"bad values", Triage{Status: (*Status)(text("done")), Priority: (*Priority)(text("")), AssigneeID: (*ID)(text("x")), Rev: 1}, "status priority assignee_id", nil},
		{"empty tag", Triage{Tags: tags("a", " "), Rev: 1}, "tags", nil},
		{"long tag", Triage{Tags: tags(strings.Repeat("ä", 51)), Rev: 1}, "tags", nil},
		{"21 tags", Triage{Tags: tags(strings.Fields(strings.Repeat("a ", 21))...), Rev: 1}, "tags", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.in.Check()
			if tc.name == "nothing" {
				checkErr(t, err, CodeInvalidField, "")
				return
			}
			code := CodeInvalidField
			if tc.paths == "" {
				code = ""
			}
			checkErr(t, err, code, tc.paths)
			if tc.tags != nil && !slices.Equal(*tc.in.Tags, tc.tags) {
				t.Errorf("tags are %q, want %q", *tc.in.Tags, tc.tags)
			}
		})
	}
}

func TestPriorityRanks(t *testing.T) {
	for rank, priority := range Priorities() {
		if priority.Rank() != rank || PriorityOfRank(rank) != priority {
			t.Errorf("%s has rank %d, and rank %d is %s", priority, priority.Rank(), rank, PriorityOfRank(rank))
		}
	}
	if PriorityOfRank(-1) != PriorityLow || PriorityOfRank(99) != PriorityUrgent || Priority("x").Rank() != -1 {
		t.Error("ranks outside the list are not held to its ends")
	}
}

func TestRoles(t *testing.T) {
	for role, want := range map[Role][3]bool{
		RoleOwner: {true, true, true}, RoleAdmin: {true, true, true}, RoleAgent: {false, true, false}, RoleViewer: {}, "": {}, "root": {},
	} {
		if got := [3]bool{role.CanManage(), role.CanTriage(), role.CanErase()}; got != want {
			t.Errorf("%q may manage, triage, erase: %v, want %v", role, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		err    error
		code   Code
		status int
	}{
		{nil, "", 500},
		{errors.New("disk"), CodeInternal, 500},
		{fmt.Errorf("list: %w", Errorf(CodeNotFound, "no %s", "item")), CodeNotFound, 404},
		{errors.Join(errors.New("a"), &Error{Code: CodeStorageFull, RetryAfter: time.Second}), CodeStorageFull, 507},
		{&Error{Code: "from_the_future"}, "from_the_future", 500},
	} {
		code := CodeOf(tc.err)
		if code != tc.code || code.HTTPStatus() != tc.status {
			t.Errorf("%v: code %q status %d, want %q %d", tc.err, code, code.HTTPStatus(), tc.code, tc.status)
		}
	}
	for _, code := range Codes() {
		if status := code.HTTPStatus(); status < 400 || status > 599 {
			t.Errorf("%s is answered with %d", code, status)
		}
	}
	if !slices.IsSorted(Codes()) {
		t.Errorf("Codes() is %v, want it sorted", Codes())
	}
}
