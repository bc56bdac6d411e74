package app

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
)

// Setting is a value of the configuration and where it comes from.
type Setting struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Source string `json:"source"` // file:line:column, a variable, or default
}

// Settings lists what a configuration means, in the order of its types. What may
// be a secret is masked.
func (l *Loaded) Settings(env Env) []Setting {
	var list []Setting
	l.settings(&list, reflect.ValueOf(l.Config), "", env)
	return list
}

func (l *Loaded) settings(list *[]Setting, v reflect.Value, key string, env Env) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if text, ok := written(v); ok {
		if text != "" {
			l.set(list, key, text, env)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && tomlName(f) != "" {
				l.settings(list, v.Field(i), join(key, tomlName(f)), env)
			}
		}
	case reflect.Map:
		l.entries(list, v, key, env)
	case reflect.Interface:
		l.set(list, key, v.Interface(), env)
	default:
		if !v.IsZero() {
			l.set(list, key, plain(v), env)
		}
	}
}

// written is the text of values that have one, "" for those that are not set.
func written(v reflect.Value) (string, bool) {
	if d, ok := reflect.TypeAssert[Duration](v); ok {
		if d.Duration == 0 {
			return "", true
		}
		return d.String(), true
	}
	m, ok := reflect.TypeAssert[encoding.TextMarshaler](v)
	if !ok {
		return "", false
	}
	text, err := m.MarshalText()
	return string(text), err == nil
}

func (l *Loaded) entries(list *[]Setting, v reflect.Value, key string, env Env) {
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range names {
		x := v.MapIndex(name)
		if strings.HasSuffix(key, ".headers") {
			x = reflect.ValueOf(masked)
		}
		l.settings(list, x, join(key, name.String()), env)
	}
}

// masked stands for what may be a secret: headers often hold one.
const masked = "***"

// plain makes a list of tables one of their names.
func plain(v reflect.Value) any {
	if v.Kind() != reflect.Slice || v.Len() == 0 || v.Index(0).Kind() != reflect.Struct {
		return v.Interface()
	}
	var names []string
	for i := range v.Len() {
		x := v.Index(i)
		if f := x.FieldByName("Name"); f.IsValid() {
			names = append(names, f.String())
		} else {
			names = append(names, fmt.Sprint(x.Interface()))
		}
	}
	return names
}

func (l *Loaded) set(list *[]Setting, key string, value any, env Env) {
	s := Setting{Key: key, Value: value, Source: l.source(key, env)}
	if text, ok := value.(string); ok && strings.HasSuffix(key, ".url") { // of databases, with their passwords
		s.Value = withoutPassword(text)
	}
	*list = append(*list, s)
}

// withoutPassword masks what stands before the host of an address.
func withoutPassword(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if i := strings.LastIndexByte(rest, '@'); ok && i >= 0 {
		return scheme + "://" + masked + rest[i:]
	}
	return url
}

// source says where a key's value comes from.
func (l *Loaded) source(key string, env Env) string {
	for k, variable := range map[string]string{"server.host": "ARATTA_HOST", "server.port": "ARATTA_PORT"} {
		if s, ok := env(variable); key == k && ok && s != "" {
			return variable
		}
	}
	for k := key; k != ""; {
		if at, ok := l.places[k]; ok {
			return fmt.Sprintf("%s:%d:%d", l.File, at.line, at.column)
		}
		if strings.HasPrefix(key, "server.") {
			break // there alone are defaults filled in: the table may stand in the file without the key
		}
		i := strings.LastIndexByte(k, '.')
		k = k[:max(i, 0)]
	}
	return "default"
}

func (p *program) showConfig(asJSON bool) error {
	l, err := Load(p.file, p.Env)
	if err != nil {
		return err
	}
	list := l.Settings(p.Env)
	if asJSON {
		enc := json.NewEncoder(p.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(list)
	}
	w := tabwriter.NewWriter(printable(p.Out), 0, 0, 2, ' ', 0)
	for _, s := range list {
		b, err := json.Marshal(s.Value)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s = %s\t# %s\n", s.Key, b, s.Source)
	}
	return w.Flush()
}
