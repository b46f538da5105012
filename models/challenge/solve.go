package challenge

import (
	"crypto/sha256"
	"strconv"
)

// Solve looks for a proof as a client does, for tests and for programs in Go.
func Solve(text string, difficulty int) string {
	for n := 0; ; n++ {
		if proof := text + ":" + strconv.Itoa(n); Zeros(sha256.Sum256([]byte(proof))) >= difficulty {
			return proof
		}
	}
}
