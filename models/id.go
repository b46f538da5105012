package models

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"time"

	"github.com/google/uuid"
)

// ID is a UUIDv7 in its lower-case text form (RFC 9562 §5.7).
type ID string

// NewID makes an ID from the system's clock and random source.
func NewID() ID {
	return ID(uuid.Must(uuid.NewV7()).String())
}

// Valid reports whether the ID is a lower-case UUIDv7 of 36 characters. Ids that
// clients make are checked with it before they reach the store.
func (id ID) Valid() bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	variant := id[19]
	return id[14] == '7' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b')
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// projectKeyLength gives 22 × log2(62) ≈ 131 bits: not guessable by trying.
const projectKeyLength = 22

// NewProjectKey makes the public key of a project: "pk_" and 22 base62 characters.
func NewProjectKey() string {
	return "pk_" + randomBase62(projectKeyLength)
}

// ValidProjectKey reports whether s has a project key's form, which spares the
// store a question for anything else.
func ValidProjectKey(s string) bool {
	return len(s) == 3+projectKeyLength && s[:3] == "pk_" && isBase62(s[3:], projectKeyLength)
}

func isBase62(s string, length int) bool {
	if len(s) != length {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func randomBase62(n int) string {
	out := make([]byte, n)
	limit := big.NewInt(int64(len(base62)))
	for i := range out {
		v, err := rand.Int(rand.Reader, limit)
		if err != nil { // crypto/rand never fails on a supported system
			panic(err)
		}
		out[i] = base62[v.Int64()]
	}
	return string(out)
}

// TokenLength is the length of a secret token: 256 bits as unpadded base64url.
const TokenLength = 43

// NewToken makes a secret of 256 bits: refresh tokens, tickets, setup links.
func NewToken() string {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand documents it)
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// ValidToken reports whether s is the base64url form of 32 bytes.
func ValidToken(s string) bool {
	if len(s) != TokenLength {
		return false
	}
	raw, ok := ReadBase64(s)
	return ok && len(raw) == 32
}

// ReadBase64 reads unpadded base64url in the one form that it is written in. The
// decoder by itself would skip line ends, strict or not: what we signed would have
// many forms.
func ReadBase64(s string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return raw, err == nil && base64.RawURLEncoding.EncodedLen(len(raw)) == len(s)
}

// TokenHash is what the store keeps of a token. The token itself has 256 random
// bits, so a plain hash suffices: there is nothing to guess.
type TokenHash []byte

// HashToken hashes a token for the store.
func HashToken(token string) TokenHash {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// resumeTimeBytes are the bytes at the start of a resume token that tell when it
// was made, in milliseconds, as in a UUIDv7.
const resumeTimeBytes = 6

// NewResumeToken makes the secret of a visitor's session: the time and 208
// random bits. A token of a client's own making need not tell the time.
func NewResumeToken() string {
	var raw [32]byte
	_, _ = rand.Read(raw[resumeTimeBytes:])
	var now [8]byte
	binary.BigEndian.PutUint64(now[:], uint64(time.Now().UnixMilli()))
	copy(raw[:], now[8-resumeTimeBytes:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// ResumeHash is what the store keeps of a resume token: its first 48 bits as
// they are and a hash of the whole. Where they tell the time, sessions that
// begin together lie together in the store's index, and a batch of submissions
// changes one of its pages instead of one each. The 208 bits that are not kept
// leave nothing to guess.
type ResumeHash []byte

// HashResumeToken hashes a valid resume token for the store.
func HashResumeToken(token string) ResumeHash {
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	sum := sha256.Sum256([]byte(token))
	hash := append(make([]byte, 0, len(sum)), raw[:min(len(raw), resumeTimeBytes)]...)
	return append(hash, sum[:cap(hash)-len(hash)]...)
}
