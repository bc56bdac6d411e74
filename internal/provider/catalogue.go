package provider

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/overlay"
)

//go:embed catalogue/*.yaml
var embedded embed.FS

// Catalogue is all that is known of providers. It is never changed once loaded.
type Catalogue struct {
	specs    map[string]*Spec
	overlays []string // ids of the built-in overlays that entries may refer to
}

// Builtin is the file system of the embedded catalogue, for Load.
func Builtin() fs.FS {
	sub, err := fs.Sub(embedded, "catalogue")
	if err != nil {
		panic("provider: the embedded catalogue is gone: " + err.Error()) // cannot be: the directive above names it
	}
	return sub
}

// Load reads the *.yaml files of fsys, then lays those of userDir over them: a
// file with the name of a known provider overrides what it says and keeps the
// rest, any other adds a provider. A userDir that does not exist, or "", adds
// nothing. Errors name file, line, column and field.
func Load(fsys fs.FS, userDir string) (*Catalogue, error) {
	c := &Catalogue{specs: map[string]*Spec{}}
	overlays, err := overlay.Builtins()
	if err != nil {
		return nil, err
	}
	for _, o := range overlays {
		c.overlays = append(c.overlays, o.ID)
	}
	if err := c.loadAll(fsys, ""); err != nil {
		return nil, err
	}
	if userDir == "" {
		return c, nil
	}
	if _, err := os.Stat(userDir); errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err := c.loadAll(os.DirFS(userDir), userDir); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Catalogue) loadAll(fsys fs.FS, dir string) error {
	files, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return fmt.Errorf("list the catalogue: %w", err)
	}
	docs := make([]*document, 0, len(files))
	for _, file := range files {
		raw, err := fs.ReadFile(fsys, file)
		if err != nil {
			return fmt.Errorf("read the catalogue: %w", err)
		}
		d, err := parseDocument(filepath.Join(dir, file), raw)
		if err != nil {
			return err
		}
		docs = append(docs, d)
	}
	return c.addAll(docs)
}

// addAll adds documents, each after the one that it extends.
func (c *Catalogue) addAll(docs []*document) error {
	names := make([]string, len(docs))
	byName := map[string]int{}
	for i, d := range docs {
		names[i], _ = d.head()
		if names[i] == "" {
			names[i] = strings.TrimSuffix(path.Base(filepath.ToSlash(d.file)), ".yaml")
		}
		if j, twice := byName[names[i]]; twice {
			return d.fail("$.name", "%q is described in %s already", names[i], docs[j].file)
		}
		byName[names[i]] = i
	}
	const waiting, done = 1, 2
	state := make([]int, len(docs))
	var add func(i int) error
	add = func(i int) error {
		d := docs[i]
		switch state[i] {
		case done:
			return nil
		case waiting:
			return d.fail("$.extends", "the entries extend each other in a circle")
		}
		state[i] = waiting
		_, extends := d.head()
		if j, here := byName[extends]; here && j != i {
			if err := add(j); err != nil {
				return err
			}
		}
		state[i] = done
		return c.add(d, names[i], extends)
	}
	for i := range docs {
		if err := add(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalogue) add(d *document, name, extends string) error {
	spec := &Spec{}
	if base, ok := c.specs[name]; ok {
		spec = base.clone()
	}
	if extends != "" {
		base, ok := c.specs[extends]
		if !ok {
			return d.fail("$.extends", "there is no provider %q in the catalogue%s", extends, c.suggest(extends))
		}
		spec = base.clone()
	}
	if spec.Auth.Scheme == "" {
		spec.Auth.Scheme = AuthNone
	}
	models := spec.Models
	spec.Models, spec.Extends = nil, ""
	if err := d.decode(spec); err != nil {
		return err
	}
	spec.Name = name
	if err := d.check(spec); err != nil {
		return err
	}
	for i, id := range spec.Overlays {
		if !slices.Contains(c.overlays, id) {
			return d.fail(fmt.Sprintf("$.overlays[%d]", i), "there is no built-in overlay %q%s", id, maybe(id, c.overlays))
		}
	}
	spec.Models = mergeModels(models, spec.Models)
	c.specs[name] = spec
	return nil
}

// Spec returns the entry of that name. It must not be changed.
func (c *Catalogue) Spec(name string) (*Spec, bool) {
	s, ok := c.specs[name]
	return s, ok
}

// Names lists the entries in alphabetical order.
func (c *Catalogue) Names() []string { return slices.Sorted(maps.Keys(c.specs)) }

// suggest is a clause that names the nearest entry, or nothing.
func (c *Catalogue) suggest(name string) string { return maybe(name, c.Names()) }

// dialects lists those that the entries speak.
func (c *Catalogue) dialects() []string {
	var list []string
	for _, s := range c.specs {
		list = append(list, s.Dialect)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sameAPI finds an entry with this dialect at this host, so that a second
// configuration of one API shares its facts.
func (c *Catalogue) sameAPI(dialect, baseURL string) (*Spec, bool) {
	want, err := parseBase(baseURL, dialect)
	if err != nil {
		return nil, false
	}
	for _, name := range c.Names() {
		s := c.specs[name]
		if s.Dialect != dialect || s.BaseURL == "" || s.Zone == ZoneLocal {
			continue // local runtimes share their ports with anything
		}
		if have, err := parseBase(unset(s.BaseURL), s.Dialect); err == nil && have.Host == want.Host {
			return s, true
		}
	}
	return nil, false
}
