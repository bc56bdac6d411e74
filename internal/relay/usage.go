package relay

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// maxUsage bounds the object in which an answer tells its usage.
const maxUsage = 16 << 10

// Tap finds in a passing answer what it says of its usage: in a JSON object, or
// in the events of a stream, of which the last that says it counts.
type Tap struct {
	stream bool
	m      members
	line   []byte // how the line begins that passes, as far as it must be known
	data   bool   // the line is data
	usage  *scri.Usage
}

// NewTap returns the tap of an answer with this type of content, or nil where
// none of it could be read.
func NewTap(contentType string) *Tap {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil || t != "text/event-stream" && t != "application/json" {
		return nil
	}
	tap := &Tap{stream: t == "text/event-stream"}
	tap.reset()
	return tap
}

func (t *Tap) reset() {
	t.m = members{
		want: func(k string) bool { return k == "usage" || k == "meta" }, max: maxUsage,
		found: func(k string, value []byte, _, _ int) {
			if u := read(k, value); u != nil {
				t.usage = u
			}
		},
		key: t.m.key[:0],
	}
}

// See lets bytes of the answer pass. It keeps none of them.
func (t *Tap) See(p []byte) {
	if !t.stream {
		t.m.feed(p)
		return
	}
	for len(p) > 0 {
		line := p
		end := bytes.IndexByte(p, '\n')
		if end >= 0 {
			line = p[:end]
		}
		p = p[len(line):]
		t.piece(line)
		if end >= 0 {
			p = p[1:]
			t.line, t.data = t.line[:0], false
			t.reset()
		}
	}
}

// piece lets a piece of a line pass.
func (t *Tap) piece(p []byte) {
	const mark = "data:"
	if n := len(mark) - len(t.line); !t.data && n > 0 {
		t.line = append(t.line, p[:min(n, len(p))]...)
		p = p[min(n, len(p)):]
		t.data = string(t.line) == mark
	}
	if t.data {
		t.m.feed(p)
	}
}

// Usage is what was told so far, or nil.
func (t *Tap) Usage() *scri.Usage {
	if t == nil {
		return nil
	}
	return t.usage
}

// read understands the ways in which APIs tell counts.
func read(key string, value []byte) *scri.Usage {
	var v struct {
		Input      *float64 `json:"input_tokens"`
		Prompt     *float64 `json:"prompt_tokens"`
		Output     *float64 `json:"output_tokens"`
		Completion *float64 `json:"completion_tokens"`
		Total      *float64 `json:"total_tokens"`
	}
	if key == "meta" { // Cohere's
		var meta struct {
			Billed json.RawMessage `json:"billed_units"`
		}
		if json.Unmarshal(value, &meta) != nil {
			return nil
		}
		value = meta.Billed
	}
	if len(value) == 0 || value[0] != '{' || json.Unmarshal(value, &v) != nil {
		return nil
	}
	u := &scri.Usage{Input: whole(v.Input, v.Prompt), Output: whole(v.Output, v.Completion), Raw: scri.RawJSON(strings.Clone(string(value)))}
	if u.Input == nil && u.Output == nil { // of those who count what comes in alone
		u.Input = whole(v.Total)
	}
	return u
}

// whole is the first count that is there and can be one.
func whole(list ...*float64) *int64 {
	for _, f := range list {
		if f != nil && *f >= 0 && *f < 1<<53 {
			n := int64(*f)
			return &n
		}
	}
	return nil
}
