package provider

import (
	"bytes"
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
	"sync"

	"github.com/aratta-gateway/aratta/internal/overlay"
)

//go:embed catalogue/*.yaml
var embedded embed.FS

// Catalogue is all that is known of providers. It may be used by several
// goroutines; what it says never changes once loaded.
type Catalogue struct {
	builtin  map[string]*entry
	own      map[string]*Spec // of a person's folder, laid over the others
	overlays []string         // ids of the built-in overlays that entries may refer to
}

// entry is one of the embedded catalogue. It is read when somebody asks for it:
// a start needs two or three of them, and to read all takes longer than
// everything else that it does.
type entry struct {
	text []byte
	spec func() *Spec // reads it once
}

// Load makes the catalogue out of the entries that come with the program, then
// lays the *.yaml files of userDir over them: a file with the name of a known
// provider overrides what it says and keeps the rest, any other adds a provider. A
// userDir that does not exist, or "", adds nothing. Errors name file, line, column
// and field.
func Load(userDir string) (*Catalogue, error) {
	c := &Catalogue{builtin: map[string]*entry{}, own: map[string]*Spec{}, overlays: overlay.BuiltinIDs()}
	files, err := embedded.ReadDir("catalogue")
	if err != nil {
		return nil, fmt.Errorf("list the embedded catalogue: %w", err)
	}
	for _, f := range files {
		text, err := embedded.ReadFile("catalogue/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("read the embedded catalogue: %w", err)
		}
		name := strings.TrimSuffix(f.Name(), ".yaml")
		c.builtin[name] = &entry{text: text, spec: sync.OnceValue(func() *Spec {
			spec, err := c.readBuiltin(f.Name(), name, text)
			if err != nil { // cannot be: tests read every entry
				panic("provider: the embedded catalogue: " + err.Error())
			}
			return spec
		})}
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

// readBuiltin reads an embedded entry. It may extend another one of them.
func (c *Catalogue) readBuiltin(file, name string, text []byte) (*Spec, error) {
	d, err := parseDocument(file, text)
	if err != nil {
		return nil, err
	}
	said, extends := d.head()
	if said != name {
		return nil, d.fail("$.name", "%q stands in a file of another name", said)
	}
	base := &Spec{}
	if extends != "" {
		from, ok := c.builtin[extends]
		if !ok {
			return nil, d.fail("$.extends", "there is no provider %q in the catalogue", extends)
		}
		base = from.spec().clone()
	}
	return c.lay(d, name, base)
}

// loadAll reads the files of a person's folder.
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
	base, ok := c.Spec(name)
	if extends != "" {
		if base, ok = c.Spec(extends); !ok {
			return d.fail("$.extends", "there is no provider %q in the catalogue%s", extends, c.suggest(extends))
		}
	}
	if ok {
		base = base.clone()
	} else {
		base = &Spec{}
	}
	spec, err := c.lay(d, name, base)
	if err != nil {
		return err
	}
	c.own[name] = spec
	return nil
}

// lay lays a document over what it is based on, which it takes over.
func (c *Catalogue) lay(d *document, name string, spec *Spec) (*Spec, error) {
	if spec.Auth.Scheme == "" {
		spec.Auth.Scheme = AuthNone
	}
	models := spec.Models
	spec.Models, spec.Extends = nil, ""
	if err := d.decode(spec); err != nil {
		return nil, err
	}
	spec.Name = name
	if err := d.check(spec); err != nil {
		return nil, err
	}
	for i, id := range spec.Overlays {
		if !slices.Contains(c.overlays, id) {
			return nil, d.fail(fmt.Sprintf("$.overlays[%d]", i), "there is no built-in overlay %q%s", id, maybe(id, c.overlays))
		}
	}
	spec.Models = mergeModels(models, spec.Models)
	return spec, nil
}

// Spec returns the entry of that name. It must not be changed.
func (c *Catalogue) Spec(name string) (*Spec, bool) {
	if s, ok := c.own[name]; ok {
		return s, true
	}
	if e, ok := c.builtin[name]; ok {
		return e.spec(), true
	}
	return nil, false
}

// Names lists the entries in alphabetical order.
func (c *Catalogue) Names() []string {
	names := slices.Collect(maps.Keys(c.builtin))
	names = slices.AppendSeq(names, maps.Keys(c.own))
	slices.Sort(names)
	return slices.Compact(names)
}

// suggest is a clause that names the nearest entry, or nothing.
func (c *Catalogue) suggest(name string) string { return maybe(name, c.Names()) }

// dialects lists those that the entries speak.
func (c *Catalogue) dialects() []string {
	var list []string
	for _, name := range c.Names() {
		s, _ := c.Spec(name)
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
		if e := c.builtin[name]; e != nil && c.own[name] == nil && !bytes.Contains(e.text, []byte(want.Hostname())) {
			continue // and need not be read
		}
		s, _ := c.Spec(name)
		if s.Dialect != dialect || s.BaseURL == "" || s.Zone == ZoneLocal {
			continue // local runtimes share their ports with anything
		}
		if have, err := parseBase(unset(s.BaseURL), s.Dialect); err == nil && have.Host == want.Host {
			return s, true
		}
	}
	return nil, false
}
