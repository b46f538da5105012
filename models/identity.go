package models

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"time"
)

// IdentityClaim is who a visitor is to the site, as the site's back end has signed it.
type IdentityClaim struct {
	// ID is the site's own, at most 200 code points.
	ID string `json:"id" doc:"The site's own id of the visitor" maxLength:"200"`
	// Hash is the HMAC-SHA256 of the id, a colon and exp in decimal, with the project's
	// identity secret as it is shown, in hexadecimal.
	Hash string `json:"hash" doc:"HMAC-SHA256 of the id, a colon and exp, with the project's identity secret, in hexadecimal" maxLength:"64"`
	// Exp is when the claim ends, in Unix seconds.
	Exp int64 `json:"exp" doc:"Unix seconds"`
}

// Check holds a claim to its form. Whether it is true, Verified tells.
func (c *IdentityClaim) Check() error {
	if c == nil {
		return nil
	}
	var p problems
	if checkText(&p, "identity.id", c.ID) {
		checkLength(&p, "identity.id", c.ID, 1, MaxName)
	}
	if raw, err := hex.DecodeString(c.Hash); err != nil || len(raw) != sha256.Size {
		p.add("identity.hash", "must be 64 hexadecimal digits")
	}
	return p.err()
}

// Verified reports whether the holder of the secret has signed the claim, and its time
// is not over.
func (c *IdentityClaim) Verified(secret string, now time.Time) bool {
	given, err := hex.DecodeString(c.Hash)
	if err != nil || now.Unix() > c.Exp {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(c.ID + ":" + strconv.FormatInt(c.Exp, 10)))
	return hmac.Equal(given, mac.Sum(nil))
}

// IdentitySecret is what a project's site signs its visitors' identities with. It is
// kept nowhere: key and version make it.
func IdentitySecret(key []byte, project ID, version int) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(string(project) + ":" + strconv.Itoa(version)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
