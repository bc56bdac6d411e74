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

var mismatch = regexp.MustCompile(`cannot decode TOML (\w+) into (?:struct field \S+ |a Go value )?of type (\S+)`)

// plainMismatch says a type error in words of the file, not of the program.
func plainMismatch(s string) string {
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
	case strings.HasPrefix(t, "map") || strings.Contains(t, "."):
		want = "a table"
	}
	return fmt.Sprintf("must be %s, not %s", want, strings.ToLower(m[1]))
}
