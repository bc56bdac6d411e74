package scri

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// mergeExt returns a with the members of b behind its own; a name that both
// have keeps the value of b. Neither is changed. Of two dialects the later wins,
// as nobody could write a mixture.
func mergeExt(a, b *Ext) *Ext {
	if a == nil || b == nil || a.Dialect != b.Dialect {
		if b == nil {
			return a
		}
		return b.Clone()
	}
	out := &Ext{Dialect: a.Dialect, Members: mergeMembers(a.Members, b.Members), Form: a.Form}
	for word := range strings.FieldsSeq(b.Form) {
		if !strings.Contains(" "+out.Form+" ", " "+word+" ") {
			out.Form = strings.TrimPrefix(out.Form+" "+word, " ")
		}
	}
	return out
}

// mergeMembers joins two objects. What is no object is given up for the other.
func mergeMembers(a, b RawJSON) RawJSON {
	if !someMembers(b) {
		return a
	}
	if !someMembers(a) {
		return bytes.Clone(b)
	}
	later := map[string]bool{}
	if err := eachMember(b, func(name string, _ []byte) { later[name] = true }); err != nil {
		return a
	}
	out := append(make([]byte, 0, len(a)+len(b)), '{')
	err := eachMember(a, func(name string, member []byte) {
		if !later[name] {
			out = append(append(out, member...), ',')
		}
	})
	if err != nil {
		return bytes.Clone(b)
	}
	return append(out, bytes.TrimSpace(b)[1:]...)
}

// someMembers reports whether raw looks like an object that is not empty.
func someMembers(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 2 && raw[0] == '{' && len(bytes.TrimSpace(raw[1:])) > 1
}

// eachMember calls f with each name of an object and its member as it stands.
func eachMember(raw []byte, f func(name string, member []byte)) error {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		n := name.String()
		v, err := d.ReadValue()
		if err != nil {
			return err
		}
		b, _ := jsontext.AppendQuote(nil, n)
		f(n, append(append(b, ':'), v...))
	}
	_, err := d.ReadToken()
	return err
}
