// Package api is REST: a Control for programs that speak HTTP. It serves the calls
// of the original with their fields and words, and everything else a task can say
// in the form octaskly.task/1.
//
// Every request passes four doors, in this order: the guard (host, origin, content
// type), the token, the right of the token's role, and the Control that serves the
// token's principal. A route without a right cannot be registered.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Limits of the server, against slow and large requests.
const (
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	bodyTime    = 2 * time.Minute
	endTime     = 2 * time.Second // for answers under way when the server ends
	headerBytes = 16 << 10
	bodyBytes   = 1 << 20 // of bodies that only say what to do
)

// Options is what the interface is made of.
type Options struct {
	// Control serves one principal.
	Control func(task.Principal) control.Control
	Signer  *access.Signer
	// Open serves everybody who reaches the address as an admin, without a token.
	// The caller sees to it that the address is a loopback one.
	Open    bool
	Address string   // where it listens, for the line that a refusal prints
	Hosts   []string // further names of this machine, beside localhost and the address
	Version string
	Logger  *slog.Logger
	Now     func() time.Time // nil is time.Now
}

// API is the interface. It is safe for concurrent use.
type API struct {
	opt     Options
	guard   guard
	huma    huma.API
	mux     *http.ServeMux
	started time.Time
}

// New makes the interface and starts nothing.
func New(opt Options) *API {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	a := &API{opt: opt, mux: http.NewServeMux(), started: opt.Now()}
	a.guard.hosts = append([]string{"localhost", "127.0.0.1", "::1"}, opt.Hosts...)
	if host := hostName(opt.Address); host != "" {
		a.guard.hosts = append(a.guard.hosts, host)
	}
	setNewError()
	a.huma = humago.New(a.mux, humaConfig(opt.Version))
	a.routes()
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeFailure(w, failure(http.StatusNotFound, "there is no "+quoted(r.Method+" "+r.URL.Path), "GET /openapi.json lists what there is"))
	})
	return a
}

// setNewError makes the framework answer with a Failure. It has one such function for
// the whole process, and nothing else here uses it.
var setNewError = sync.OnceFunc(func() { huma.NewError = newFailure })

func humaConfig(version string) huma.Config {
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Octaskly", Version: version,
				Description: "The computers of a local network as one machine that runs commands.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"}},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	}
	config.RejectUnknownQueryParameters = true
	return config
}

// writeJSON writes what is safe to show on a terminal, as the command line does.
func writeJSON(w io.Writer, v any) error {
	line, err := text.JSON(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// OpenAPI is the description of the interface, as JSON, version 3.1.
func (a *API) OpenAPI() ([]byte, error) { return json.MarshalIndent(a.huma.OpenAPI(), "", "  ") }

// Run serves l until ctx ends. It closes l and returns when every answer has ended
// or was cut.
func (a *API) Run(ctx context.Context, l net.Listener) error {
	// Answers that never end by themselves (events, outputs) end with ctx.
	server := &http.Server{
		Handler: a.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(a.opt.Logger.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), endTime)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	}()
	err := server.Serve(l)
	if ctx.Err() == nil {
		return err // it ended by itself; the goroutine ends with ctx
	}
	<-done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
