package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/server"
)

func (p *program) serveCommand() *cobra.Command {
	var host string
	var port int
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the gateway",
		Long: `Run the gateway until it is interrupted (SIGINT, SIGTERM); requests under way
may then finish within server.drain_timeout. A second interrupt ends it at once.

Environment: ARATTA_HOST and ARATTA_PORT override the file, ARATTA_API_KEYS holds
the keys of clients beyond loopback (separated by commas), LOG_LEVEL is debug, info,
warn or error, ARATTA_HOME is where the configuration lies.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := Load(p.file, p.Env)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("host") {
				l.Server.Host = host
			}
			if cmd.Flags().Changed("port") {
				l.Server.Port = port
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return p.serve(ctx, l, true, nil)
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "address to listen on")
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on")
	offerProfile(cmd)
	return cmd
}

// serve runs the gateway of a configuration until ctx ends, with the local
// runtimes that are not configured if discover says so. ready, if given, is called
// with the address once it listens.
func (p *program) serve(ctx context.Context, l *Loaded, discover bool, ready func(net.Addr)) (err error) {
	log, done := p.logger(l.LogLevel)
	defer func() { err = errors.Join(err, done()) }()
	defer paceCollector(p.Env)()
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", net.JoinHostPort(l.Server.Host, strconv.Itoa(l.Server.Port)))
	if err != nil {
		return listenError(l, err)
	}
	var overlays overlay.Active
	s, err := Build(ctx, l, BuildOptions{Version: p.version, Env: p.Env, Log: log, Discover: discover, Overlays: &overlays})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer s.Gateway.Close()
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { watchOverlays(watching, l.Home, &overlays, log) })
	defer watch.Wait()
	defer stop()
	s.announce(ctx, log, ln.Addr())
	srv := server.New(server.Options{ //nolint:contextcheck // the request log outlives a request's context
		Gateway: s.Gateway, Dialects: Dialects(), Keys: l.Keys, Trusted: l.Server.TrustedNetworks,
		Relay: s.Gateway.Relay, RelayBody: l.Relay.bodies(),
		MaxBody: int64(l.Server.MaxBodyMB) << 20, RequestTimeout: l.Server.RequestTimeout.Duration,
		DrainTimeout: l.Server.DrainTimeout.Duration, KeepaliveAfter: l.Server.KeepaliveAfter.Duration,
		Version: p.version, Log: log,
	})
	if ready != nil {
		ready(ln.Addr())
	}
	return srv.Run(ctx, ln)
}

func listenError(l *Loaded, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use; choose another with --port or server.port: %w", l.Server.Port, err)
	}
	return err
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
	file := s.Config.File
	if file == "" {
		file = "none, all defaults"
	}
	log.InfoContext(ctx, "listening", "address", addr.String(), "open_to", s.Config.openTo(), "configuration", file)
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
