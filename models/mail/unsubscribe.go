package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"

	"earshot/models"
)

// A link to unsubscribe says what it ends and a signature over that, as base64url.
// It vouches for itself and never runs out: the store holds nothing that could be
// stolen, and the oldest mail in somebody's box still has a link that works.
const unsubscribeMAC = 16 // bytes, 128 bits: not to be found by trying

// Links makes and reads the links in mails.
type Links struct {
	BaseURL string // without a trailing slash
	// Key signs the links to unsubscribe, and nothing else.
	Key []byte
}

func (l Links) mac(payload []byte) []byte {
	mac := hmac.New(sha256.New, l.Key)
	mac.Write([]byte("unsubscribe\x00"))
	mac.Write(payload)
	return mac.Sum(nil)[:unsubscribeMAC]
}

// Unsubscribe is the address that ends what from says.
func (l Links) Unsubscribe(from models.Unsubscription) string {
	var payload []byte
	project, user := uuid.UUID{}, uuid.UUID{}
	if from.ProjectID != "" {
		project = uuid.MustParse(string(from.ProjectID))
	}
	if from.UserID != "" {
		user = uuid.MustParse(string(from.UserID))
	}
	switch from.Kind {
	case models.MailReply:
		payload = append(append([]byte{'r'}, project[:]...), from.Address...)
	case models.MailNews:
		payload = append(append([]byte{'n'}, project[:]...), user[:]...)
	case models.MailAnswer:
		payload = append([]byte{'a'}, user[:]...)
	}
	return l.BaseURL + "/u/" + base64.RawURLEncoding.EncodeToString(append(payload, l.mac(payload)...))
}

// ReadUnsubscribe reads the last part of such an address; false where it is not
// one of ours.
func (l Links) ReadUnsubscribe(token string) (from models.Unsubscription, ok bool) {
	raw, ok := models.ReadBase64(token)
	if !ok || len(raw) <= unsubscribeMAC {
		return from, false
	}
	payload, mac := raw[:len(raw)-unsubscribeMAC], raw[len(raw)-unsubscribeMAC:]
	if !hmac.Equal(mac, l.mac(payload)) {
		return from, false
	}
	const id = len(uuid.UUID{})
	rest := payload[1:]
	switch {
	case payload[0] == 'r' && len(rest) == id+sha256.Size:
		return models.Unsubscription{Kind: models.MailReply, ProjectID: readID(rest[:id]), Address: rest[id:]}, true
	case payload[0] == 'n' && len(rest) == id+id:
		return models.Unsubscription{Kind: models.MailNews, ProjectID: readID(rest[:id]), UserID: readID(rest[id:])}, true
	case payload[0] == 'a' && len(rest) == id:
		return models.Unsubscription{Kind: models.MailAnswer, UserID: readID(rest)}, true
	}
	return from, false
}

func readID(raw []byte) models.ID { return models.ID(uuid.UUID(raw).String()) }
