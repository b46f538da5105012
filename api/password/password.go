// Package password hashes and checks passwords with argon2id.
package password

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"time"

	"github.com/alexedwards/argon2id"

	"earshot/models"
)

// slotTimeout bounds the wait for a free core.
const slotTimeout = 5 * time.Second

// Hasher hashes passwords, at most one a core at a time: each takes 19 MiB, and
// a crowd at the door must not take more.
type Hasher struct {
	params *argon2id.Params
	slots  chan struct{}
	// nobody is compared with where there is no account, so that the time of an
	// answer does not tell which accounts exist. It is random and of no password:
	// to hash one would take a start 20 ms and 19 MiB.
	nobody string
}

// New makes a Hasher with OWASP's second choice of parameters for argon2id
// (19 MiB, two passes, one lane): Password Storage Cheat Sheet, 2024.
func New() *Hasher {
	h := &Hasher{
		params: &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, runtime.NumCPU()),
	}
	random := make([]byte, h.params.SaltLength+h.params.KeyLength)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	encode := base64.RawStdEncoding.EncodeToString
	h.nobody = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", h.params.Memory, h.params.Iterations, h.params.Parallelism,
		encode(random[:h.params.SaltLength]), encode(random[h.params.SaltLength:]))
	return h
}

// Hash hashes a password whose length models.CheckPassword has bounded.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, h.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Matches compares a password with a hash. "" stands for no account and never
// matches, but takes as long.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (bool, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	known := hash != ""
	if !known {
		hash = h.nobody
	}
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return same && known, nil
}

func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, slotTimeout)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, &models.Error{
			Code: models.CodeUnavailable, Message: "the server is busy; try again", RetryAfter: slotTimeout,
		}
	}
}
