package models

// Evidence is what a client sends along with a submission that tells whether a
// person made it. It is no part of the payload: a repetition may bring another.
type Evidence struct {
	// Website is a field that people do not see and programs that fill in every
	// form do.
	Website string
	// ElapsedMS is the time from the opening of the form to its sending; nil where
	// the client does not say.
	ElapsedMS *int64
	// Proof answers a challenge; "" says that the client could, nil that it cannot.
	Proof *string
	// Identity is who the visitor is to the site; nil where it does not say.
	Identity *IdentityClaim
}
