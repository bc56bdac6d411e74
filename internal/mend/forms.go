package mend

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// found is a call that stood in a text.
type found struct{ name, args string }

// Marks with which models begin a call wherever it stands in their text.
const (
	markPython   = "<|python_tag|>"
	markMistral  = "[TOOL_CALLS]"
	markFunction = "<function="
)

// tags are those that enclose a call, or a list of calls.
func tags() []string { return []string{"tool_call", "function_call", "tool_calls"} }

// marks are all beginnings of calls.
func marks() []string {
	list := []string{markPython, markMistral, markFunction}
	for _, t := range tags() {
		list = append(list, "<"+t+">")
	}
	return list
}

// endTokens are what some templates leave behind a call.
func endTokens() []string { return []string{"<|eom_id|>", "<|eot_id|>", "<|im_end|>", "</s>"} }

// parse finds the calls in a text that a model meant as such, and what else it
// says. There are none unless all that looks like a call is one, of a tool that
// the request has, with arguments that are an object. alone allows a text that is
// nothing but a call, without any mark.
func (t *tools) parse(text string, alone bool) (calls []found, rest, form string) {
	at, mark := firstMark(text)
	if mark == "" {
		if !alone {
			return nil, "", ""
		}
		body, form := unfenced(strings.TrimSpace(text))
		calls, tail := t.values(body, true)
		if tail != "" {
			return nil, "", ""
		}
		return calls, "", form
	}
	before, body := text[:at], text[at+len(mark):]
	var ok bool
	switch mark {
	case markPython:
		calls, ok = t.python(body)
	case markMistral:
		calls, ok = t.mistral(body)
	default:
		var after string
		if calls, after, ok = t.tagged(text[at:]); ok && strings.TrimSpace(after) != "" {
			before = strings.TrimSpace(before + "\n" + strings.TrimSpace(after))
		}
	}
	if !ok || len(calls) == 0 {
		return nil, "", ""
	}
	return calls, strings.TrimSpace(before), mark
}

// firstMark finds the mark that comes first.
func firstMark(text string) (at int, mark string) {
	at = len(text)
	for _, m := range marks() {
		if i := strings.Index(text, m); i >= 0 && i < at {
			at, mark = i, m
		}
	}
	return at, mark
}

var fence = regexp.MustCompile("(?s)^```(?:json|tool_call|tool_code)?[ \t]*\r?\n(.*?)\r?\n?```$")

// unfenced takes the fence from a text that is nothing but a fenced block.
func unfenced(text string) (body, form string) {
	if m := fence.FindStringSubmatch(text); m != nil {
		return strings.TrimSpace(m[1]), "```"
	}
	return text, "{"
}

// tagged reads calls in tags, one after the other, and returns what stands around
// them from the first on. The last tag need not be closed.
func (t *tools) tagged(text string) (calls []found, after string, ok bool) {
	for {
		at, mark := firstMark(text)
		switch mark {
		case "":
			return calls, after + text, len(calls) > 0
		case markPython, markMistral:
			return nil, "", false
		}
		after += text[:at]
		text = text[at:]
		name := strings.Trim(mark, "<>")
		if mark == markFunction {
			name = "function"
		}
		end, next := len(text), len(text)
		if i := strings.Index(text, "</"+name+">"); i >= 0 {
			end, next = i, i+len("</"+name+">")
		}
		got, good := t.inTag(mark, text[:end])
		if !good {
			return nil, "", false
		}
		calls, text = append(calls, got...), text[next:]
	}
}

func (t *tools) inTag(mark, text string) ([]found, bool) {
	if mark == markFunction {
		return t.function(text)
	}
	body := strings.TrimSpace(trimEnd(text[len(mark):]))
	if strings.HasPrefix(body, markFunction) {
		return t.function(strings.TrimSuffix(body, "</function>"))
	}
	body, _ = unfenced(body)
	calls, tail := t.values(body, false)
	return calls, len(calls) > 0 && tail == ""
}

// function reads <function=NAME>{...}, and NAME with <parameter=KEY>VALUE</parameter>.
func (t *tools) function(text string) ([]found, bool) {
	name, body, ok := strings.Cut(text[len(markFunction):], ">")
	if name = strings.Trim(name, `" `); !ok || !t.has(name) {
		return nil, false
	}
	body = strings.TrimSpace(trimEnd(body))
	if strings.HasPrefix(body, "<parameter=") {
		args, ok := t.parameters(name, body)
		return []found{{name, args}}, ok
	}
	if body == "" {
		body = "{}"
	}
	args, tail, ok := object(body)
	return []found{{name, args}}, ok && tail == ""
}

var parameter = regexp.MustCompile(`(?s)^\s*<parameter=([^>]+)>\n?(.*?)\n?</parameter>`)

// parameters reads arguments in tags. What they are, text or JSON, the tool's
// schema says.
func (t *tools) parameters(name, body string) (string, bool) {
	var b strings.Builder
	b.WriteByte('{')
	for n := 0; strings.TrimSpace(body) != ""; n++ {
		m := parameter.FindStringSubmatch(body)
		if m == nil {
			return "", false
		}
		key, value := strings.TrimSpace(m[1]), m[2]
		if n > 0 {
			b.WriteByte(',')
		}
		k, _ := json.Marshal(key) //nolint:errchkjson // a string
		b.Write(append(k, ':'))
		if t.isText(name, key) {
			v, _ := json.Marshal(value) //nolint:errchkjson // a string
			b.Write(v)
		} else {
			value = strings.TrimSpace(value)
			if !json.Valid([]byte(value)) {
				return "", false
			}
			b.WriteString(value)
		}
		body = body[len(m[0]):]
	}
	b.WriteByte('}')
	return b.String(), json.Valid([]byte(b.String()))
}

