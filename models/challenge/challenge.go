// Package challenge lets a client show that it has worked for what it asks: it
// looks for a number that makes the hash of a text begin with zeros. That costs a
// visitor's browser a moment once, and who sends thousands as many moments.
// It is Hashcash (http://www.hashcash.org/hashcash.pdf) with a text of the
// server's making.
package challenge

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/bits"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"earshot/models"
	"earshot/models/sighting"
)

const (
	// Lifetime is how long a challenge may be answered.
	Lifetime = 5 * time.Minute
	// minDifficulty is 65,536 hashes on average: a tenth of a second for a browser
	// that is not quick. maxDifficulty is four million.
	minDifficulty = 16
	maxDifficulty = 22
	// eased is how many challenges an address gets in a while before they become
	// harder, by a bit with each doubling.
	eased       = 8
	easedWindow = 10 * time.Minute
	countedKeys = 1 << 12
	// maxSpent bounds the memory of proofs that were used, of about 100 bytes each:
	// more than 200 a second.
	maxSpent = 1 << 16
	// maxNonce bounds what is hashed of a client's making.
	maxNonce = 64
)

// A challenge is, as base64url: the project, a number of its own, its end, its
// difficulty, and the signature over all that.
const (
	projectBytes = 16
	randomBytes  = 12
	signedBytes  = projectBytes + randomBytes + 8 + 1
	macBytes     = 16 // 128 bits: not to be found by trying
)

// Challenge is what is asked of a client.
type Challenge struct {
	Text       string
	Difficulty int
	ExpiresAt  time.Time
}

// Book gives challenges out and checks the answers. It may be used by many
// goroutines at once.
type Book struct {
	key     []byte
	now     func() time.Time
	started int64 // what was given out before was used by we do not know whom
	counts  *sighting.Table

	mu    sync.Mutex
	spent map[[randomBytes]byte]spending
	swept int64
	most  int
}

// spending is what a challenge was used for, until when it matters.
type spending struct {
	by    models.ID
	until int64
}

// NewBook makes a Book that signs with the key.
func NewBook(key []byte, now func() time.Time) *Book {
	return &Book{
		key: key, now: now, started: now().UnixMilli(), counts: sighting.New(countedKeys, easedWindow, true),
		spent: map[[randomBytes]byte]spending{}, most: maxSpent,
	}
}

// Give makes a challenge for a project. It is the harder the more the address,
// given by a number, has asked for.
func (b *Book) Give(project models.ID, address uint64) (Challenge, error) {
	id, err := uuid.Parse(string(project))
	if err != nil {
		return Challenge{}, errors.New("challenge for a project without an id")
	}
	now := b.now()
	var random [randomBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	c := Challenge{Difficulty: minDifficulty, ExpiresAt: now.Add(Lifetime).Truncate(time.Millisecond)}
	asked := b.counts.Note(address, binary.BigEndian.Uint64(random[:]), now)
	if harder := bits.Len(uint(asked / eased)); harder > 0 {
		c.Difficulty = min(minDifficulty+harder, maxDifficulty)
	}
	raw := make([]byte, 0, signedBytes+macBytes)
	raw = append(append(raw, id[:]...), random[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(c.ExpiresAt.UnixMilli()))
	raw = append(raw, byte(c.Difficulty)) //nolint:gosec // at most maxDifficulty
	raw = append(raw, b.mac(raw)...)
	c.Text = base64.RawURLEncoding.EncodeToString(raw)
	return c, nil
}

func (b *Book) mac(signed []byte) []byte {
	mac := hmac.New(sha256.New, b.key)
	mac.Write(signed)
	return mac.Sum(nil)[:macBytes]
}

// Check says what is wrong with a proof, as CodeChallengeRequired: it is the
// challenge, a colon, and what makes the SHA-256 of the whole begin with as many
// zero bits as asked. A proof serves one submission, which may be repeated.
// Where no more can be remembered it is CodeUnavailable.
func (b *Book) Check(proof string, project, submission models.ID) error {
	text, nonce, ok := strings.Cut(proof, ":")
	if !ok || nonce == "" || len(nonce) > maxNonce {
		return required("the proof must be the challenge, a colon and at most %d characters", maxNonce)
	}
	raw, ok := models.ReadBase64(text)
	if !ok || len(raw) != signedBytes+macBytes || !hmac.Equal(raw[signedBytes:], b.mac(raw[:signedBytes])) {
		return required("the proof's challenge is not one that this server gave out")
	}
	if models.ID(uuid.UUID(raw[:projectBytes]).String()) != project {
		return required("the proof's challenge is another project's")
	}
	now, until := b.now().UnixMilli(), int64(binary.BigEndian.Uint64(raw[projectBytes+randomBytes:])) //nolint:gosec // ours
	if until <= now || until-Lifetime.Milliseconds() < b.started {
		return required("the proof's challenge has expired")
	}
	if difficulty := int(raw[signedBytes-1]); Zeros(sha256.Sum256([]byte(proof))) < difficulty {
		return required("the proof's hash does not begin with %d zero bits", difficulty)
	}
	return b.spend([randomBytes]byte(raw[projectBytes:]), spending{submission, until}, now)
}

// spend notes that a challenge was used. What is still remembered when there is no
// room for more is never given up: it could be used again.
func (b *Book) spend(random [randomBytes]byte, use spending, now int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if before, used := b.spent[random]; used {
		if before.by == use.by {
			return nil
		}
		return required("the proof was used before")
	}
	if len(b.spent) >= b.most {
		b.sweep(now)
	}
	if len(b.spent) >= b.most {
		return &models.Error{Code: models.CodeUnavailable, Message: "too many proofs at the moment; try again later", RetryAfter: time.Second}
	}
	b.spent[random] = use
	return nil
}

// sweep forgets what has expired, at most once a second.
func (b *Book) sweep(now int64) {
	if now-b.swept < time.Second.Milliseconds() && now >= b.swept {
		return
	}
	b.swept = now
	for random, use := range b.spent {
		if use.until <= now {
			delete(b.spent, random)
		}
	}
}

// Required is the refusal of who brought no proof.
func Required() error {
	return required("this needs a proof of work: get a challenge, and send it again with the answer")
}

func required(format string, args ...any) *models.Error {
	return models.Errorf(models.CodeChallengeRequired, format, args...)
}

// Zeros is how many zero bits a hash begins with.
func Zeros(sum [sha256.Size]byte) int {
	for i, b := range sum {
		if b != 0 {
			return 8*i + bits.LeadingZeros8(b)
		}
	}
	return 8 * sha256.Size
}
