package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/adauldev/octaskly/queue/task"
)

// Limits of tokens.
const (
	DefaultTTL = 24 * time.Hour       // of a token for which no time was given
	MaxTTL     = 365 * 24 * time.Hour // nothing lives longer without being made anew

	// MinSecretBytes is the shortest secret that signs tokens: a shorter one is
	// guessed from a single token.
	MinSecretBytes = 16

	// maxTokenBytes bounds what is parsed at all; ours are below 600.
	maxTokenBytes = 2 << 10
	maxNameBytes  = 64

	audience = "octaskly-rest"
	// leeway is how far the clock of who made a token may be ahead.
	leeway = 30 * time.Second
)

// Signer makes and judges the tokens of one cluster. It is safe for concurrent use.
type Signer struct {
	cluster string
	node    task.NodeID
	secret  []byte
	kid     string
}

// NewSigner signs with secret (HS256) for one cluster, on this node.
func NewSigner(secret, cluster string, node task.NodeID) (*Signer, error) {
	if len(secret) < MinSecretBytes {
		return nil, task.Errorf(task.KindUsage, "the secret that signs tokens has %d characters", len(secret)).
			WithHint("give at least %d, or give none: one is made and kept", MinSecretBytes)
	}
	sum := sha256.Sum256([]byte("octaskly token key\x00" + secret))
	return &Signer{cluster: cluster, node: node, secret: []byte(secret), kid: hex.EncodeToString(sum[:6])}, nil
}

// TokenRequest asks for a token.
type TokenRequest struct {
	Name string    // who will use it; tasks are its principal's, "token:NAME"
	Role task.Role // one of Roles
	TTL  time.Duration
}

// Check says what is wrong with a request, or nil. An empty TTL is DefaultTTL.
func (r *TokenRequest) Check() error {
	if !slices.Contains(Roles(), r.Role) {
		words := make([]string, 0, len(matrix))
		for _, role := range Roles() {
			words = append(words, string(role))
		}
		return task.Errorf(task.KindUsage, "%q is no role of a token; there are %s", r.Role, strings.Join(words, ", "))
	}
	notName := func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-_.", c)
	}
	if r.Name == "" || len(r.Name) > maxNameBytes || strings.ContainsFunc(r.Name, notName) {
		return task.Errorf(task.KindUsage, "%q is no name of a token; it has up to %d letters, digits, and - _ .", r.Name, maxNameBytes)
	}
	if r.TTL < 0 || r.TTL > MaxTTL {
		return task.Errorf(task.KindUsage, "a token lives for up to 365 days, not for %s", r.TTL)
	}
	return nil
}

// Claims is what a token says about who shows it.
type Claims struct {
	ID      string // of the token, random
	Name    string
	Role    task.Role
	Node    task.NodeID // which made it
	Issued  time.Time
	Expires time.Time
}

// Principal is on whose behalf the holder of the token asks.
func (c *Claims) Principal() task.Principal { return task.Principal("token:" + c.Name) }

// payload is a token as it is signed, with the names that the original used
// beside the registered ones.
type payload struct {
	jwt.RegisteredClaims
	Role        task.Role   `json:"role"`
	Permissions []Right     `json:"permissions"`
	NodeID      task.NodeID `json:"node_id"`
}

// Issue makes a token whose identifier is id, which has to be random.
func (s *Signer) Issue(r TokenRequest, id string, now time.Time) (string, Claims, error) {
	if err := r.Check(); err != nil {
		return "", Claims{}, err
	}
	if r.TTL == 0 {
		r.TTL = DefaultTTL
	}
	claims := Claims{ID: id, Name: r.Name, Role: r.Role, Node: s.node, Issued: now, Expires: now.Add(r.TTL)}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, payload{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.cluster, Subject: r.Name, Audience: jwt.ClaimStrings{audience}, ID: id,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(claims.Expires),
		},
		Role: r.Role, Permissions: RightsOf(r.Role), NodeID: s.node,
	})
	token.Header["kid"] = s.kid
	signed, err := token.SignedString(s.secret)
	if err != nil {
		return "", Claims{}, task.Errorf(task.KindInternal, "sign a token: %w", err)
	}
	return signed, claims, nil
}

// ErrToken is every refusal of a token. It says no more: who guesses learns nothing.
var ErrToken = task.Errorf(task.KindNotAllowed, "the token is not valid here, or not any more").
	WithHint("make one where the dispatcher runs: octaskly token create --role client")

// Judge says whose a token is, or ErrToken.
func (s *Signer) Judge(token string, now time.Time) (Claims, error) {
	if len(token) > maxTokenBytes || strings.Count(token, ".") != 2 {
		return Claims{}, ErrToken
	}
	var p payload
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(s.cluster), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithStrictDecoding(),
	).ParseWithClaims(token, &p, s.keyOf)
	if err != nil {
		return Claims{}, ErrToken
	}
	claims := Claims{ID: p.ID, Name: p.Subject, Role: p.Role, Node: p.NodeID, Expires: p.ExpiresAt.Time}
	request := TokenRequest{Name: claims.Name, Role: claims.Role}
	if p.IssuedAt == nil || claims.ID == "" || request.Check() != nil {
		return Claims{}, ErrToken
	}
	claims.Issued = p.IssuedAt.Time
	if claims.Expires.Sub(claims.Issued) > MaxTTL || !now.Before(claims.Expires) {
		return Claims{}, ErrToken // an end has no leeway
	}
	return claims, nil
}

// keyOf is the secret that a token names.
func (s *Signer) keyOf(token *jwt.Token) (any, error) {
	if kid, _ := token.Header["kid"].(string); kid != s.kid {
		return nil, errors.New("another key")
	}
	return s.secret, nil
}
