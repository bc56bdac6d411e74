package app

import (
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/spelling"
)

// spelled returns the text of the file in its canonical spelling, and notes where
// the keys stand in the file.
func (l *Loaded) spelled(b []byte) ([]byte, error) {
	if !spelling.Is(l.File) {
		l.places = places(b)
		return b, nil
	}
	d, err := l.respell(b)
	if err != nil {
		return nil, err
	}
	l.places = map[string]place{}
	for key, at := range d.Places {
		l.places[key] = place{at.Line, at.Column}
	}
	l.lines = d.Lines
	for i := range d.Without {
		l.Warnings = append(l.Warnings, d.Without[i].Key+": "+d.Without[i].Text)
	}
	return d.TOML, nil
}

// respell writes a YAML text as TOML.
func (l *Loaded) respell(b []byte) (*spelling.Document, error) {
	catalogue, err := l.catalogue()
	if err != nil {
		return nil, err
	}
	d, err := spelling.Read(b, spelling.Options{
		Name: l.File, Keys: keysOf,
		Local: func(kind string) bool {
			s, ok := catalogue.Spec(kind)
			return ok && s.Zone == provider.ZoneLocal
		},
	})
	if f, ok := errors.AsType[*spelling.Fault](err); ok {
		return nil, &Problem{File: l.File, Line: f.Line, Column: f.Column, Key: f.Key, Text: f.Text}
	}
	return d, err
}

// catalogue is what is known of providers, the user's own files included.
func (l *Loaded) catalogue() (*provider.Catalogue, error) {
	return provider.Load(providerDir(l.Home))
}

// keysOf lists the keys that a table may have; of providers those of one of them.
func keysOf(table string) (keys []string) {
	t := reflect.TypeFor[Config]()
	for f := range t.Fields() {
		if tomlName(f) != table {
			continue
		}
		t = f.Type
		for t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return nil
		}
		for f := range t.Fields() {
			keys = append(keys, tomlName(f))
		}
		return keys
	}
	return nil
}

// inFile is where what the parser found at a line and column of the canonical
// text stands in the file.
func (l *Loaded) inFile(line, column int) (int, int) {
	if l.lines == nil {
		return line, column
	}
	if line < 1 || line >= len(l.lines) {
		return 0, 0
	}
	return l.lines[line].Line, l.lines[line].Column
}

// Convert returns a configuration file in its canonical spelling. One that has it
// already is returned as it stands. Nothing is taken from the environment; what
// the file asks for must make sense, but need not work here.
func Convert(file, home string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	l := &Loaded{File: file, Home: home}
	return l.decode(b)
}
