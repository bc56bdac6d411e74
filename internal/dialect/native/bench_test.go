package native_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// conversation returns a request of about the given size, as an agent sends it.
func conversation(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"local","stream":true,"temperature":0.2,"tools":[`)
	for i := range min(size/2000, 20) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"tool_%d","description":"Does what \"tool %d\" does.","schema":{"type":"object","properties":{"path":{"type":"string"}}}}`, i, i)
	}
	b.WriteString(`],"messages":[{"role":"system","content":"Be brief."}`)
	code := strings.Repeat(`func main() {\n\tfmt.Println(\"hello\")\n}\n`, max(size/2000, 1))
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"Please look at file %d."}`, i)
		fmt.Fprintf(&b, `,{"role":"assistant","content":[{"kind":"text","text":"I will."},{"kind":"tool_call","call":{"id":"call_%d","name":"read","args":"{\"path\": \"main.go\"}"}}]}`, i)
		fmt.Fprintf(&b, `,{"role":"tool","content":[{"kind":"tool_result","result":{"call_id":"call_%d","content":[{"kind":"text","text":"%s"}]}}]}`, i, code)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func BenchmarkRequest(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10, 1 << 20} {
		body := conversation(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			target := &dialect.Target{Model: "qwen3:8b"}
			for b.Loop() {
				req, err := d.DecodeRequest(&dialect.Incoming{Body: body})
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := d.EncodeRequest(req, target); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeResponse(b *testing.B) {
	r := &scri.ChatResponse{ID: "r1", Model: "m", Provider: "p", Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart(strings.Repeat("Hello. ", 100))}}},
		Finish: scri.Finish{Reason: scri.FinishStop},
	}}, Lineage: &scri.Lineage{ID: "req_1", Attempts: []scri.Attempt{{Provider: "p", Model: "m", Outcome: "ok", TookMS: 12.5}}}}
	b.ReportAllocs()
	for b.Loop() {
		d.EncodeResponse(nil, nil, r)
	}
}

// burst returns a stream of n deltas.
func burst(n int) []byte {
	var b bytes.Buffer
	b.WriteString("event: start\ndata: {\"kind\":\"start\",\"head\":{\"id\":\"r1\"}}\n\nevent: message\ndata: {\"kind\":\"message\",\"open\":{\"role\":\"assistant\"}}\n\nevent: part\ndata: {\"kind\":\"part\",\"whole\":{\"kind\":\"text\"}}\n\n")
	for i := range n {
		fmt.Fprintf(&b, "event: delta\ndata: {\"kind\":\"delta\",\"delta\":\" token \\\"%d\\\"\"}\n\n", i)
	}
	b.WriteString("event: finish\ndata: {\"kind\":\"finish\",\"finish\":{\"reason\":\"stop\"}}\n\nevent: done\ndata: {\"kind\":\"done\"}\n\n")
	return b.Bytes()
}

// BenchmarkStream decodes and encodes a burst of events; its figures are those of
// one event.
func BenchmarkStream(b *testing.B) {
	const events = 10000
	body := burst(events)
	b.ReportAllocs()
	buf := make([]byte, 0, 4096)
	for i := 0; i < b.N; i += events {
		s := d.DecodeStream(&dialect.Answer{Stream: bytes.NewReader(body)})
		enc := d.EncodeStream(nil)
		for {
			e, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			buf = enc.Event(buf[:0], e)
		}
	}
}

// TestStreamAllocations holds the promise that deltas cost no memory.
func TestStreamAllocations(t *testing.T) {
	per := func(n int) float64 {
		body := burst(n)
		buf := make([]byte, 0, 4096)
		return testing.AllocsPerRun(5, func() {
			s := d.DecodeStream(&dialect.Answer{Stream: bytes.NewReader(body)})
			enc := d.EncodeStream(nil)
			for {
				e, err := s.Next()
				if err != nil {
					return
				}
				buf = enc.Event(buf[:0], e)
			}
		})
	}
	if few, many := per(1000), per(11000); many-few > 50 {
		t.Errorf("10000 more deltas make %v more allocations", many-few)
	}
}
