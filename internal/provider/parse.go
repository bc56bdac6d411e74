package provider

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/scri"
)

// maxSpec bounds a catalogue file.
const maxSpec = 4 << 20

// document is one catalogue file on its way in.
type document struct {
	file string
	tree *ast.File
}

func parseDocument(file string, raw []byte) (*document, error) {
	d := &document{file: file}
	if len(raw) > maxSpec {
		return nil, invalidf("", "%s: larger than %d bytes", file, maxSpec)
	}
	tree, err := parseTree(raw)
	if err != nil {
		return nil, d.explain(err)
	}
	if len(tree.Docs) != 1 || tree.Docs[0].Body == nil {
		return nil, invalidf("", "%s:1:1: want one YAML document with a provider", file)
	}
	d.tree = tree
	return d, nil
}

// parseTree and decodeYAML turn panics of the YAML package, which some broken
// files cause, into errors.
func parseTree(raw []byte) (tree *ast.File, err error) {
	defer noPanic(&err)
	return parser.ParseBytes(raw, 0)
}

func decodeYAML(n ast.Node, s *Spec) (err error) {
	defer noPanic(&err)
	return yaml.NodeToValue(n, s, yaml.Strict())
}

func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("cannot be read as YAML (%v)", r)
	}
}

// decode lays the document over s, field by field; lists and maps are replaced.
func (d *document) decode(s *Spec) error {
	if err := decodeYAML(d.tree.Docs[0].Body, s); err != nil {
		return d.explain(err)
	}
	return nil
}

// head reads the two fields that say what the rest is laid over.
func (d *document) head() (name, extends string) {
	return d.scalar("$.name"), d.scalar("$.extends")
}

func (d *document) node(path string) ast.Node {
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	n, err := p.FilterFile(d.tree)
	if err != nil {
		return nil
	}
	return n
}

func (d *document) scalar(path string) string {
	if n, ok := d.node(path).(*ast.StringNode); ok {
		return n.Value
	}
	return ""
}

// fail points at the value of path, or at the file's beginning where the value
// comes from elsewhere.
func (d *document) fail(path, format string, args ...any) error {
	line, column := 1, 1
	if n := d.node(path); n != nil && n.GetToken() != nil {
		line, column = n.GetToken().Position.Line, n.GetToken().Position.Column
	}
	field := strings.TrimPrefix(path, "$.")
	return invalidf("", "%s:%d:%d: %s: %s", d.file, line, column, field, fmt.Sprintf(format, args...))
}

// explain turns an error of the YAML package into file:line:column and what is
// wrong there.
func (d *document) explain(err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		return invalidf("", "%s:1:1: %v", d.file, err)
	}
	pos, msg, hint := ye.GetToken().Position, ye.GetMessage(), ""
	if rest, ok := strings.CutPrefix(msg, `unknown field "`); ok {
		name := strings.TrimSuffix(rest, `"`)
		if near := nearest.Name(name, specKeys()); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
	if i := strings.Index(msg, "into Go struct field "); i >= 0 {
		msg = "wrong type: " + strings.TrimSpace(msg[:i]) // Go's names mean nothing to the reader
	}
	return invalidf(hint, "%s:%d:%d: %s", d.file, pos.Line, pos.Column, msg)
}

