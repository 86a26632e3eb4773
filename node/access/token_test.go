package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/adauldev/octaskly/queue/task"
)

const secret = "0123456789abcdef0123456789abcdef"

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func signer(t testing.TB, secret, cluster string) *Signer {
	t.Helper()
	s, err := NewSigner(secret, cluster, "node1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func issue(t testing.TB, s *Signer, r TokenRequest) string {
	t.Helper()
	token, _, err := s.Issue(r, "id1", noon)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenIsReadBack(t *testing.T) {
	s := signer(t, secret, "cluster1")
	for _, role := range Roles() {
		claims, err := s.Judge(issue(t, s, TokenRequest{Name: "ci", Role: role}), noon)
		if err != nil || claims.Role != role || claims.Name != "ci" || claims.Node != "node1" || !claims.Expires.Equal(noon.Add(DefaultTTL)) {
			t.Errorf("%s: %+v, %v", role, claims, err)
		}
		if claims.Principal() != "token:ci" {
			t.Errorf("the holder is %s", claims.Principal())
		}
	}
}

func TestRequestsOfTokens(t *testing.T) {
	for name, r := range map[string]TokenRequest{
		"no name":         {Role: task.RoleClient},
		"name of another": {Name: "a@b", Role: task.RoleClient},
		"long name":       {Name: strings.Repeat("a", 65), Role: task.RoleClient},
		"unknown role":    {Name: "ci", Role: "root"},
		"no role":         {Name: "ci"},
		"in the past":     {Name: "ci", Role: task.RoleClient, TTL: -time.Second},
		"for ever":        {Name: "ci", Role: task.RoleClient, TTL: MaxTTL + 1},
	} {
		if err := r.Check(); task.KindOf(err) != task.KindUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewSigner("short", "cluster1", "node1"); task.KindOf(err) != task.KindUsage {
		t.Errorf("a short secret: %v", err)
	}
}

// forge signs claims as somebody would who does not keep to the rules.
func forge(t *testing.T, method jwt.SigningMethod, key any, kid string, change func(jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": "cluster1", "sub": "ci", "aud": "octaskly-rest", "jti": "id1", "role": "client",
		"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(),
	}
	if change != nil {
		change(claims)
	}
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestForgedTokens(t *testing.T) {
	s := signer(t, secret, "cluster1")
	good := issue(t, s, TokenRequest{Name: "ci", Role: task.RoleClient})
	parts := strings.Split(good, ".")
	raised, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var body map[string]any
	if err := json.Unmarshal(raised, &body); err != nil {
		t.Fatal(err)
	}
	body["role"] = "admin"
	raised, _ = json.Marshal(body)
	key := []byte(secret)
	with := func(name string, value any) string {
		return forge(t, jwt.SigningMethodHS256, key, s.kid, func(c jwt.MapClaims) { c[name] = value })
	}
	without := func(name string) string {
		return forge(t, jwt.SigningMethodHS256, key, s.kid, func(c jwt.MapClaims) { delete(c, name) })
	}
	if _, err := s.Judge(with("sub", "ci"), noon); err != nil {
		t.Fatal("the forger's own token is refused, so this test shows nothing: ", err)
	}
	for name, token := range map[string]string{
		"empty":               "",
		"no token":            "Basic",
		"unsigned":            forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, s.kid, nil),
		"HS512":               forge(t, jwt.SigningMethodHS512, key, s.kid, nil),
		"other secret":        issue(t, signer(t, strings.Repeat("x", 32), "cluster1"), TokenRequest{Name: "ci", Role: task.RoleClient}),
		"other cluster":       issue(t, signer(t, secret, "cluster2"), TokenRequest{Name: "ci", Role: task.RoleClient}),
		"raised role":         parts[0] + "." + base64.RawURLEncoding.EncodeToString(raised) + "." + parts[2],
		"cut":                 good[:len(good)-2],
		"blank behind":        good + " ",
		"other key id":        forge(t, jwt.SigningMethodHS256, key, "none", nil),
		"other audience":      with("aud", "octaskly-join"),
		"no audience":         without("aud"),
		"no issuer":           without("iss"),
		"no end":              without("exp"),
		"ended":               with("exp", noon.Add(-time.Second).Unix()),
		"no beginning":        without("iat"),
		"from the future":     with("iat", noon.Add(time.Hour).Unix()),
		"too long a life":     with("exp", noon.Add(MaxTTL+time.Hour).Unix()),
		"no id":               without("jti"),
		"no role":             without("role"),
		"unknown role":        with("role", "root"),
		"role as list":        with("role", []string{"admin"}),
		"name of a user":      with("sub", "user:0@node1"),
		"a megabyte":          strings.Repeat("a", 1<<20),
		"a megabyte of dots":  strings.Repeat(".", 1<<20),
		"a header of dots":    strings.Repeat(".", 1000),
		"three empty parts":   "..",
		"parts without JSON":  "YQ.YQ.YQ",
		"base64 with padding": parts[0] + "=." + parts[1] + "." + parts[2],
	} {
		if _, err := s.Judge(token, noon); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Judge(good, noon.Add(DefaultTTL)); !errors.Is(err, ErrToken) {
		t.Errorf("at its end: %v", err)
	}
}

func FuzzJudge(f *testing.F) {
	s := signer(f, secret, "cluster1")
	f.Add(issue(f, s, TokenRequest{Name: "ci", Role: task.RoleClient}))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := s.Judge(token, noon)
		if err == nil && (claims.Name == "" || len(RightsOf(claims.Role)) == 0) {
			t.Errorf("%q counts as %+v", token, claims)
		}
	})
}

// The matrix is the original's, with what the original did not have beside it.
func TestMatrix(t *testing.T) {
	want := map[Right]string{ // admin dispatcher worker client
		CreateTasks: "all all no own", ReadTasks: "all all no own", CancelTasks: "all all no own",
		ReadNodes: "all all no no", ManageNodes: "all no no no", ManageTokens: "all no no no",
	}
	words := map[Reach]string{Nothing: "no", Own: "own", All: "all"}
	for right, line := range want {
		var have []string
		for _, role := range []task.Role{task.RoleAdmin, task.RoleDispatcher, task.RoleWorker, task.RoleClient} {
			have = append(have, words[ReachOf(role, right)])
		}
		if strings.Join(have, " ") != line {
			t.Errorf("%s: %v, want %s", right, have, line)
		}
	}
	if ReachOf("root", ReadTasks) != Nothing || ReachOf(task.RoleAdmin, "tasks:eat") != Nothing {
		t.Error("what does not stand in the matrix is not denied")
	}
}
