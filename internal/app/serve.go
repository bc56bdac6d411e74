package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/server"
	"github.com/aratta-gateway/aratta/internal/telemetry"
)

func (p *program) serveCommand() *cobra.Command {
	var host string
	var port int
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the gateway",
		Long: `Run the gateway until it is interrupted (SIGINT, SIGTERM, the end of its terminal);
requests under way may then finish within server.drain_timeout. A second interrupt ends it at once.

A change of the configuration, of a catalogue file or of an overlay takes effect by
itself; so do SIGHUP and POST /api/v1/config/reload. Requests under way finish with
what they began with. A configuration with a mistake changes nothing.

Environment: ARATTA_HOST and ARATTA_PORT override the file, ARATTA_API_KEYS holds
the keys of clients beyond loopback (separated by commas), LOG_LEVEL is debug, info,
warn or error, ARATTA_HOME is where the configuration lies.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.serving = true
			said := cmd.Flags().Changed
			override := func(l *Loaded) {
				if said("host") {
					l.Server.Host = host
				}
				if said("port") {
					l.Server.Port = port
				}
			}
			l, err := Load(p.file, p.Env)
			if err != nil {
				return err
			}
			override(l)
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // or the process ends with who reads its log, at the next line
			return p.serve(ctx, l, serving{discover: true, override: override})
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "address to listen on")
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on")
	offerProfile(cmd)
	return cmd
}

// serving is how a gateway is run.
type serving struct {
	discover bool           // look for local runtimes that are not configured
	override func(*Loaded)  // what was said on the command line; nil = the configuration is fixed
	ready    func(net.Addr) // is called once it listens, if given
}

// serve runs the gateway of a configuration until ctx ends.
func (p *program) serve(ctx context.Context, l *Loaded, how serving) error {
	meter := telemetry.New(p.version)
	log, lines := p.logger(l.LogLevel, meter.LogLeftOut) //nolint:contextcheck // the notice of lines left out belongs to no request
	defer func() { _ = lines.Close() }()                 // what becomes of the log is not what becomes of the gateway
	defer paceCollector(p.Env)()
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(l.Server.Host, strconv.Itoa(l.Server.Port)))
	if err != nil {
		return listenError(l, err)
	}
	gw := &live{version: p.version, env: p.Env, file: p.file, log: log, meter: meter, discover: how.discover, lookFor: p.LookFor, override: how.override}
	if a, ok := ln.Addr().(*net.TCPAddr); ok {
		gw.port = a.Port
	}
	if err := gw.begin(ctx, l); err != nil {
		return errors.Join(err, ln.Close())
	}
	hup := make(chan os.Signal, 1)
	if how.override != nil {
		signal.Notify(hup, syscall.SIGHUP)
		defer signal.Stop(hup) // not before: when a terminal goes both its shell and the kernel say so
	}
	defer gw.close()
	ctx, end := context.WithCancel(ctx)
	defer end()
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { gw.watchOverlays(watching, l.Home) })
	if how.override != nil {
		watch.Go(func() { gw.watchFiles(watching) })
		attended := terminal(p.Err)
		watch.Go(func() { gw.watchSignals(watching, hup, func() bool { return attended && !terminal(p.Err) }, end) })
	}
	if l.Server.speaksTLS() {
		ln = gw.secure(ln)
		watch.Go(func() { gw.watchCertificate(watching) })
	}
	defer watch.Wait()
	defer stop()
	gw.now.Load().awaitRuntimes(ctx.Done())
	if how.override != nil && terminal(p.Err) {
		gw.now.Load().greet(ctx, tame{lines}, p.version, reachedAt(l, ln.Addr()))
	} else {
		gw.now.Load().announce(ctx, log, ln.Addr())
	}
	if how.ready != nil {
		how.ready(ln.Addr())
	}
	return server.Run(ctx, ln, gw, func() time.Duration { return gw.now.Load().Config.Server.DrainTimeout.Duration }, log)
}

// reachedAt is where a client on this machine reaches who listens at an address.
func reachedAt(l *Loaded, addr net.Addr) string {
	at := *l
	if a, ok := addr.(*net.TCPAddr); ok {
		at.Server.Port = a.Port
	}
	return at.url()
}

// whileServing runs the gateway of a configuration until f, which is told where it
// listens, is done.
func (p *program) whileServing(ctx context.Context, l *Loaded, how serving, f func(url string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ready, served := make(chan string, 1), make(chan error, 1)
	how.ready = func(a net.Addr) { ready <- l.Server.scheme() + a.String() }
	go func() { served <- p.serve(ctx, l, how) }()
	select {
	case err := <-served:
		return err
	case url := <-ready:
		err := f(url)
		cancel()
		return errors.Join(err, <-served)
	}
}

func listenError(l *Loaded, err error) error {
	switch _, unknown := errors.AsType[*net.DNSError](err); {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d is in use; choose another with --port or server.port: %w", l.Server.Port, err)
	case unknown, errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("server.host: %q is no address of this machine (ARATTA_HOST and --host set it too): %w", l.Server.Host, err)
	default:
		return err
	}
}

// announce says at the start what an operator wants to know: where it listens,
// who may ask, who answers.
func (s *Snapshot) announce(ctx context.Context, log *slog.Logger, addr net.Addr) {
	for _, w := range s.Warnings {
		log.WarnContext(ctx, "configuration", "warning", w)
	}
	for _, p := range s.Providers {
		log.InfoContext(ctx, "provider", "name", p.Name(), "dialect", p.Dialect(), "zone", p.Zone(), "priority", p.Priority(), "host", p.Host())
	}
	s.substitutes(ctx)
	file := s.Config.File
	if file == "" {
		file = "none, all defaults"
	}
	log.InfoContext(ctx, "listening", "address", addr.String(), "tls", s.Certificate != nil, "open_to", s.Config.openTo(), "configuration", file)
}

// substitutes has the gateway log which default models are not installed, as far as
// runtimes that listen tell at once, and returns what it says of them.
func (s *Snapshot) substitutes(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, s.lookFor)
	defer cancel()
	return s.Gateway.Substitutes(ctx)
}

// openTo says who may ask.
func (l *Loaded) openTo() string {
	free := []string{"loopback"}
	for _, n := range l.Server.TrustedNetworks {
		free = append(free, n.String())
	}
	who := strings.Join(free, ", ")
	if len(l.Keys) > 0 {
		return who + ", and others with a key"
	}
	return who + " alone; set ARATTA_API_KEYS for others"
}
