package overlay

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// tenOverlays is a set of ten that all act on a request of the openai dialect.
const tenOverlays = `
{id: a, version: 1, ops: [{op: rename, from: max_tokens, to: max_completion_tokens}]}
---
{id: b, version: 1, ops: [{op: drop, path: temperature}]}
---
{id: c, version: 1, ops: [{op: map_role, from: developer, to: system}]}
---
{id: d, version: 1, ops: [{op: drop, path: parallel_tool_calls, when: {absent: tools}}]}
---
{id: e, version: 1, ops: [{op: clamp, path: top_p, max: 0.5}]}
---
{id: f, version: 1, ops: [{op: map_enum, path: reasoning_effort, map: {xhigh: high}}]}
---
{id: g, version: 1, ops: [{op: set, path: seed, value: 1, if_absent: true}]}
---
{id: h, version: 1, ops: [{op: exclusive, paths: [presence_penalty, frequency_penalty], keep: presence_penalty}]}
---
{id: i, version: 1, ops: [{op: move, from: output_format, to: output.format}]}
---
{id: j, version: 1, ops: [{op: header_set, header: X-Team, value: blue}]}
`

func body(size int) []byte {
	text := strings.Repeat("how are you today? ", 1+size/4/19)
	return fmt.Appendf(nil, `{"model":"m","max_tokens":100,"temperature":0.5,"top_p":0.9,"parallel_tool_calls":false,"reasoning_effort":"xhigh",`+
		`"presence_penalty":0,"frequency_penalty":0,"messages":[{"role":"developer","content":%q},{"role":"user","content":%q},{"role":"assistant","content":%q},{"role":"user","content":%q}]}`,
		text, text, text, text)
}

func benchmarkRequest(b *testing.B, size int) {
	list, err := Parse("ten.yaml", []byte(tenOverlays), User)
	if err != nil {
		b.Fatal(err)
	}
	p := NewSet(list...).For(Target{Dialect: "openai", Model: "m"}, time.Time{})
	in, header := body(size), http.Header{"Content-Type": {"application/json"}}
	var buf []byte
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		q := Request{Body: in, Buf: buf, Header: header, Path: "/v1/chat/completions", Model: "m"}
		if err := p.Begin(nil).Request(&q); err != nil {
			b.Fatal(err)
		}
		buf = q.Buf
	}
}

func BenchmarkTenOverlays1KB(b *testing.B)   { benchmarkRequest(b, 700) }
func BenchmarkTenOverlays100KB(b *testing.B) { benchmarkRequest(b, 100<<10) }
func BenchmarkTenOverlays1MB(b *testing.B)   { benchmarkRequest(b, 1<<20) }

// BenchmarkNoOverlays is what an attempt pays where nothing is in force.
func BenchmarkNoOverlays(b *testing.B) {
	var none, active Active
	active.Replace(NewSet())
	for name, v := range map[string]*View{"none": none.View(Target{}), "empty": active.View(Target{})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v.Plan("m") != nil {
					b.Fatal("a plan")
				}
			}
		})
	}
}

// BenchmarkStreamEvent is one event of a stream through one overlay that looks at
// all of them and changes none.
func BenchmarkStreamEvent(b *testing.B) {
	list, err := Parse("s.yaml", []byte(`{id: a, version: 1, ops: [{op: map_enum, at: stream, path: "choices[*].finish_reason", map: {eos: stop}}]}`), User)
	if err != nil {
		b.Fatal(err)
	}
	p := NewSet(list...).For(Target{Dialect: "openai", Model: "m"}, time.Time{})
	event := `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}` + "\n\n"
	const events = 1000
	in := strings.Repeat(event, events)
	buf := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		r := p.Begin(nil)
		s := r.Stream(strings.NewReader(in), SSE, 0)
		for {
			if _, err := s.Read(buf); err != nil {
				break
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
}
