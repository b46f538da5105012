package models

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// DeriveKey makes a key of 256 bits for one use, so that what is signed for one can
// never pass for another (RFC 5869).
func DeriveKey(secret []byte, use string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, use, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return key, nil
}
