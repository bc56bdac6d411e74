package anthropic_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
)

// conversation is the body of a coding agent's turn of about the given size.
func conversation(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"model":"m","max_tokens":4096,"stream":true,"system":[{"type":"text","text":"You write code.","cache_control":{"type":"ephemeral"}}],`)
	b.WriteString(`"tools":[{"name":"read","description":"Reads a file.","input_schema":{"type":"object","properties":{"path":{"type":"string"}}}}],"messages":[`)
	b.WriteString(`{"role":"user","content":"Fix the bug."}`)
	file := strings.Repeat(`func f() {\n\tfmt.Println(\"hello\")\n}\n`, 40)
	for i := 0; b.Len() < size-len(file)/2; i++ {
		fmt.Fprintf(&b, `,{"role":"assistant","content":[{"type":"text","text":"I look at file %d."},{"type":"tool_use","id":"toolu_%d","name":"read","input":{"path":"src/%d.go"}}]}`, i, i, i)
		fmt.Fprintf(&b, `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%d","content":"%s"}]}`, i, file)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkRequest(b *testing.B) {
	d := anthropic.New()
	for _, size := range []int{1 << 10, 100 << 10, 1 << 20} {
		body := conversation(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				req, err := d.DecodeRequest(&dialect.Incoming{Body: body})
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := d.EncodeRequest(req, &dialect.Target{Model: "claude"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// burst is a stream of n deltas.
func burst(n int) []byte {
	var b bytes.Buffer
	b.WriteString("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n")
	b.WriteString("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n")
	for range n {
		b.WriteString("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" some words\"}}\n\n")
	}
	b.WriteString("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n")
	b.WriteString("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n\n")
	b.WriteString("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
	return b.Bytes()
}

// endless gives the middle of a stream over and over.
type endless struct{ head, body, rest []byte }

func (r *endless) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		r.rest = r.body
		if r.head != nil {
			r.rest, r.head = r.head, nil
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func BenchmarkStreamEvent(b *testing.B) {
	d := anthropic.New()
	whole := burst(1)
	at := bytes.Index(whole, []byte("event: content_block_delta"))
	end := bytes.Index(whole, []byte("event: content_block_stop"))
	s := d.DecodeStream(&dialect.Answer{Stream: &endless{head: whole[:at], body: whole[at:end]}})
	enc := d.EncodeStream(&dialect.Incoming{})
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		e, err := s.Next()
		if err != nil {
			b.Fatal(err)
		}
		out = enc.Event(out[:0], e)
	}
}

func BenchmarkStreamWhole(b *testing.B) {
	d := anthropic.New()
	stream := burst(1000)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		s := d.DecodeStream(&dialect.Answer{Stream: bytes.NewReader(stream)})
		enc := d.EncodeStream(&dialect.Incoming{})
		var out []byte
		for {
			e, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			out = enc.Event(out[:0], e)
		}
		enc.End(out[:0], nil)
	}
}
