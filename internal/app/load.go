package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/spelling"
)

// Env looks a variable up, as os.LookupEnv does.
type Env func(name string) (string, bool)

// Problem is one thing that is wrong or noteworthy in a configuration.
type Problem struct {
	File   string
	Line   int // 0 = not known
	Column int
	Key    string // dotted
	Text   string
}

// Error returns "file:line:column: key: text".
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key)
		b.WriteString(": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Loaded is a configuration that was read and checked.
type Loaded struct {
	Config
	File     string // "" = there is none, all defaults
	Home     string // where user catalogues and state lie
	Warnings []string
	LogLevel string
	Keys     []string // API keys for clients
	Text     []byte   // of the file, as it is

	named  map[string][]string // variables of the environment by the keys that name them
	unset  map[string][]string // those of them that are not set
	places map[string]place    // where keys stand in the file
	lines  []spelling.Place    // where the lines of the canonical text come from, if the file has another spelling
}

// Home is the folder of the user's files: ARATTA_HOME, or ~/.aratta.
func Home(env Env) string {
	if s, ok := env("ARATTA_HOME"); ok && s != "" {
		return s
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return ".aratta"
	}
	return filepath.Join(dir, ".aratta")
}

// Load reads the file, or config.toml in the home folder when file is "". Only
// there may it be absent. The environment overrides what it says.
func Load(file string, env Env) (*Loaded, error) {
	name := file
	if file == "" {
		name = usualFile(env)
	}
	b, err := os.ReadFile(name)
	switch {
	case err == nil:
	case file == "" && errors.Is(err, fs.ErrNotExist):
		name = ""
	default:
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Read(name, b, env)
}

// usualFile is where the configuration lies when nobody says where.
func usualFile(env Env) string { return filepath.Join(Home(env), "config.toml") }

// Read reads and checks the text of a configuration, as if it stood in the file.
func Read(file string, text []byte, env Env) (*Loaded, error) {
	l := &Loaded{File: file, Home: Home(env), Text: text}
	if err := l.parse(text, env); err != nil {
		return nil, err
	}
	return l, nil
}

// decode reads the text of a configuration, in any spelling, and returns it in
// the canonical one.
func (l *Loaded) decode(b []byte) ([]byte, error) {
	b, err := l.spelled(b)
	if err != nil {
		return nil, err
	}
	dec := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := dec.Decode(&l.Config); err != nil {
		return nil, l.located(l.explained(err, b))
	}
	return b, nil
}

// parse reads and checks the text of a configuration.
func (l *Loaded) parse(b []byte, env Env) error {
	b, err := l.decode(b)
	if err != nil {
		return err
	}
	l.named, l.unset = map[string][]string{}, map[string][]string{}
	l.expand(reflect.ValueOf(&l.Config).Elem(), "", env)
	if err := l.environment(env); err != nil {
		return err
	}
	l.Warnings = append(l.Warnings, l.ignored()...)
	return l.located(errors.Join(l.unbuilt(), l.check(), l.misnamed(b), l.unsetVariables()))
}

// explained gives the parser's errors a place and the nearest known key.
func (l *Loaded) explained(err error, text []byte) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var list []error
		for i := range strict.Errors {
			e := &strict.Errors[i]
			line, col := l.inFile(e.Position())
			p := &Problem{File: l.File, Line: line, Column: col, Key: strings.Join(e.Key(), "."), Text: "unknown key"}
			if table := e.Key()[0]; slices.Contains(promises(), table) {
				p.Text = notEnforced
			} else if e.Key()[len(e.Key())-1] == "api_key" {
				p.Text += "; a key does not stand in the configuration: api_key_env names the environment variable that holds it, api_key_file the file"
			} else if near := nearestKey(e.Key()); near != "" {
				p.Text += fmt.Sprintf("; did you mean %q?", near)
			}
			list = append(list, p)
		}
		return errors.Join(list...)
	}
	if de, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, col := l.inFile(de.Position())
		return &Problem{File: l.File, Line: line, Column: col, Key: strings.Join(de.Key(), "."), Text: plainMismatch(strings.TrimPrefix(de.Error(), "toml: "))}
	}
	p := &Problem{File: l.File, Text: plainMismatch(strings.TrimPrefix(err.Error(), "toml: "))}
	p.Key = valued(text, p.Text)
	return p
}

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces ${VAR} in all strings below v, and notes the names under the keys
// that use them. Those that are not set become nothing.
func (l *Loaded) expand(v reflect.Value, key string, env Env) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && strings.Contains(v.String(), "${") {
			v.SetString(l.expandText(v.String(), key, env))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			l.expand(v.Elem(), key, env)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				l.expand(v.Field(i), join(key, tomlName(f)), env)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			l.expand(v.Index(i), key, env)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			val := reflect.New(v.Type().Elem()).Elem()
			val.Set(v.MapIndex(k))
			l.expand(val, join(key, k.String()), env)
			v.SetMapIndex(k, val)
		}
	case reflect.Interface:
		if !v.IsNil() {
			val := reflect.New(v.Elem().Type()).Elem()
			val.Set(v.Elem())
			l.expand(val, key, env)
			v.Set(val)
		}
	default:
	}
}

func (l *Loaded) expandText(s, key string, env Env) string {
	return variable.ReplaceAllStringFunc(s, func(m string) string {
		name := m[2 : len(m)-1]
		l.named[key] = append(l.named[key], name)
		val, ok := env(name)
		if !ok {
			l.unset[key] = append(l.unset[key], name)
		}
		return val
	})
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

func tomlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	return name
}

// environment lays the variables that Aratta knows over the file.
func (l *Loaded) environment(env Env) error {
	if s, ok := env("ARATTA_HOST"); ok && s != "" {
		l.Server.Host = s
		delete(l.unset, "server.host")
	}
	if s, ok := env("ARATTA_PORT"); ok && s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostPort {
			return &Problem{Key: "ARATTA_PORT", Text: fmt.Sprintf("%q is no port", s)}
		}
		l.Server.Port = n
	}
	if s, ok := env("LOG_LEVEL"); ok {
		switch strings.ToLower(s) {
		case "", "debug", "info", "warn", "error":
			l.LogLevel = s
		default:
			return &Problem{Key: "LOG_LEVEL", Text: fmt.Sprintf("%q is none of debug, info, warn, error", s)}
		}
	}
	if s, ok := env("ARATTA_API_KEYS"); ok {
		for k := range strings.SplitSeq(s, ",") {
			if k = strings.TrimSpace(k); k != "" {
				l.Keys = append(l.Keys, k)
			}
		}
	}
	return nil
}

// nearestKey is the known key that is most like the last part of an unknown
// one, at the same place of the configuration.
func nearestKey(key []string) string {
	t := reflect.TypeFor[Config]()
	for _, part := range key {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() == reflect.Map {
			t = t.Elem()
			continue
		}
		if t.Kind() != reflect.Struct {
			return ""
		}
		names := map[string]reflect.Type{}
		for f := range t.Fields() {
			names[tomlName(f)] = f.Type
		}
		next, ok := names[part]
		if !ok {
			return nearest.Name(part, slices.Sorted(maps.Keys(names)))
		}
		t = next
	}
	return ""
}
