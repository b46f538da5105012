package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"earshot/models"
	"earshot/models/store"
)

// A second factor is a code that changes with the time (RFC 6238), or one of the
// recovery codes, for who has lost what makes the codes.

const (
	factorPeriod = 30 // seconds, what all authenticators use
	// factorSkew is how many steps a clock may be off, both ways (RFC 6238 §5.2).
	factorSkew    = 1
	recoveryCodes = 10
	// recoveryBytes are 80 bits: a plain hash of them leaves nothing to guess.
	recoveryBytes = 10
	qrPixels      = 240
)

// NewFactor is a second factor that is still to be confirmed.
type NewFactor struct {
	Secret string `json:"secret" doc:"To be typed in where no camera is at hand"`
	URI    string `json:"uri" doc:"otpauth://…"`
	QR     []byte `json:"qr" doc:"The same as a PNG image, in base64"`
}

// Proof is one's password, once more.
type Proof struct {
	Current string `json:"current" format:"password" doc:"Your password"`
}

type proofInput struct{ Body Proof }

type newFactorOutput struct{ Body NewFactor }

func (s *Server) beginFactor(ctx context.Context, in *proofInput) (*newFactorOutput, error) {
	claims := askerOf(ctx).claims
	if err := s.prove(ctx, claims.UserID, in.Body.Current); err != nil {
		return nil, err
	}
	user, err := s.store.User(ctx, claims.UserID)
	if err != nil {
		return nil, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Earshot", AccountName: user.Email, Period: factorPeriod})
	if err != nil {
		return nil, fmt.Errorf("make second factor: %w", err)
	}
	picture, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return nil, fmt.Errorf("draw second factor: %w", err)
	}
	var qr bytes.Buffer
	if err := png.Encode(&qr, picture); err != nil {
		return nil, fmt.Errorf("draw second factor: %w", err)
	}
	if err := s.store.BeginFactor(ctx, user.ID, s.factors.Seal([]byte(key.Secret()), string(user.ID))); err != nil {
		return nil, err
	}
	return &newFactorOutput{Body: NewFactor{Secret: key.Secret(), URI: key.URL(), QR: qr.Bytes()}}, nil
}

// FactorCode is what an authenticator shows.
type FactorCode struct {
	Code string `json:"code" example:"123456"`
}

type confirmFactorInput struct{ Body FactorCode }

// RecoveryCodes are good once each.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" nullable:"false" doc:"Shown this once: they are not kept"`
}

type recoveryOutput struct{ Body RecoveryCodes }

func (s *Server) confirmFactor(ctx context.Context, in *confirmFactorInput) (*recoveryOutput, error) {
	user := askerOf(ctx).claims.UserID
	if err := s.attempt(ctx, factorKey(user)); err != nil {
		return nil, err
	}
	factor, err := s.store.SecondFactor(ctx, user)
	if err != nil {
		return nil, err
	}
	if factor.Confirmed || factor.Secret == nil {
		return nil, models.Errorf(models.CodeConflict, "there is no second factor to be confirmed")
	}
	step, err := s.matchStep(user, factor, in.Body.Code)
	if err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, models.InvalidField("code", "is not the present one")
	}
	codes, hashes := newRecoveryCodes()
	if err := s.store.ConfirmFactor(ctx, user, step, hashes); err != nil {
		return nil, err
	}
	return &recoveryOutput{Body: RecoveryCodes{Codes: codes}}, s.store.Succeeded(ctx, factorKey(user))
}

func (s *Server) removeFactor(ctx context.Context, in *proofInput) (*struct{}, error) {
	user := askerOf(ctx).claims.UserID
	if err := s.prove(ctx, user, in.Body.Current); err != nil {
		return nil, err
	}
	return nil, s.store.RemoveFactor(ctx, user)
}

func (s *Server) renewRecovery(ctx context.Context, in *proofInput) (*recoveryOutput, error) {
	user := askerOf(ctx).claims.UserID
	if err := s.prove(ctx, user, in.Body.Current); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	if err := s.store.ReplaceRecoveryCodes(ctx, user, hashes); err != nil {
		return nil, err
	}
	return &recoveryOutput{Body: RecoveryCodes{Codes: codes}}, nil
}

func factorKey(user models.ID) string { return "second factor " + string(user) }

// passFactor asks for the second factor of a user whose first was right. Attempts are
// counted by the account: only who knows the password gets here.
func (s *Server) passFactor(ctx context.Context, user models.User, code string) error {
	if !user.SecondFactor {
		return nil
	}
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
	if code == "" {
		return errFactor("is required")
	}
	if err := s.attempt(ctx, factorKey(user.ID)); err != nil {
		return err
	}
	passed, err := s.useCode(ctx, user.ID, code)
	if err != nil {
		return err
	}
	if !passed {
		return errFactor("is wrong, or was used already")
	}
	return s.store.Succeeded(ctx, factorKey(user.ID))
}

func (s *Server) useCode(ctx context.Context, user models.ID, code string) (bool, error) {
	if len(code) != otp.DigitsSix.Length() {
		used, _, err := s.store.UseRecoveryCode(ctx, user, models.HashToken(code))
		return used, err
	}
	factor, err := s.store.SecondFactor(ctx, user)
	if err != nil {
		return false, err
	}
	step, err := s.matchStep(user, factor, code)
	if err != nil || step == 0 {
		return false, err
	}
	return s.store.UseStep(ctx, user, step)
}

func errFactor(message string) error {
	return &models.Error{
		Code: models.CodeUnauthorized, Message: "a code of the second factor is needed",
		Fields: []models.FieldError{{Path: "totp", Message: message}},
	}
}

// matchStep is the time step that a code is of, 0 where it is of none that counts.
func (s *Server) matchStep(user models.ID, factor store.Factor, code string) (step int64, err error) {
	secret, err := s.factors.Open(factor.Secret, string(user))
	if err != nil {
		return 0, fmt.Errorf("second factor of user %s: %w", user, err)
	}
	options := totp.ValidateOpts{Period: factorPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	now := s.now().Unix() / factorPeriod
	for at := now - factorSkew; at <= now+factorSkew; at++ {
		want, err := totp.GenerateCodeCustom(string(secret), time.Unix(at*factorPeriod, 0), options)
		if err != nil {
			return 0, fmt.Errorf("second factor of user %s: %w", user, err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step = at
		}
	}
	return step, nil
}

// newRecoveryCodes are for people to keep, in groups of four, and what of them the
// store keeps.
func newRecoveryCodes() (codes []string, hashes []models.TokenHash) {
	for range recoveryCodes {
		raw := make([]byte, recoveryBytes)
		_, _ = rand.Read(raw) // never fails (crypto/rand)
		code := base32.StdEncoding.EncodeToString(raw)
		hashes = append(hashes, models.HashToken(code))
		const group = 4
		var parts []string
		for i := 0; i < len(code); i += group {
			parts = append(parts, code[i:i+group])
		}
		codes = append(codes, strings.Join(parts, "-"))
	}
	return codes, hashes
}
