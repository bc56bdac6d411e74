package dialecttest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Law6Request tests this: what a request of the dialect says in words, Texts visits. So
// whoever looks at the texts of a request has seen all that leaves with it.
func Law6Request(to dialect.Dialect, x *scri.ChatRequest) []string {
	return guard(func() []string {
		fit, _ := Port(x, to)
		out, _, err := to.EncodeRequest(fit, target(x.Model))
		if err != nil {
			return []string{"encode: " + err.Error()}
		}
		seen := newTexts()
		scri.Texts(fit, seen.visit)
		seen.bytesOf(fit.Messages)
		for i := range fit.Messages { // some write the speakers into the text
			seen.visit("", string(fit.Messages[i].Role))
		}
		return seen.unseen(out.Body)
	})
}

// Law6Response tests this of an answer, which may repeat what was asked.
func Law6Response(to dialect.Dialect, req *scri.ChatRequest, r *scri.ChatResponse) []string {
	return guard(func() []string {
		in := Incoming(to, "", nil, nil)
		in.Req = req
		said := *r
		said.Lineage, said.Warnings, r = nil, nil, &said // what the gateway tells itself
		b, _ := to.EncodeResponse(nil, in, r)
		seen := newTexts()
		scri.ResponseTexts(r, seen.visit)
		for _, c := range r.Choices {
			seen.bytesOf(c.Output)
		}
		for i := range r.Choices { // neighbouring texts become one
			joined := map[scri.PartKind]string{}
			for _, m := range r.Choices[i].Output {
				for j := range m.Parts {
					kind := m.Parts[j].Kind
					if kind == scri.PartRefusal {
						kind = scri.PartText
					}
					joined[kind] += m.Parts[j].Text.String()
				}
			}
			for _, text := range joined {
				seen.visit("", text)
			}
		}
		scri.Texts(req, seen.visit)
		return seen.unseen(b)
	})
}

// texts are the words of those that were visited. Formats join texts, take out of a
// name what it may not hold, and write some within a text that is JSON itself; of all
// that words are left.
type texts struct {
	words map[string]bool // whether a word begins or ends a text, where another may be joined to it
	bytes map[string]bool // data of media, which say nothing to anybody even where they are no base64
}

func newTexts() texts { return texts{words: map[string]bool{}, bytes: map[string]bool{}} }

// bytesOf notes the data of media.
func (t texts) bytesOf(messages []scri.Message) {
	for i := range messages {
		t.bytesIn(messages[i].Parts)
	}
}

func (t texts) bytesIn(parts []scri.Part) {
	for i := range parts {
		if m := parts[i].Media; m != nil && !m.Data.IsZero() {
			t.bytes[m.Data.String()] = true
		}
		if r := parts[i].Result; r != nil {
			t.bytesIn(r.Parts)
		}
	}
}

func (t texts) visit(_, s string) {
	add := func(_, _, s string) {
		list := wordsIn(s)
		for i, w := range list {
			t.words[w] = t.words[w] || i == 0 || i == len(list)-1
		}
	}
	add("", "", s)
	eachString("", "", s, add) // what is JSON itself is written as a value by some
}

// unseen lists the strings of a body that were not visited and are no words of a
// format.
func (t texts) unseen(body []byte) (problems []string) {
	v, err := parseJSON(body)
	if err != nil {
		return []string{"the body is no JSON: " + err.Error()}
	}
	eachString("", "", v, func(path, name, s string) {
		if slices.Contains(wordsOfFormats, name) || isBytes(s) || t.bytes[s] {
			return
		}
		for _, w := range wordsIn(s) {
			if !t.has(w) && !slices.Contains(madeUp, w) && strings.Trim(w, "0123456789eE") != "" {
				problems = append(problems, fmt.Sprintf("%s: Texts does not visit %q in %s", path, w, short(s)))
				return
			}
		}
	})
	return problems
}

// has reports whether a word was visited, or those that it is joined of.
func (t texts) has(w string) bool {
	if _, ok := t.words[w]; ok {
		return true
	}
	for i := range min(len(w), 100) {
		if edge, ok := t.words[w[:i]]; ok && (edge || i > 2) && t.has(w[i:]) {
			return true
		}
	}
	return false
}

var (
	escaped = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
	spaced  = strings.NewReplacer(`\n`, " ", `\t`, " ", `\r`, " ", `\"`, " ")
)

// wordsIn splits a text that may hold JSON.
func wordsIn(s string) []string {
	if strings.Contains(s, `\`) {
		s = escaped.ReplaceAllStringFunc(spaced.Replace(s), func(e string) string {
			r, err := strconv.ParseUint(e[2:], 16, 32)
			if err != nil {
				return e
			}
			return string(rune(r))
		})
	}
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// isBytes reports whether s is base64 of what is no text: control characters say
// nothing to anybody, though a picture may happen to be made of them.
func isBytes(s string) bool {
	if u := strings.ToLower(s[:min(len(s), len("data:text/"))]); strings.HasPrefix(u, "data:") && u != "data:text/" && strings.Contains(s, ";base64,") {
		return true
	}
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && (!utf8.Valid(b) || bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }))
}

// eachString calls f with each string, its path, and the name of the member that it is in.
func eachString(path, name string, v any, f func(path, name, s string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			eachString(path+"/"+k, k, v[k], f)
		}
	case []any:
		for i := range v {
			eachString(path+"/"+strconv.Itoa(i), name, v[i], f)
		}
	case string:
		if inner, err := parseJSON([]byte(v)); err == nil && strings.ContainsAny(v[:min(1, len(v))], "{[\"") {
			eachString(path, name, inner, f) // arguments, as a text
			return
		}
		f(path, name, v)
	}
}

// wordsOfFormats are members that hold words of a format, of the gateway's own routing,
// bytes of a known type or signatures, but nothing that anybody said.
var wordsOfFormats = strings.Fields(`
	type role kind dialect form provider model modelVersion object id created created_at createTime ttl status
	class session finish_reason finishReason stop_reason stopReason done_reason reason raw
	format output_format mimeType mime_type media_type response_mime_type responseMimeType
	effort reasoning_effort think thinkingLevel summary display mode tool_choice function_call include truncation
	data bytes file_data images signature thoughtSignature thought_signature redactedContent encrypted_content value shelf`)

// madeUp are names that a format demands where nobody gave one, some with a number, and
// what stands between texts where all is one.
var madeUp = []string{"response", "document", "pdf", "txt", "User", "Assistant", "Tool", "calls", "no", "result", "true", "false", "null"}
