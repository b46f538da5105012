// Package seal keeps secrets that have to be read again: AES-256-GCM under a key
// that is not where they are kept.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// Box seals and opens. The zero value does neither.
type Box struct{ aead cipher.AEAD }

// New makes a Box of a key of 32 bytes.
func New(key []byte) (Box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return Box{}, fmt.Errorf("make box: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Box{}, fmt.Errorf("make box: %w", err)
	}
	return Box{aead}, nil
}

// Seal closes a secret up. of says what it belongs to: under anything else it cannot
// be opened.
func (b Box) Seal(secret []byte, of string) []byte {
	return b.aead.Seal(nil, nil, secret, []byte(of)) //nolint:gosec // this kind makes a random nonce itself and takes none
}

// Open gives the secret back.
func (b Box) Open(sealed []byte, of string) ([]byte, error) {
	if b.aead == nil {
		return nil, errors.New("open sealed secret: there is no key")
	}
	secret, err := b.aead.Open(nil, nil, sealed, []byte(of))
	if err != nil {
		return nil, errors.New("open sealed secret: it was sealed with another key, or changed")
	}
	return secret, nil
}
