package dialect

import "github.com/aratta-gateway/aratta/internal/wire"

// MergeMembers lays a later object over an earlier one: what is null or left out
// later stays as it was.
func MergeMembers(before, after []byte) []byte {
	if len(before) == 0 {
		return after
	}
	s := wire.NewScanner(after)
	if s.Kind() != wire.Object {
		return before
	}
	later := map[string][]byte{}
	for name := range s.Members() {
		if s.Kind() != wire.Null {
			later[name] = s.Raw()
		}
	}
	var out Unknown
	s.Reset(before)
	seen := map[string]bool{}
	for name := range s.Members() {
		seen[name] = true
		if v := later[name]; v != nil {
			out.Add(append(append(wire.AppendQuote(nil, name), ':'), v...))
		} else {
			out.Add(s.Member())
		}
	}
	s.Reset(after)
	for name := range s.Members() {
		if !seen[name] {
			out.Add(s.Member())
		}
	}
	if merged := out.Object(); merged != nil {
		return merged
	}
	return before
}
