package app

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// place is where a key stands in a file.
type place struct{ line, column int }

// places finds where each key and table of a TOML text stands, by its dotted
// name. Of a key that stands there several times the first counts. A text that
// does not parse has none.
func places(text []byte) map[string]place {
	at := map[string]place{}
	var p unstable.Parser
	p.Reset(text)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		key := e.Key()
		var parts []string
		first := unstable.Range{}
		for key.Next() {
			if len(parts) == 0 {
				first = key.Node().Raw
			}
			parts = append(parts, string(key.Node().Data))
		}
		name := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = name
		case unstable.KeyValue:
			name = join(table, name)
		default:
			continue
		}
		if _, ok := at[name]; !ok {
			s := p.Shape(first).Start
			at[name] = place{s.Line, s.Column}
		}
	}
	return at
}

// located gives the problems in err that name a key the place where it stands,
// or where the nearest table around it does.
func (l *Loaded) located(err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []error
		for _, e := range joined.Unwrap() {
			list = append(list, l.located(e))
		}
		return errors.Join(list...)
	}
	var p *Problem
	if !errors.As(err, &p) || p.Line > 0 || p.File == "" {
		return err
	}
	for key := p.Key; key != ""; {
		if at, ok := l.places[key]; ok {
			p.Line, p.Column = at.line, at.column
			break
		}
		i := strings.LastIndexByte(key, '.')
		key = key[:max(i, 0)]
	}
	return err
}

// placed gives a warning that begins with its key the place where that stands.
func (l *Loaded) placed(warning string) string {
	key, text, ok := strings.Cut(warning, ": ")
	if !ok || l.File == "" {
		return warning
	}
	p := &Problem{File: l.File, Key: key, Text: text}
	_ = l.located(p) // it is p
	if p.Line == 0 {
		return warning
	}
	return p.Error()
}

// problem is an error whose text begins with the key that it is about.
func (l *Loaded) problem(err error) *Problem {
	p := &Problem{File: l.File, Text: err.Error()}
	if key, text, ok := strings.Cut(p.Text, ": "); ok {
		if _, known := l.places[key]; known {
			p.Key, p.Text = key, text
		}
	}
	return p
}

var (
	mismatch = regexp.MustCompile(`cannot decode TOML ([a-z ]+?) into (?:struct field \S+ of type |a Go value of type )?(\S+)`)
	network  = regexp.MustCompile(`netip\.ParsePrefix\((".*?")\): .*`)
)

// plainMismatch says a type error in words of the file, not of the program.
func plainMismatch(s string) string {
	if strings.Contains(s, "cannot store an array table") {
		return "must be one table: write [name], not [[name]]"
	}
	if m := network.FindStringSubmatch(s); m != nil {
		return m[1] + ` is no network: write it like "10.0.0.0/8"`
	}
	m := mismatch.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	want := "another type"
	switch t := strings.TrimLeft(m[2], "*"); {
	case strings.HasPrefix(t, "int"):
		want = "a whole number"
	case strings.HasPrefix(t, "float"):
		want = "a number"
	case t == "string":
		want = "a string in quotes"
	case t == "bool":
		want = "true or false"
	case strings.HasPrefix(t, "[]"):
		want = "a list"
	case strings.HasSuffix(t, ".Duration"):
		want = `a duration like "90s", "10m" or a number of seconds`
	case strings.HasSuffix(t, ".ModelEntry"):
		want = "a string in quotes or a table"
	case strings.HasPrefix(t, "map") || strings.Contains(t, "."):
		want = "a table"
	}
	return fmt.Sprintf("must be %s, not %s", want, strings.ToLower(m[1]))
}

// quoted is a value in an error of a type that reads itself.
var quoted = regexp.MustCompile(`^"([^"]*)" is no `)

// valued finds the key whose value is what an error quotes: the parser tells no
// place of numbers and other words that a type did not want to read.
func valued(text []byte, message string) (key string) {
	m := quoted.FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	found := ""
	eachValue(text, func(name string, v *unstable.Node) {
		is := string(v.Data) == m[1]
		if v.Kind == unstable.Array {
			for it := v.Children(); it.Next(); {
				is = is || string(it.Node().Data) == m[1]
			}
		}
		if is && found == "" {
			found = name
		}
	})
	return found
}

// eachValue walks the keys of a TOML text with their values.
func eachValue(text []byte, see func(key string, v *unstable.Node)) {
	var p unstable.Parser
	p.Reset(text)
	table := ""
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		for key := e.Key(); key.Next(); {
			parts = append(parts, string(key.Node().Data))
		}
		name := strings.Join(parts, ".")
		if e.Kind != unstable.KeyValue {
			table = name
			continue
		}
		see(join(table, name), e.Value())
	}
}

// misnamed finds models that are neither names nor tables. The parser takes any
// number for the name that it looks like.
func (l *Loaded) misnamed(text []byte) error {
	var errs []error
	eachValue(text, func(key string, v *unstable.Node) {
		if !strings.HasSuffix(key, ".models") || v.Kind != unstable.Array {
			return
		}
		for it := v.Children(); it.Next(); {
			if k := it.Node().Kind; k != unstable.String && k != unstable.InlineTable && k != unstable.Comment {
				errs = append(errs, &Problem{File: l.File, Key: key, Text: "must be a list of names in quotes, or of tables, not of " + strings.ToLower(k.String())})
				return
			}
		}
	})
	return errors.Join(errs...)
}
