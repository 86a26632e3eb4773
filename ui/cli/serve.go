package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) workerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "worker", Short: "lend this machine to a cluster", Args: exactly(0, ""),
		Long: `Lend this machine to a cluster. The dispatcher is found by itself; on the same
machine and for the same user nothing has to be set. The first Ctrl-C lets
running tasks end, the second stops at once.`,
		Example: `  octaskly worker
  octaskly worker --name gpu-01 --gpu true --max-jobs 4
  octaskly worker --dispatcher 192.168.1.100 --dispatcher-port 8080`,
		RunE: func(*cobra.Command, []string) error { return a.serveNode(task.RoleWorker) },
	}
	a.nodeFlags(cmd)
	cmd.Flags().StringVar(&a.start.code, "join", "", "become a member with this `CODE`, made there by octaskly invite")
	cmd.Flags().StringVar(&a.start.file, "join-file", "", "the same with a code in a `FILE`; - is standard input")
	a.look.register(cmd.Flags())
	return cmd
}

func (a *app) dispatcherCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "dispatcher", Short: "hold the queue of a cluster, and work for it too", Args: exactly(0, ""),
		Long: `Hold the queue of a cluster and give its tasks to the workers. It works too
unless --max-jobs is 0. The first Ctrl-C lets running tasks end, the second
stops at once; nothing that was acknowledged is lost either way.`,
		Example: `  octaskly dispatcher
  octaskly dispatcher --port 8080 --bind 192.168.1.100 --require-auth true
  octaskly dispatcher --max-queue-size 50000 --max-workers 100`,
		RunE: func(*cobra.Command, []string) error { return a.serveNode(task.RoleDispatcher) },
	}
	a.nodeFlags(cmd)
	a.look.register(cmd.Flags())
	return cmd
}

// serveNode runs a node until it has stopped, with a screen if there is a
// terminal and a screen to show.
func (a *app) serveNode(role task.Role) error {
	if role == "" && a.out.json {
		return task.Errorf(task.KindUsage, "without a verb there is a screen, which has no --json").
			WithHint("octaskly top --json prints the same as objects")
	}
	cfg, err := a.configuration()
	if err != nil {
		return err
	}
	moved := role == task.RoleWorker && cfg.PortIsDispatchers()
	if a.out.json {
		cfg.LogFormat = "json"
	}
	person := isTerminal(a.Stdout) && !cfg.Headless
	drawn := person && (role == "" || a.Backend.Screen)
	if drawn { // before anything is started
		if _, err := screenKeys(cfg); err != nil {
			return err
		}
	}
	if attached, err := a.attach(cfg, role, drawn); attached || err != nil {
		return err
	}
	mode := serverLog
	if drawn {
		mode = screenLog
	}
	a.logFor(cfg, mode)
	if moved {
		slog.Warn("--port beside --dispatcher is the dispatcher's port; write --dispatcher-port, and --port for this node's own", "port", cfg.DispatcherPort)
	}
	if cfg.From("secret").Kind == "flag" {
		slog.Warn("everybody on this machine can see --secret in the list of processes; use --secret-file or OCTASKLY_SECRET")
	}
	if a.Backend.Serve == nil {
		return task.Errorf(task.KindUnavailable, "this build cannot run a node")
	}
	defer a.reportCrashes()()
	s := &server{a: a, cfg: cfg, role: role, person: person, drawn: drawn}
	if role != task.RoleDispatcher {
		if s.join, err = a.startCode(); err != nil {
			return err
		}
	}
	return s.run()
}

// attach shows a node that runs here already instead of starting another, when
// no role was asked for.
func (a *app) attach(cfg *config.Loaded, role task.Role, drawn bool) (bool, error) {
	if role != "" || !drawn || a.Backend.Running == nil {
		return false, nil
	}
	names, err := a.Backend.Running(cfg)
	if err != nil || len(names) == 0 {
		return false, err
	}
	a.logFor(cfg, screenLog)
	c, err := a.connect()
	if err != nil {
		return true, err
	}
	defer c.close()
	_, err = a.screen(a.ctx, c, true)
	return true, err
}

// screen shows the cluster until the person leaves, and reports whether a node
// in this process should stop.
func (a *app) screen(ctx context.Context, c control.Control, attached bool) (stop bool, err error) {
	if a.Backend.Screen {
		return a.openScreen(ctx, c, attached)
	}
	return true, a.top(ctx, c, 2*time.Second, 0)
}

// screenEnd is how a screen was left.
type screenEnd struct {
	stop bool // the node should stop
	err  error
}

// server is one node being run.
type server struct {
	a             *app
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
	signals := s.a.takeSignals()
	if s.a.Signals != nil {
		// Without this, a terminal that went away would end the node at its
		// next word. The signal itself is dropped.
		signal.Notify(s.a.Signals, syscall.SIGPIPE)
	}
	s.cut, s.doCut = context.WithCancel(context.Background())
	defer s.doCut()
	s.drain, s.doDrain = context.WithCancel(s.cut)
	s.ready = make(chan control.Control, 1)
	s.done = make(chan error, 1)
	s.screenDone = make(chan screenEnd, 1)
	go func() {
		s.done <- s.a.Backend.Serve(Serving{
			Drain: s.drain, Cut: s.cut, Config: s.cfg, Paths: s.a.Paths, Role: s.role, Join: s.join,
			ShowCode: s.a.codeShower(s.drawn),
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

// codeShower shows a pairing code on the terminal beside the log, which never
// has it. A screen shows it by itself, and where there is no terminal nobody
// may read along.
func (a *app) codeShower(drawn bool) func(string) {
	if drawn || !isTerminal(a.Stderr) {
		return nil
	}
	return func(code string) {
		a.out.warn("pairing code: %s\n  let this node in, where the dispatcher is:  octaskly nodes admit %s", code, code)
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
					stop, err := s.a.screen(s.drain, c, false)
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
			s.a.out.say("\nstopping; running tasks have %s. Again to stop at once.", span(s.cfg.DrainTimeout))
		}
		s.doDrain()
		return
	}
	slog.Info("stopping at once")
	s.doCut()
}
