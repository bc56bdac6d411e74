package dialecttest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/aratta-gateway/aratta/internal/dialect"
)

// Stranger adds members that no dialect knows to about one in n of the objects
// of a JSON document, as a newer provider or client would.
func Stranger(body []byte, rnd *rand.Rand, n int) []byte {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	var out bytes.Buffer
	e := jsontext.NewEncoder(&out)
	strangers := []string{`{"n":1.50,"deep":[null]}`, `"words"`, `null`, `false`, `[]`}
	for {
		t, err := d.ReadToken()
		if err != nil {
			break
		}
		t = t.Clone()
		if err := e.WriteToken(t); err != nil {
			return body
		}
		if t.Kind() == '{' && rnd.IntN(n) == 0 {
			v := strangers[rnd.IntN(len(strangers))]
			if e.WriteToken(jsontext.String("x_stranger_"+strconv.Itoa(rnd.IntN(1000)))) != nil || e.WriteValue(jsontext.Value(v)) != nil {
				return body
			}
		}
	}
	return bytes.TrimSpace(out.Bytes())
}

// StrangerStream does so in the events of a stream, event by event.
func StrangerStream(stream []byte, rnd *rand.Rand, n int) []byte {
	if out, ok := framed(stream, func(p []byte) []byte { return Stranger(p, rnd, n) }); ok {
		return out
	}
	var out []byte
	for line := range bytes.Lines(stream) {
		at := bytes.IndexByte(line, '{')
		head := string(bytes.TrimSpace(line[:max(at, 0)]))
		if at < 0 || head != "" && head != "data:" {
			out = append(out, line...)
			continue
		}
		end := len(bytes.TrimRight(line, "\r\n"))
		out = append(out, line[:at]...)
		out = append(out, Stranger(line[at:end], rnd, n)...)
		out = append(out, line[end:]...)
	}
	return out
}

// carriers are the objects of stream events in which something new may appear:
// what is inside others is carried or replaced with them as it stands.
var carriers = regexp.MustCompile(`^(/choices/\d+(/delta(/tool_calls/\d+(/function)?)?)?|/delta|/message(/tool_calls/\d+(/function)?)?|/content_block|/candidates/\d+(/content(/parts/\d+(/functionCall)?)?)?)?$`)

// marker is a text that no recording holds.
const marker = "x-marker-7d1c"

// Marked returns copies of a stream, each with one member of one carrier that
// nobody knows, whose value is the marker, spread over the stream.
func Marked(stream []byte, most int) [][]byte {
	if lines := Lines(stream); lines != "" {
		return markedFrames(lines)
	}
	var places []int // just behind an opening brace
	at := 0
	for line := range bytes.Lines(stream) {
		if i := bytes.IndexByte(line, '{'); i >= 0 && (i == 0 || string(bytes.TrimSpace(line[:i])) == "data:") {
			d := jsontext.NewDecoder(bytes.NewReader(line[i:]))
			for {
				t, err := d.ReadToken()
				if err != nil {
					break
				}
				if t.Kind() == '{' && carriers.MatchString(string(d.StackPointer())) && d.PeekKind() == '"' {
					places = append(places, at+i+int(d.InputOffset()))
				}
			}
		}
		at += len(line)
	}
	var out [][]byte
	for i := 0; i < len(places); i += 1 + len(places)/most {
		p := places[i]
		out = append(out, slices.Concat(stream[:p], []byte(`"x_marker":"`+marker+`",`), stream[p:]))
	}
	return out
}

// markedFrames marks the payload of each frame, and each delta.
func markedFrames(lines string) (out [][]byte) {
	for _, at := range []string{" {", `"delta":{`} {
		for i := 0; ; {
			n := strings.Index(lines[i:], at)
			if n < 0 {
				break
			}
			i += n + len(at)
			if lines[i] == '"' {
				out = append(out, Frames([]byte(lines[:i]+`"x_marker":"`+marker+`",`+lines[i:])))
			}
		}
	}
	return out
}

// LawCarried tests this: a member that nobody knows is in some event, wherever
// in a stream it stands.
func LawCarried(d dialect.Dialect, h http.Header, stream []byte) []string {
	return guard(func() (problems []string) {
		for _, m := range Marked(stream, 40) {
			list, _ := events(open(d, h, bytes.NewReader(m)))
			if !strings.Contains(strings.Join(list, "\n"), marker) {
				at := bytes.Index(m, []byte(marker))
				from, to := bytes.LastIndexByte(m[:at], '\n')+1, at+len(marker)
				problems = append(problems, fmt.Sprintf("lost from %s…", m[from:to]))
			}
		}
		return problems
	})
}

// Zeroed returns copies of a JSON document in each of which one value is
// replaced by one that says nothing, with the pointer to it.
func Zeroed(body []byte) map[string][]byte {
	return Replaced(body, `null`, `""`, `0`, `false`, `[]`, `{}`)
}

// Broken returns copies in each of which one value is replaced by a word that
// nobody knows, or by something of another kind.
func Broken(body []byte) map[string][]byte {
	return Replaced(body, `"x_broken"`, `7`, `-1.5`, `true`, `["x"]`, `{"x":1}`, `"user"`, `"assistant"`, `"tool"`)
}

// Replaced returns copies in each of which one value is one of the given ones.
func Replaced(body []byte, values ...string) map[string][]byte {
	type span struct {
		pointer  string
		from, to int
	}
	var spans []span
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		kind := d.PeekKind()
		if kind == 0 {
			break
		}
		parent, length := d.StackIndex(d.StackDepth())
		name := parent == '{' && length%2 == 0
		var from int
		if kind == '{' || kind == '[' || kind == '}' || kind == ']' {
			if _, err := d.ReadToken(); err != nil {
				break
			}
			from = int(d.InputOffset()) - 1
			if kind == '{' || kind == '[' {
				v, err := jsontext.NewDecoder(bytes.NewReader(body[from:])).ReadValue()
				if err == nil {
					spans = append(spans, span{string(d.StackPointer()), from, from + len(v)})
				}
			}
			continue
		}
		v, err := d.ReadValue()
		if err != nil {
			break
		}
		if !name {
			to := int(d.InputOffset())
			spans = append(spans, span{string(d.StackPointer()), to - len(v), to})
		}
	}
	out := map[string][]byte{}
	for _, s := range spans {
		for _, v := range values {
			out[s.pointer+" "+v] = slices.Concat(body[:s.from], []byte(v), body[s.to:])
		}
	}
	return out
}
