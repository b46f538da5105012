package intake

import (
	"context"
	"hash/fnv"
	"net/netip"

	"earshot/models"
	"earshot/models/challenge"
)

// challengesPerAddress is more than an address has submissions to prove, a minute.
const challengesPerAddress = 2 * (perAddress + provenPerAddress)

// Challenge gives out a challenge for a project. One address gets no more than it
// can have use for (CodeRateLimited).
func (in *Intake) Challenge(ctx context.Context, project models.ID, address netip.Addr) (challenge.Challenge, error) {
	key := AddressKey(address)
	if err := in.asked.Take(ctx, key); err != nil {
		return challenge.Challenge{}, err
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	return in.challenges.Give(project, h.Sum64())
}
