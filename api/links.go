package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"earshot/models"
)

const (
	linkExpiryBytes = 8
	linkMACBytes    = 16 // 128 bits: not to be found by trying
)

// linkKey signs links that need no credential: the last part of such an address is the
// time until which it is good, and a MAC over that and over what it leads to.
type linkKey []byte

// token is that last part.
func (k linkKey) token(to models.ID, expires time.Time) string { return k.seal(to, expires.Unix()) }

func (k linkKey) seal(to models.ID, expires int64) string {
	token := binary.BigEndian.AppendUint64(nil, uint64(expires)) //nolint:gosec // a time after 1970
	mac := hmac.New(sha256.New, k)
	mac.Write(token)
	mac.Write([]byte(to))
	return base64.RawURLEncoding.EncodeToString(append(token, mac.Sum(nil)[:linkMACBytes]...))
}

// allows reports whether a token leads there, and still does.
func (k linkKey) allows(to models.ID, token string, now time.Time) bool {
	raw, ok := models.ReadBase64(token)
	if !ok || len(raw) != linkExpiryBytes+linkMACBytes {
		return false
	}
	expires := int64(binary.BigEndian.Uint64(raw)) //nolint:gosec // compared with what we made
	return hmac.Equal([]byte(token), []byte(k.seal(to, expires))) && now.Unix() <= expires
}
