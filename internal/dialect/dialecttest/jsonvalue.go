package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// canonical spells a JSON value so that equal values are spelled equally.
func canonical(raw []byte) string {
	v, err := parseJSON(raw)
	if err != nil {
		return "invalid JSON: " + string(raw)
	}
	return string(appendCanonical(nil, v))
}

// canonicalSaid does so without the members that are null.
func canonicalSaid(raw []byte) string {
	v, err := parseJSON(raw)
	if err != nil {
		return "invalid JSON: " + string(raw)
	}
	return string(appendCanonical(nil, said(v)))
}

func said(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, m := range v {
			if m == nil {
				delete(v, k)
			} else {
				v[k] = said(m)
			}
		}
	case []any:
		for i := range v {
			v[i] = said(v[i])
		}
	}
	return v
}

// canonicalArgs does so for the arguments of a call, which may be any text.
func canonicalArgs(s string) string {
	if v, err := parseJSON([]byte(s)); err == nil {
		return string(appendCanonical(nil, v))
	}
	return s
}

func parseJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return v, nil
}

func appendCanonical(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(strconv.AppendQuote(b, k), ':')
			b = appendCanonical(b, v[k])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCanonical(b, v[i])
		}
		return append(b, ']')
	case string:
		return strconv.AppendQuote(b, v)
	case json.Number:
		return append(b, canonicalNumber(string(v))...)
	default:
		return fmt.Append(b, v)
	}
}

// canonicalNumber spells equal numbers equally; integers of any size exactly.
func canonicalNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		if s == "-0" {
			return "0"
		}
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	if r, ok := new(big.Rat).SetString(s); ok && len(s) < 40 && r.IsInt() && r.Num().BitLen() < 256 {
		return r.Num().String()
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// JSONDiff returns how one JSON document differs from another by value: one
// line for each place. A list that holds one bare text block counts as its text.
func JSONDiff(before, after []byte) []string {
	a, err := parseJSON(before)
	if err != nil {
		return []string{"before: " + err.Error()}
	}
	b, err := parseJSON(after)
	if err != nil {
		return []string{"after: " + err.Error() + ": " + short(string(after))}
	}
	var out []string
	jsonDiff(&out, "", a, b)
	return out
}

func jsonDiff(out *[]string, path string, a, b any) {
	if len(*out) > 20 {
		return
	}
	a, b = bare(path, a), bare(path, b)
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			jsonMembers(out, path, x, y)
			return
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				jsonDiff(out, path+"/"+strconv.Itoa(i), x[i], y[i])
			}
			return
		}
	}
	if p, q := string(appendCanonical(nil, a)), string(appendCanonical(nil, b)); p != q {
		*out = append(*out, path+": "+short(p)+" became "+short(q))
	}
}

func jsonMembers(out *[]string, path string, x, y map[string]any) {
	names := slices.Collect(maps.Keys(x))
	for k := range y {
		if _, ok := x[k]; !ok {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	for _, k := range names {
		at := path + "/" + escape(k)
		p, inA := x[k]
		q, inB := y[k]
		switch {
		case !inA:
			*out = append(*out, at+": added "+show(q))
		case !inB:
			*out = append(*out, at+": lost "+show(p))
		default:
			jsonDiff(out, at, p, q)
		}
	}
}

// bare returns the text of a list that holds nothing but one text block, where
// lists of blocks stand.
func bare(path string, v any) any {
	l, ok := v.([]any)
	if !ok || len(l) != 1 || !strings.HasSuffix(path, "/content") && path != "/system" {
		return v
	}
	if m, ok := l[0].(map[string]any); ok && len(m) == 2 && m["type"] == "text" {
		if s, ok := m["text"].(string); ok {
			return s
		}
	}
	return v
}

func show(v any) string { return short(string(appendCanonical(nil, v))) }

// short cuts a long value for display.
func short(s string) string {
	const limit = 160
	if len(s) <= limit {
		return s
	}
	cut := strings.ToValidUTF8(s[:limit], "")
	return cut + fmt.Sprintf("… (%d bytes)", len(s))
}
