package spelling

import (
	"fmt"
	"regexp"
	"slices"
)

// ladder reads providers that are one primary and a list behind it.
func (c *converter) ladder(k *key) error {
	t := k.value.table
	if t == nil {
		if isNothing(k.value) {
			return nil
		}
		return &Fault{Place: k.at, Key: "providers", Text: "must be a list, or a table with primary and fallback"}
	}
	var chain []*node
	for _, e := range t.keys {
		var items []*node
		switch {
		case e.name != "primary" && e.name != "fallback":
			return c.misspelt("providers."+e.name, e, []string{"primary", "fallback"})
		case isNothing(e.value):
		case e.name == "primary" && e.value.table != nil:
			items = []*node{e.value}
		case e.name == "fallback" && e.value.isList:
			items = e.value.list
		case e.name == "primary":
			return &Fault{Place: e.at, Key: "providers.primary", Text: "must be a table"}
		default:
			return &Fault{Place: e.at, Key: "providers.fallback", Text: "must be a list"}
		}
		for i, item := range items {
			at := "providers.primary"
			if e.name == "fallback" {
				at = fmt.Sprintf("providers.fallback[%d]", i)
			}
			name, err := c.provider(at, item)
			if err != nil {
				return err
			}
			if n := (&node{at: item.at, scalar: name}); e.name == "primary" { // wherever it stands in the file
				chain = slices.Insert(chain, 0, n)
			} else {
				chain = append(chain, n)
			}
		}
	}
	if len(chain) > 0 && !c.hasChain() {
		c.out.below("chains", k.at).add("default", k.at, &node{at: k.at, isList: true, list: chain})
	}
	return nil
}

// hasChain reports whether the file says itself what the default chain is.
func (c *converter) hasChain() bool {
	for _, at := range [][2]string{{"routing", "default_chain"}, {"chains", "default"}} {
		if k := c.in.get(at[0]); k != nil && k.value.table != nil && k.value.table.get(at[1]) != nil {
			return true
		}
	}
	return false
}

// list reads providers that are a list.
func (c *converter) list(k *key) error {
	for i, item := range k.value.list {
		if _, err := c.provider(fmt.Sprintf("providers[%d]", i), item); err != nil {
			return err
		}
	}
	return nil
}

// entryKeys are the keys of a provider in these spellings, beside the canonical ones.
func entryKeys() []string { return []string{"name", "model", "api_key"} }

// provider writes one provider into its table, and returns its name.
func (c *converter) provider(at string, item *node) (string, error) {
	if item.table == nil {
		return "", &Fault{Place: item.at, Key: at, Text: "must be a table with a name and a type"}
	}
	name, kind, err := c.called(at, item)
	if err != nil {
		return "", err
	}
	where := "providers"
	if zone := item.table.get("zone"); c.Local(kind) && zone == nil || zone != nil && zone.value.scalar == "local" {
		where = "local"
	}
	for _, other := range []string{"providers", "local"} {
		if t := c.out.get(other); t != nil && t.value.table.get(name) != nil {
			return "", &Fault{Place: item.at, Key: at, Text: fmt.Sprintf("the name %q stands there twice; names must be unique", name)}
		}
	}
	out := &table{}
	for _, e := range item.table.keys {
		if err := c.entry(at, name, item.table, e, out); err != nil {
			return "", err
		}
	}
	if first := firstModel(item.table); first != nil && out.get("default_model") == nil {
		out.add("default_model", first.at, first)
	}
	c.out.below(where, item.at).add(name, item.at, &node{at: item.at, table: out})
	return name, nil
}

// called is what a provider is named, and what it is by the catalogue.
func (c *converter) called(at string, item *node) (name, kind string, err error) {
	for _, f := range []struct {
		key string
		to  *string
	}{{"name", &name}, {"type", &kind}} {
		k := item.table.get(f.key)
		if k == nil || isNothing(k.value) {
			continue
		}
		s, ok := k.value.scalar.(string)
		if !ok || s == "" {
			return "", "", &Fault{Place: k.at, Key: at + "." + f.key, Text: "must be a text"}
		}
		*f.to = s
	}
	switch {
	case name == "" && kind == "":
		return "", "", &Fault{Place: item.at, Key: at, Text: "has no name and no type"}
	case name == "":
		name = kind
	case kind == "":
		kind = name
	}
	return name, kind, nil
}

// entry carries one key of a provider over.
func (c *converter) entry(at, name string, all *table, e key, out *table) error {
	known := c.Keys("providers")
	switch e.name {
	case "name":
	case "type":
		if e.value.scalar != name { // the table's name says it already
			out.keys = append(out.keys, e)
		}
	case "model":
		if all.get("default_model") != nil {
			return &Fault{Place: e.at, Key: at + ".model", Text: "says what default_model says; keep one of them"}
		}
		out.add("default_model", e.at, e.value)
	case "api_key":
		return c.apiKey(at, all, e, out)
	default:
		if !slices.Contains(known, e.name) {
			return c.misspelt(at+"."+e.name, e, slices.Concat(entryKeys(), known))
		}
		out.keys = append(out.keys, e)
	}
	return nil
}

var wholeVariable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// apiKey takes a key that comes from the environment. One that stands in the file
// is refused, and not repeated.
func (c *converter) apiKey(at string, all *table, e key, out *table) error {
	s, _ := e.value.scalar.(string)
	if isNothing(e.value) || s == "" && e.value.scalar == s {
		return nil
	}
	m := wholeVariable.FindStringSubmatch(s)
	if m == nil {
		return &Fault{Place: e.at, Key: at + ".api_key", Text: "a key does not stand in the configuration; write \"${NAME_OF_A_VARIABLE}\", or api_key_file"}
	}
	if all.get("api_key_env") != nil {
		return &Fault{Place: e.at, Key: at + ".api_key", Text: "says what api_key_env says; keep one of them"}
	}
	out.add("api_key_env", e.at, &node{at: e.at, scalar: m[1]})
	return nil
}

// firstModel is the model that a provider is asked for when none is named.
func firstModel(t *table) *node {
	k := t.get("models")
	if k == nil || len(k.value.list) == 0 {
		return nil
	}
	first := k.value.list[0]
	if first.table == nil {
		return first
	}
	if n := first.table.get("name"); n != nil {
		return n.value
	}
	return nil
}
