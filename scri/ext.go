package scri

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// extJoiner makes one extension of those that came at different times, in linear
// time.
type extJoiner []*Ext

// add takes a copy of e, which may be nil.
func (j *extJoiner) add(e *Ext) {
	if e != nil {
		*j = append(*j, e.Clone())
	}
}

// join returns them as one: of a name that several have, the last; of several
// dialects the last, as nobody could write a mixture.
func (j extJoiner) join() *Ext {
	if len(j) == 0 {
		return nil
	}
	out := j[len(j)-1]
	if len(j) == 1 {
		return out
	}
	var list []RawJSON
	var forms []string
	known := map[string]bool{}
	for _, e := range j {
		if e.Dialect != out.Dialect {
			continue
		}
		if someMembers(e.Members) || len(list) == 0 {
			list = append(list, e.Members)
		}
		for form := range strings.FieldsSeq(e.Form) {
			if !known[form] {
				known[form] = true
				forms = append(forms, form)
			}
		}
	}
	return &Ext{Dialect: out.Dialect, Members: joinMembers(list), Form: strings.Join(forms, " ")}
}

// joinMembers makes one object of several. One that cannot be read is left out.
func joinMembers(list []RawJSON) RawJSON {
	if len(list) > 1 && !someMembers(list[0]) {
		list = list[1:]
	}
	if len(list) == 1 {
		return list[0]
	}
	last := map[string]int{}
	var names []string
	var members [][]byte
	for _, raw := range list {
		_ = eachMember(raw, func(name string, member []byte) { // what came before the fault counts
			last[name] = len(names)
			names, members = append(names, name), append(members, member)
		})
	}
	out := []byte{'{'}
	for i, name := range names {
		if last[name] != i {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, members[i]...)
	}
	return append(out, '}')
}

// someMembers reports whether raw looks like an object that is not empty.
func someMembers(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 2 && raw[0] == '{' && len(bytes.TrimSpace(raw[1:])) > 1
}

// eachMember calls f with each name of an object and its member as it stands.
func eachMember(raw []byte, f func(name string, member []byte)) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
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
