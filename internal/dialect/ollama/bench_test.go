package ollama_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/scri"
)

// conversation makes a request of about n bytes as a coding agent sends it.
func conversation(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"qwen3","stream":true,"options":{"temperature":0,"num_ctx":65536},"tools":[{"type":"function","function":{"name":"read","description":"Read a file","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}],"messages":[{"role":"system","content":"You write code."}`)
	text := strings.Repeat(`func main() {\n\tfmt.Println(\"hello, world\")\n}\n`, 40)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"Read file %d."},{"role":"assistant","content":"","tool_calls":[{"id":"call_%d","function":{"index":0,"name":"read","arguments":{"path":"main.go"}}}]},{"role":"tool","content":"%s","tool_name":"read","tool_call_id":"call_%d"}`, i, i, text[:min(len(text), n/4)/2*2], i)
	}
	b.WriteString(`]}`)
	return []byte(strings.ReplaceAll(b.String(), `\"}`, `"}`))
}

func BenchmarkRequest(b *testing.B) {
	d := ollama.New()
	for _, n := range []int{1 << 10, 100 << 10, 1 << 20} {
		body := conversation(n)
		in := incoming("chat", body)
		if _, err := d.DecodeRequest(in); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%dKB", n>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				req, err := d.DecodeRequest(in)
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := d.EncodeRequest(req, &dialect.Target{Model: "m"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream reads and writes one answer of a thousand lines.
func BenchmarkStream(b *testing.B) {
	d := ollama.New()
	var buf bytes.Buffer
	const lines = 1000
	for range lines {
		buf.WriteString(`{"model":"llama3.2","created_at":"2023-08-04T08:52:19.385406455Z","message":{"role":"assistant","content":" word"},"done":false}` + "\n")
	}
	buf.WriteString(`{"model":"llama3.2","created_at":"2023-08-04T08:52:19.385406455Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":1000}` + "\n")
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s := d.DecodeStream(&dialect.Answer{Stream: bytes.NewReader(buf.Bytes())})
			for {
				_, err := s.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/event")
	})
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		ev := &scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText(" word")}
		out := make([]byte, 0, 64<<10)
		for b.Loop() {
			enc := d.EncodeStream(incoming("chat", nil))
			enc.Event(nil, &scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{Model: "m"}})
			enc.Event(nil, &scri.StreamEvent{Kind: scri.EventPart, Whole: &scri.Part{Kind: scri.PartText}})
			for range lines {
				out = enc.Event(out[:0], ev)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/event")
	})
}
