package app

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/provider"
)

func (p *program) overlayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "overlay", Short: "Look at overlays, and test them",
		Long: `Overlays are patches on what travels between the gateway and a provider:
declarative, versioned, each with the evidence that called for it. Those that came
with the program act where the catalogue refers to them; your own lie in
~/.aratta/overlays/ (ARATTA_HOME) and are loaded anew when they change.`,
	}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List the overlays, and which are in force",
		RunE: func(*cobra.Command, []string) error { return p.listOverlays(asJSON) },
	}
	list.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.AddCommand(
		list,
		&cobra.Command{
			Use: "show ID", Short: "Show one overlay: what it does, for whom, and why", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return p.showOverlay(args[0]) },
		},
		&cobra.Command{
			Use: "test FILE...", Short: "Run the examples that stand in overlay files",
			Long: `Read overlay files, which need not lie in ~/.aratta/overlays/, and run the examples
under "cases" in them: what stands under "before" must become what stands under
"after". Nothing is sent anywhere. The exit code is 0 when all of them do.`,
			Args: cobra.MinimumNArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return p.testOverlays(args) },
		},
	)
	return cmd
}

// overlaysAndUsers reads what there is, and which entries of the catalogue refer
// to each built-in overlay.
func (p *program) overlaysAndUsers() (*overlay.Set, map[string][]string, error) {
	home := Home(p.Env)
	builtins, err := overlay.Builtins()
	if err != nil {
		return nil, nil, err
	}
	own, err := ownOverlays(home)
	if err != nil {
		return nil, nil, err
	}
	set := overlay.NewSet(append(builtins, own...)...)
	catalogue, err := provider.Load(providerDir(home))
	if err != nil {
		return nil, nil, err
	}
	users := map[string][]string{}
	for _, name := range catalogue.Names() {
		spec, _ := catalogue.Spec(name)
		for _, id := range spec.Overlays {
			users[id] = append(users[id], name)
		}
	}
	return set, users, nil
}

// state says in a word whether an overlay acts.
func state(o *overlay.Overlay, users map[string][]string, now time.Time) string {
	switch {
	case o.Disabled:
		return "off"
	case o.Waits():
		return "waits"
	case o.Expired(now):
		return "expired"
	case o.Origin == overlay.Builtin && len(users[o.ID]) == 0:
		return "unused"
	default:
		return "on"
	}
}

// whom says in a few words who an overlay is for.
func whom(o *overlay.Overlay, users map[string][]string) string {
	var parts []string
	for _, s := range []string{o.Match.Provider, o.Match.Dialect, o.Match.Model, o.Match.BaseURL} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if o.Origin == overlay.Builtin && len(users[o.ID]) > 0 {
		parts = append([]string{strings.Join(users[o.ID], ", ")}, parts...)
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, "; ")
}

// overlayLine is what the list tells of an overlay.
type overlayLine struct {
	ID      string   `json:"id"`
	Version string   `json:"version"`
	State   string   `json:"state"`
	Origin  string   `json:"origin"`
	Ops     []string `json:"ops"`
	For     string   `json:"for"`
}

func (p *program) listOverlays(asJSON bool) error {
	set, users, err := p.overlaysAndUsers()
	if err != nil {
		return err
	}
	if asJSON {
		list := []overlayLine{}
		for _, o := range set.All() {
			list = append(list, overlayLine{o.ID, o.Version, state(o, users, time.Now()), string(o.Origin), o.Ops(), whom(o, users)})
		}
		return p.asJSON(list)
	}
	w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tORIGIN\tOVERLAY\tOPS\tFOR")
	for _, o := range set.All() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", state(o, users, time.Now()), o.Origin, o.Name(), len(o.Ops()), whom(o, users))
	}
	return w.Flush()
}

func (p *program) showOverlay(id string) error {
	set, users, err := p.overlaysAndUsers()
	if err != nil {
		return err
	}
	names := map[string]*overlay.Overlay{}
	for _, o := range set.All() {
		names[o.ID], names[o.Name()] = o, o
	}
	o, ok := names[id]
	if !ok {
		err := fmt.Errorf("there is no overlay %q", id)
		if near := nearest.Name(id, slices.Sorted(maps.Keys(names))); near != "" {
			err = fmt.Errorf("%w; did you mean %q?", err, near)
		}
		return err
	}
	fmt.Fprintf(p.Out, "%s (%s, %s)\n", o.Name(), o.Origin, state(o, users, time.Now()))
	line := func(what, text string) {
		if text != "" {
			fmt.Fprintf(p.Out, "%-9s %s\n", what, text)
		}
	}
	line("note", o.Note)
	line("for", whom(o, users))
	line("ops", strings.Join(o.Ops(), ", "))
	for _, e := range o.Evidence {
		line("evidence", fmt.Sprintf("%s (%s, %s)", e.Sentence, e.Date, e.Source))
	}
	if !o.Expires.IsZero() {
		line("expires", o.Expires.Format(time.DateOnly))
	}
	if o.Approval.By != "" {
		line("approved", strings.TrimSpace(o.Approval.By+" "+o.Approval.Date))
	}
	line("examples", fmt.Sprint(len(o.Cases)))
	line("from", fmt.Sprintf("%s:%d", o.File, o.Line))
	return nil
}

// errExamples ends a test of overlays in which some example failed.
var errExamples = errors.New("examples failed")

func (p *program) testOverlays(files []string) error {
	passed, failed := 0, 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		list, err := overlay.Parse(file, raw, overlay.User)
		if err != nil {
			return err
		}
		for _, o := range list {
			if len(o.Cases) == 0 {
				fmt.Fprintf(p.Out, "%s: no examples\n", o.Name())
			}
			for i := range o.Cases {
				if err := o.Try(&o.Cases[i]); err != nil {
					failed++
					fmt.Fprintf(p.Out, "%s: FAILED %s\n", o.Name(), plainError(err))
					continue
				}
				passed++
				fmt.Fprintf(p.Out, "%s: ok %s\n", o.Name(), o.Cases[i].Name)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d %w", failed, passed+failed, errExamples)
	}
	return nil
}