// python reads what follows Llama's mark: calls after one another, parted by
// semicolons or lines.
func (t *tools) python(body string) (calls []found, ok bool) {
	body = strings.TrimSpace(trimEnd(body))
	for body != "" {
		c, tail := t.value(body, false)
		if c == nil {
			return nil, false
		}
		calls = append(calls, *c)
		body = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(tail), ";"))
	}
	return calls, len(calls) > 0
}

// mistral reads what follows Mistral's mark: a list of calls, or names with
// their arguments.
func (t *tools) mistral(body string) (calls []found, ok bool) {
	body = strings.TrimSpace(trimEnd(body))
	if strings.HasPrefix(body, "[") || strings.HasPrefix(body, "{") {
		calls, tail := t.values(body, false)
		return calls, len(calls) > 0 && tail == ""
	}
	for body != "" {
		i := strings.IndexAny(body, "[{")
		if i <= 0 {
			return nil, false
		}
		name := strings.TrimSpace(body[:i])
		args, tail, good := object(strings.TrimSpace(strings.TrimPrefix(body[i:], "[ARGS]")))
		if !good || !t.has(name) {
			return nil, false
		}
		calls = append(calls, found{name, args})
		body = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(tail), markMistral))
	}
	return calls, len(calls) > 0
}

func trimEnd(s string) string {
	for {
		n := len(s)
		s = strings.TrimSpace(s)
		for _, e := range endTokens() {
			s = strings.TrimSuffix(s, e)
		}
		if len(s) == n {
			return s
		}
	}
}

// values reads one call or a list of them, and returns what stands behind.
func (t *tools) values(text string, whole bool) (calls []found, tail string) {
	if !strings.HasPrefix(text, "[") {
		for text != "" {
			c, rest := t.value(text, whole)
			if c == nil {
				return nil, text
			}
			calls, text = append(calls, *c), strings.TrimSpace(rest)
			if whole && text != "" {
				return nil, text
			}
		}
		return calls, ""
	}
	d := json.NewDecoder(strings.NewReader(text))
	var list []json.RawMessage
	if err := d.Decode(&list); err != nil || len(list) == 0 {
		return nil, text
	}
	for _, raw := range list {
		c, rest := t.value(string(raw), whole)
		if c == nil || rest != "" {
			return nil, text
		}
		calls = append(calls, *c)
	}
	return calls, strings.TrimSpace(text[d.InputOffset():])
}

// value reads one call at the beginning of a text. Where nothing else tells that
// it is one (strictly) it must say its arguments.
func (t *tools) value(text string, strictly bool) (c *found, tail string) {
	raw, tail, ok := object(text)
	if !ok {
		return nil, text
	}
	var o map[string]json.RawMessage
	if json.Unmarshal([]byte(raw), &o) != nil {
		return nil, text
	}
	var inner map[string]json.RawMessage
	if f, ok := o["function"]; ok && json.Unmarshal(f, &inner) == nil {
		delete(o, "function")
		if !onlyKeys(o, "id", "type") {
			return nil, text
		}
		o = inner
	}
	if !onlyKeys(o, "name", "function", "arguments", "parameters", "args", "id", "type") {
		return nil, text
	}
	c = &found{}
	named := 0
	for _, k := range []string{"name", "function"} {
		if v, ok := o[k]; ok {
			named++
			if json.Unmarshal(v, &c.name) != nil {
				return nil, text
			}
		}
	}
	args, given := 0, ""
	for _, k := range []string{"arguments", "parameters", "args"} {
		if v, ok := o[k]; ok {
			args++
			given = argsOf(v)
		}
	}
	switch {
	case named != 1 || !t.has(c.name) || args > 1 || args == 0 && strictly:
		return nil, text
	case args == 0:
		given = "{}"
	case given == "":
		return nil, text
	}
	c.args = given
	return c, strings.TrimSpace(tail)
}

// argsOf is the object that arguments are, also where it was written as a text;
// "" = it is none.
func argsOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		raw = json.RawMessage(s)
	}
	args, tail, ok := object(string(bytes.TrimSpace(raw)))
	if !ok || tail != "" {
		return ""
	}
	return args
}

func onlyKeys(o map[string]json.RawMessage, keys ...string) bool {
	for k := range o {
		if !slices.Contains(keys, k) {
			return false
		}
	}
	return true
}

// object reads a JSON object at the beginning of a text, as it stands there.
func object(text string) (raw, tail string, ok bool) {
	if !strings.HasPrefix(text, "{") {
		return "", text, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		return "", text, false
	}
	if _, err := io.Copy(io.Discard, d.Buffered()); err != nil {
		return "", text, false
	}
	return string(v), strings.TrimSpace(text[d.InputOffset():]), true
}

// tools are those of the request.
type tools struct{ list []scri.Tool }

func (t *tools) find(name string) *scri.Tool {
	for i := range t.list {
		if t.list[i].Name == name && t.list[i].Type == "" {
			return &t.list[i]
		}
	}
	return nil
}

func (t *tools) has(name string) bool { return name != "" && t.find(name) != nil }

// isText reports whether an argument of a tool is a text: by its schema, and if
// that does not say, it is.
func (t *tools) isText(name, key string) bool {
	var s struct {
		Properties map[string]struct {
			Type any `json:"type"`
		} `json:"properties"`
	}
	if json.Unmarshal(t.find(name).Schema, &s) != nil {
		return true
	}
	kind := s.Properties[key].Type
	return kind == nil || kind == "string"
}
