package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// withoutEffect are the settings of what is still to come. They are taken, and it
// is said at the start that they do nothing.
var withoutEffect = []string{"p2p-enabled"}

// serveNode runs a node until it has stopped, with a screen if there is a
// terminal and a screen to show.
func serveNode(env *environment, role task.Role) error {
	if role == "" && env.out.json {
		return task.Errorf(task.KindUsage, "without a verb there is a screen, which has no --json").
			WithHint("octaskly top --json prints the same as objects")
	}
	cfg, err := env.configuration()
	if err != nil {
		return err
	}
	moved := role == task.RoleWorker && cfg.PortIsDispatchers()
	if env.out.json {
		cfg.LogFormat = "json"
	}
	person := isTerminal(env.Stdout) && !cfg.Headless
	drawn := person
	if drawn { // before anything is started
		if _, err := screenKeys(cfg); err != nil {
			return err
		}
	}
	if attached, err := attachToRunningNode(env, cfg, role, drawn); attached || err != nil {
		return err
	}
	mode := serverLog
	if drawn {
		mode = screenLog
	}
	env.logFor(cfg, mode)
	if moved {
		slog.Warn("--port beside --dispatcher is the dispatcher's port; write --dispatcher-port, and --port for this node's own", "port", cfg.DispatcherPort)
	}
	for _, key := range withoutEffect {
		if cfg.Given(key) {
			slog.Warn("--" + key + " has no effect yet: what it is for is not built")
		}
	}
	if role == task.RoleWorker && cfg.Given("api") && cfg.API != "off" {
		slog.Warn("--api has no effect on a worker: REST is served by the dispatcher")
	}
	if cfg.From("secret").Kind == "flag" {
		slog.Warn("everybody on this machine can see --secret in the list of processes; use --secret-file or OCTASKLY_SECRET")
	}
	defer reportRuntimeCrashes(env)()
	s := &server{env: env, cfg: cfg, role: role, person: person, drawn: drawn}
	if role != task.RoleDispatcher {
		if s.join, err = startJoinCode(env); err != nil {
			return err
		}
	}
	return s.run()
}

// attachToRunningNode shows a node that runs here already instead of starting another, when
// no role was asked for.
func attachToRunningNode(env *environment, cfg *config.Loaded, role task.Role, drawn bool) (bool, error) {
	if role != "" || !drawn {
		return false, nil
	}
	names, err := client.Running(env.ctx, env.Paths)
	if err != nil || len(names) == 0 {
		return false, err
	}
	env.logFor(cfg, screenLog)
	c, err := env.connect()
	if err != nil {
		return true, err
	}
	defer c.close()
	_, err = openScreen(env, env.ctx, c, true)
	return true, err
}

// screenEnd is how a screen was left.
type screenEnd struct {
	stop bool // the node should stop
	err  error
}

// server is one node being run.
type server struct {
	env           *environment
	cfg           *config.Loaded
	role          task.Role
	join          string // a code to become a member with
	person, drawn bool

	drain, cut     context.Context
	doDrain, doCut context.CancelFunc
	asked          int
	ready          chan control.Control
	screenDone     chan screenEnd
	done           chan error
}

// run starts the node and returns when it has stopped, and everything started
// here with it.
func (s *server) run() error {
	signals := s.env.takeSignals()
	if s.env.Signals != nil {
		// Without this, a terminal that went away would end the node at its
		// next word. The signal itself is dropped.
		signal.Notify(s.env.Signals, syscall.SIGPIPE)
	}
	s.cut, s.doCut = context.WithCancel(context.Background())
	defer s.doCut()
	s.drain, s.doDrain = context.WithCancel(s.cut)
	s.ready = make(chan control.Control, 1)
	s.done = make(chan error, 1)
	s.screenDone = make(chan screenEnd, 1)
	go func() {
		s.done <- s.env.Serve(Serving{
			Drain: s.drain, Cut: s.cut, Config: s.cfg, Paths: s.env.Paths, Role: s.role, Join: s.join,
			ShowCode: pairingCodePrinter(s.env, s.drawn),
			Ready: func(c control.Control) {
				select {
				case s.ready <- c:
				default:
				}
			},
		})
	}()
	return s.loop(signals)
}

// pairingCodePrinter shows a pairing code on the terminal beside the log, which never
// has it. A screen shows it by itself, and where there is no terminal nobody
// may read along.
func pairingCodePrinter(env *environment, drawn bool) func(string) {
	if drawn || !isTerminal(env.Stderr) {
		return nil
	}
	return func(code string) {
		env.out.warn("pairing code: %s\n  let this node in, where the dispatcher is:  octaskly nodes admit %s", code, code)
	}
}

func (s *server) loop(signals <-chan os.Signal) error {
	screens := 0
	var screenErr error
	for {
		select {
		case sig := <-signals:
			s.signalled(sig)
		case c := <-s.ready:
			if s.drawn {
				screens++
				go func() {
					stop, err := openScreen(s.env, s.drain, c, false)
					s.screenDone <- screenEnd{stop, err}
				}()
			}
		case end := <-s.screenDone:
			screens--
			if screenErr == nil {
				screenErr = end.err
			}
			s.left(end.stop || end.err != nil)
		case err := <-s.done:
			s.doCut()
			for ; screens > 0; screens-- {
				_ = <-s.screenDone
			}
			if err == nil && s.drain.Err() == nil {
				err = screenErr
			}
			return err
		}
	}
}

// signalled drains at the first signal and cuts at the second. A hang-up ends
// only a node that somebody looks at.
func (s *server) signalled(sig os.Signal) {
	if sig == syscall.SIGHUP && !s.person {
		slog.Info("the session that started this node has ended; the node carries on")
		return
	}
	s.asked++
	if s.asked == 1 {
		slog.Info("stopping: no more tasks are taken; once more to stop at once", "running tasks have", s.cfg.DrainTimeout)
		if s.drawn {
			s.env.out.say("\nstopping; running tasks have %s. Again to stop at once.", text.Elapsed(s.cfg.DrainTimeout))
		}
		s.doDrain()
		return
	}
	slog.Info("stopping at once")
	s.doCut()
}
