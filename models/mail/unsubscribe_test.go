package mail_test

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/mail"
)

// Whatever the link, nobody's mails end but by one that was in a mail, and what it
// ends is what it was made for.
func FuzzUnsubscribe(f *testing.F) {
	links := mail.Links{BaseURL: "https://earshot.example", Key: bytes.Repeat([]byte{7}, 32)}
	const project, user = models.ID("0190a5e0-0000-7000-8000-000000000000"), models.ID("0190a5e0-0000-7000-8000-000000000001")
	address := sha256.Sum256([]byte("ann@example.com"))
	given := map[string]models.Unsubscription{}
	for _, from := range []models.Unsubscription{
		{Kind: models.MailReply, ProjectID: project, Address: address[:]},
		{Kind: models.MailNews, ProjectID: project, UserID: user},
		{Kind: models.MailAnswer, UserID: user},
	} {
		token := strings.TrimPrefix(links.Unsubscribe(from), links.BaseURL+"/u/")
		given[token] = from
		f.Add(token)
		f.Add(token + "\n")
		f.Add("r" + token[1:])
		f.Add(token[:len(token)-1])
	}
	f.Add("")
	f.Add(strings.Repeat("A", 22))
	f.Fuzz(func(t *testing.T, token string) {
		from, ok := links.ReadUnsubscribe(token)
		if want, genuine := given[token]; ok != genuine || !reflect.DeepEqual(from, want) {
			t.Fatalf("%q ends %+v, %v; want %+v, %v", token, from, ok, want, genuine)
		}
	})
}
