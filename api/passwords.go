package api

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/alexedwards/argon2id"

	"earshot/models"
)

// hashWait bounds the wait for a free core.
const hashWait = 5 * time.Second

// passwords hashes passwords, at most one a core at a time: each takes 19 MiB.
type passwords struct {
	params *argon2id.Params
	slots  chan struct{}
	// unknown is compared with where there is no account, so that the time of
	// an answer does not tell which accounts exist.
	unknown string
}

// newPasswords uses OWASP's second choice of parameters for Argon2id (19 MiB,
// two passes, one lane): Password Storage Cheat Sheet, 2024.
func newPasswords() (*passwords, error) {
	p := &passwords{
		params: &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, runtime.NumCPU()),
	}
	var err error
	if p.unknown, err = argon2id.CreateHash(models.NewToken(), p.params); err != nil {
		return nil, fmt.Errorf("hash password: %w", err)
	}
	return p, nil
}

func (p *passwords) acquire(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, models.Errorf(models.CodeUnavailable, "the server is busy; try again")
	}
}

func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	release, err := p.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(password, p.params)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// matches compares a password with a hash; "" stands for no account and never
// matches, but takes as long.
func (p *passwords) matches(ctx context.Context, password, hash string) (bool, error) {
	release, err := p.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	known := hash != ""
	if !known {
		hash = p.unknown
	}
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return same && known, nil
}
