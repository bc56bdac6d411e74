package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/provider"
)

func (p *program) catalogueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "catalogue", Aliases: []string{"catalog"}, Short: "Show what is known of providers and models, and bring it up to date",
		Long: `Show what is known of providers and models: the entries inside the program with the
files of ~/.aratta/providers laid over them. Facts of others are read from a file that
you fetched; nothing is fetched here.`,
	}
	cmd.AddCommand(p.catalogueList(), p.catalogueShow(), p.catalogueImport(), p.catalogueDiff())
	return cmd
}

// catalogue loads the entries with the user's files, and tells where these are.
func (p *program) catalogue() (c *provider.Catalogue, own string, err error) {
	if home := Home(p.Env); home != "" {
		own = filepath.Join(home, "providers")
	}
	c, err = provider.Load(own)
	return c, own, err
}

func (p *program) asJSON(v any) error {
	enc := json.NewEncoder(p.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// entryLine is what the list tells of an entry.
type entryLine struct {
	Name         string   `json:"name"`
	Dialect      string   `json:"dialect"`
	Zone         string   `json:"zone"`
	Region       string   `json:"region,omitempty"`
	BaseURL      string   `json:"base_url"`
	Key          string   `json:"key_variable,omitempty"`
	Capabilities []string `json:"capabilities"`
	Models       int      `json:"models"`
}

func (p *program) catalogueList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the providers",
		RunE: func(*cobra.Command, []string) error {
			c, _, err := p.catalogue()
			if err != nil {
				return err
			}
			list := make([]entryLine, 0, len(c.Names()))
			for _, name := range c.Names() {
				s, _ := c.Spec(name)
				list = append(list, entryLine{name, s.Dialect, s.Zone, s.Region, s.BaseURL, s.Auth.Env, s.Capabilities, len(s.Models)})
			}
			if asJSON {
				return p.asJSON(list)
			}
			w := tabwriter.NewWriter(printable(p.Out), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "PROVIDER\tDIALECT\tZONE\tMODELS\tKEY\tADDRESS")
			for _, e := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", e.Name, e.Dialect, e.Zone, e.Models, dash(e.Key), e.BaseURL)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (p *program) catalogueShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show one provider with its models", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, _, err := p.catalogue()
			if err != nil {
				return err
			}
			text, err := c.Show(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				_, err = p.Out.Write(text.JSON)
			} else {
				_, err = printable(p.Out).Write(text.YAML)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// factFlags say which facts of a file are meant.
type factFlags struct {
	only  []string
	asOf  string
	added bool
}

func (f *factFlags) on(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.only, "provider", nil, "only these `PROVIDERS`")
	cmd.Flags().StringVar(&f.asOf, "as-of", "", "the `DAY` on which the file was true (default: when it was last changed)")
	cmd.Flags().BoolVar(&f.added, "all", false, "also models that the catalogue does not know")
}

// facts reads a file of facts.
func (p *program) facts(c *provider.Catalogue, f *factFlags, file string) (*provider.Facts, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	day := info.ModTime()
	if f.asOf != "" {
		if day, err = time.Parse(time.DateOnly, f.asOf); err != nil {
			return nil, &usageError{fmt.Errorf("--as-of: %q is no day like 2026-07-02", f.asOf)}
		}
	}
	raw, err := readAtMost(file, provider.MaxFacts)
	if err != nil {
		return nil, err
	}
	facts, err := c.ReadFacts(raw, day)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(f.only) == 0 {
		return facts, nil
	}
	kept := map[string][]provider.Model{}
	for _, name := range f.only {
		if _, ok := c.Spec(name); !ok {
			return nil, &usageError{fmt.Errorf("--provider: there is no %q in the catalogue", name)}
		}
		kept[name] = facts.Models[name]
	}
	facts.Models = kept
	return facts, nil
}

func readAtMost(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d MiB", file, most>>20)
	}
	return b, err
}

func (p *program) catalogueImport() *cobra.Command {
	var f factFlags
	var show, force bool
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take windows, limits and prices from a file of LiteLLM or models.dev",
		Long: `Take windows, limits and prices from LiteLLM's model_prices_and_context_window.json or
the api.json of models.dev, and write them to ~/.aratta/providers, one file for each
provider, where they are laid over the catalogue. Prices are kept with their day and
source. Files that somebody else wrote are left alone.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, own, err := p.catalogue()
			if err != nil {
				return err
			}
			facts, err := p.facts(c, &f, args[0])
			if err != nil {
				return err
			}
			if own == "" && !show {
				return errors.New("there is no home directory to write to; set ARATTA_HOME, or use --print")
			}
			return p.lay(c, facts, own, f.added, show, force)
		},
	}
	f.on(cmd)
	cmd.Flags().BoolVar(&show, "print", false, "print the files instead of writing them")
	cmd.Flags().BoolVar(&force, "force", false, "also in place of files that somebody else wrote")
	return cmd
}

// lay writes the files of facts, or prints them.
func (p *program) lay(c *provider.Catalogue, facts *provider.Facts, own string, added, show, force bool) error {
	n := 0
	for _, name := range c.Names() {
		text, err := c.File(facts, name, added)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		n++
		file := filepath.Join(own, name+".yaml")
		if show {
			fmt.Fprintf(printable(p.Out), "# %s\n%s\n", file, text)
			continue
		}
		switch old, err := os.ReadFile(file); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !force && !strings.HasPrefix(string(old), provider.Mark):
			fmt.Fprintf(p.Err, "%s is left as it is: somebody else wrote it; --print shows what would stand there\n", file)
			continue
		}
		if err := writeWhole(file, []byte(text)); err != nil {
			return err
		}
		fmt.Fprintln(p.Out, file)
	}
	if n == 0 {
		fmt.Fprintln(p.Err, "the file tells nothing of what the catalogue knows; --all takes other models too")
	}
	return nil
}

func (p *program) catalogueDiff() *cobra.Command {
	var f factFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff FILE", Short: "Show what such a file says differently from the catalogue", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, _, err := p.catalogue()
			if err != nil {
				return err
			}
			facts, err := p.facts(c, &f, args[0])
			if err != nil {
				return err
			}
			list := c.Diff(facts, f.added)
			if asJSON {
				if list == nil {
					list = []provider.Change{}
				}
				return p.asJSON(list)
			}
			if len(list) == 0 {
				fmt.Fprintln(p.Out, "nothing differs")
				return nil
			}
			w := tabwriter.NewWriter(printable(p.Out), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "PROVIDER\tMODEL\tFIELD\tCATALOGUE\tFILE")
			for _, d := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Provider, d.Model, d.Field, dash(d.Old), dash(d.New))
			}
			return w.Flush()
		},
	}
	f.on(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}