func invalidf(hint, format string, args ...any) *scri.Error {
	return &scri.Error{Kind: scri.ErrInvalid, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// at names the key of the provider's table that an error is about.
func at(key string, err error) error {
	if e := scri.AsError(err); e.Path == "" {
		e.Path = "/" + key
		return e
	}
	return err
}

// maybe suggests the known word that is most like one that is none, or nothing.
func maybe(word string, known []string) string {
	if near := nearest.Name(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// specKeys lists every key a catalogue file may have.
func specKeys() []string {
	var keys []string
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for f := range t.Fields() {
			keys = append(keys, f.Tag.Get("yaml"))
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Spec]())
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Capabilities a catalogue file may name.
func capabilities() []string {
	return []string{"chat", "stream", "tools", "vision", "thinking", "embeddings", "logprobs", "prefill", "audio", "documents", "json_schema", "rerank", "transcription", "images"}
}

// check refuses what cannot be meant.
func (d *document) check(s *Spec) error {
	if s.Dialect == "" {
		return d.fail("$.dialect", "missing; say which format the provider speaks")
	}
	if !slices.Contains(zones(), s.Zone) {
		return d.fail("$.zone", "%q is none of %s%s", s.Zone, strings.Join(zones(), ", "), maybe(s.Zone, zones()))
	}
	if s.BaseURL != "" {
		if _, err := parseBase(unset(s.BaseURL), s.Dialect); err != nil {
			return d.fail("$.base_url", "%s", scri.AsError(err).Message)
		}
	}
	if s.Health != "" && !strings.HasPrefix(s.Health, "/") {
		return d.fail("$.health", "%q must begin with a slash", s.Health)
	}
	if s.Proxy != "" {
		if u, err := url.Parse(s.Proxy); err != nil || u.Host == "" {
			return d.fail("$.proxy", "not an address")
		}
	}
	if err := d.checkParams(s); err != nil {
		return err
	}
	if err := d.checkAuth(&s.Auth); err != nil {
		return err
	}
	if err := d.checkCapabilities("$.capabilities", s.Capabilities); err != nil {
		return err
	}
	if err := d.checkEmbedding("$.embedding", s.Embedding); err != nil {
		return err
	}
	return d.checkModels(s.Models)
}

func (d *document) checkEmbedding(at string, e Embedding) error {
	for _, v := range []struct {
		key   string
		value int64
	}{{"max_inputs", e.MaxInputs}, {"max_tokens", e.MaxTokens}, {"dimensions", e.Dimensions}} {
		if v.value < 0 {
			return d.fail(at+"."+v.key, "negative")
		}
	}
	return nil
}

func (d *document) checkAuth(a *Auth) error {
	switch a.Scheme {
	case AuthNone, AuthBearer, AuthAWS:
	case AuthHeader, AuthQuery:
		if a.Name == "" {
			return d.fail("$.auth.name", "missing; scheme %q needs the name of the %s", a.Scheme, a.Scheme)
		}
	case AuthOAuth, AuthGoogle:
		if a.TokenURL == "" {
			return d.fail("$.auth.token_url", "missing; scheme %q needs the address that gives the tokens", a.Scheme)
		}
	case AuthClient:
		return d.fail("$.auth.scheme", "to pass on what callers prove themselves with is decided in the configuration: auth = \"client\" in the provider's table")
	default:
		return d.fail("$.auth.scheme", "%q is none of %s%s", a.Scheme, strings.Join(schemes(), ", "), maybe(a.Scheme, schemes()))
	}
	return nil
}

func schemes() []string {
	return []string{AuthNone, AuthBearer, AuthHeader, AuthQuery, AuthOAuth, AuthGoogle, AuthAWS}
}

// checkParams looks for placeholders that stand for nothing.
func (d *document) checkParams(s *Spec) error {
	for name, p := range s.Params {
		if p.By == "" {
			continue
		}
		if _, ok := s.Params[p.By]; !ok {
			return d.fail("$.params."+name+".by", "%q is no param of this entry%s", p.By, maybe(p.By, slices.Sorted(maps.Keys(s.Params))))
		}
	}
	check := func(path, text string, more ...string) error {
		for rest := text; ; {
			_, after, ok := strings.Cut(rest, "{")
			name, next, closed := strings.Cut(after, "}")
			if !ok {
				return nil
			}
			if _, known := s.Params[name]; !closed || !known && !slices.Contains(more, name) {
				return d.fail(path, "%q is no param of this entry", "{"+name+"}")
			}
			rest = next
		}
	}
	errs := []error{check("$.base_url", s.BaseURL), check("$.auth.token_url", s.Auth.TokenURL), check("$.auth.scope", s.Auth.Scope)}
	for from, to := range s.Paths {
		if !strings.HasPrefix(from, "/") || to != "" && !strings.HasPrefix(to, "/") {
			errs = append(errs, d.fail("$.paths", "%q and what it leads to must begin with a slash", from))
		}
		errs = append(errs, check("$.paths", to, "model"))
	}
	for _, text := range s.Auth.Form {
		errs = append(errs, check("$.auth.form", text))
	}
	for i, m := range s.Models {
		errs = append(errs, check(fmt.Sprintf("$.models[%d].wire", i), m.Wire))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *document) checkCapabilities(path string, list []string) error {
	for i, c := range list {
		if slices.Contains(capabilities(), c) {
			continue
		}
		at := fmt.Sprintf("%s[%d]", path, i)
		if near := nearest.Name(c, capabilities()); near != "" {
			return d.fail(at, "unknown capability %q; did you mean %q?", c, near)
		}
		return d.fail(at, "unknown capability %q; known are %s", c, strings.Join(capabilities(), ", "))
	}
	return nil
}

// checkModels looks at the models as the file itself lists them, so that
// positions are right; what they are laid over was checked before.
func (d *document) checkModels(models []Model) error {
	seen := map[string]bool{}
	for i, m := range models {
		at := fmt.Sprintf("$.models[%d]", i)
		switch {
		case m.Name == "":
			return d.fail(at, "a model without a name")
		case seen[m.Name]:
			return d.fail(at+".name", "%q is listed twice", m.Name)
		case m.ContextWindow < 0:
			return d.fail(at+".context_window", "negative")
		case m.MaxOutput < 0:
			return d.fail(at+".max_output", "negative")
		case !isDate(m.Released):
			return d.fail(at+".released", "%q is no date like 2025-09-29", m.Released)
		case !isDate(m.Retired):
			return d.fail(at+".retired", "%q is no date like 2025-09-29", m.Retired)
		}
		seen[m.Name] = true
		if err := d.checkCapabilities(at+".capabilities", m.Capabilities); err != nil {
			return err
		}
		if err := d.checkPrices(at+".prices", m.Prices); err != nil {
			return err
		}
		if err := d.checkEmbedding(at+".embedding", m.Embedding); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) checkPrices(at string, p *Prices) error {
	if p == nil {
		return nil
	}
	if p.AsOf == "" || !isDate(p.AsOf) {
		return d.fail(at+".as_of", "prices need the day on which they were true, like 2025-09-29")
	}
	for _, v := range p.list() {
		if v.value != nil && *v.value < 0 {
			return d.fail(at+"."+v.key, "negative")
		}
	}
	return nil
}

// isDate accepts a day or nothing.
func isDate(s string) bool {
	if s == "" {
		return true
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
