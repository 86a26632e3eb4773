package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/queue/task"
)

// Handler serves requests.
func (a *API) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := requestID(r.Header.Get("X-Request-ID"))
		head := w.Header()
		head.Set("X-Request-ID", id)
		head.Set("Cache-Control", "no-store")
		head.Set("X-Content-Type-Options", "nosniff")
		timed := &timedWriter{ResponseWriter: w, begun: time.Now()}
		if refusal := a.guard.refuse(arrivalOf(r)); refusal != nil {
			writeFailure(timed, refusal)
			return
		}
		caller, err := a.callerOf(r)
		if err != nil && !public[r.URL.Path] {
			head.Set("WWW-Authenticate", `Bearer realm="octaskly"`)
			writeFailure(timed, unauthorized(r, a.opt.Address))
			return
		}
		a.mux.ServeHTTP(timed, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// public are the paths that need no token.
var public = map[string]bool{"/health": true, "/ready": true, "/openapi.json": true}

type callerKey struct{}

// callerIn is who asks.
func callerIn(ctx context.Context) access.Claims {
	claims, _ := ctx.Value(callerKey{}).(access.Claims)
	return claims
}

// callerOf says who asks, by the token of the request.
func (a *API) callerOf(r *http.Request) (access.Claims, error) {
	if a.opt.Open {
		return access.Claims{Name: "anybody", Role: task.RoleAdmin}, nil
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return access.Claims{}, access.ErrToken
	}
	return a.opt.Signer.Judge(strings.TrimSpace(token), a.opt.Now())
}

// unauthorized says how to get in.
func unauthorized(r *http.Request, address string) *Failure {
	message := "this interface asks for a token"
	if r.Header.Get("Authorization") != "" {
		message = access.ErrToken.Error()
	}
	return failure(http.StatusUnauthorized, message,
		`make one on the dispatcher's machine and send it: curl -H "Authorization: Bearer $(octaskly token create --role client)" http://`+address+"/api/v1/tasks")
}

// requestID is the one that the caller gave, if it is harmless, or a new one.
func requestID(given string) string {
	const most = 128
	harmless := func(c rune) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune("-_.:", c)
	}
	if given != "" && len(given) <= most && strings.IndexFunc(given, func(c rune) bool { return !harmless(c) }) < 0 {
		return given
	}
	return rand.Text()
}

func writeFailure(w http.ResponseWriter, f *Failure) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_ = writeJSON(w, f)
}

// timedWriter says in a header how long the answer took to begin.
type timedWriter struct {
	http.ResponseWriter
	begun time.Time
	wrote bool
}

func (w *timedWriter) WriteHeader(status int) {
	if !w.wrote {
		w.wrote = true
		ms := float64(time.Since(w.begun).Microseconds()) / 1000
		w.Header().Set("X-Response-Time-ms", strconv.FormatFloat(ms, 'f', -1, 64))
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *timedWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
