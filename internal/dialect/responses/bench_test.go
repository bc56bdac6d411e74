package responses_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/responses"
	"github.com/aratta-gateway/aratta/scri"
)

// body is a request of about n bytes, shaped as a coding agent's: calls and long
// outputs full of line ends and quotes.
func body(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-5.2","stream":true,"store":false,"instructions":"You are a careful engineer.","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Fix the build."}]}`)
	code := strings.Repeat(`func f(x int) string {\n\treturn fmt.Sprintf(\"%d\", x) // as it was before\n}\n`, 12)
	for i := 0; b.Len() < n-400; i++ {
		fmt.Fprintf(&b, `,{"type":"function_call","call_id":"call_%d","name":"read","arguments":"{\"path\":\"main_%d.go\"}"}`, i, i)
		fmt.Fprintf(&b, `,{"type":"function_call_output","call_id":"call_%d","output":"%s"}`, i, code[:min(len(code), max(0, n-400-b.Len()))/80*80])
	}
	b.WriteString(`],"tools":[{"type":"function","name":"read","description":"Read a file.","strict":false,"parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}]}`)
	return b.Bytes()
}

func BenchmarkRequest(b *testing.B) {
	d := responses.New()
	for _, size := range []int{1 << 10, 100 << 10, 1 << 20} {
		in := body(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := d.DecodeRequest(&dialect.Incoming{Body: in})
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := d.EncodeRequest(r, &dialect.Target{Model: "gpt-5.2"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// burst is a stream of n deltas.
func burst(n int) []byte {
	var b bytes.Buffer
	event := func(typ, rest string) { fmt.Fprintf(&b, "event: %s\ndata: {\"type\":%q,%s}\n\n", typ, typ, rest) }
	event("response.created", `"sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1741569952,"status":"in_progress","model":"gpt-5.2","output":[]}`)
	event("response.output_item.added", `"sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}`)
	event("response.content_part.added", `"sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`)
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, " word%d", i%10)
		event("response.output_text.delta", fmt.Sprintf(`"sequence_number":%d,"item_id":"msg_1","output_index":0,"content_index":0,"delta":" word%d","logprobs":[],"obfuscation":"%x"`, i+3, i%10, i*7919))
	}
	part := fmt.Sprintf(`{"type":"output_text","text":%q,"annotations":[],"logprobs":[]}`, text.String())
	event("response.output_item.done", `"output_index":0,"item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[`+part+`]}`)
	event("response.completed", `"response":{"id":"resp_1","object":"response","created_at":1741569952,"status":"completed","model":"gpt-5.2","output":[],"usage":{"input_tokens":10,"output_tokens":100,"total_tokens":110}}`)
	return b.Bytes()
}

// stream decodes and encodes all of in.
func stream(d dialect.Dialect, in, out []byte) error {
	s := d.DecodeStream(&dialect.Answer{Status: 200, Stream: bytes.NewReader(in)})
	enc := d.EncodeStream(&dialect.Incoming{Req: &scri.ChatRequest{Stream: true}})
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			enc.End(out, nil)
			return nil
		}
		if err != nil {
			return err
		}
		if out = enc.Event(out, e); len(out) > 32<<10 {
			out = out[:0]
		}
	}
}

func BenchmarkStream(b *testing.B) {
	d := responses.New()
	const n = 1000
	in := burst(n)
	out := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if err := stream(d, in, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
}

// TestStreamAllocates nothing per event, however long the answer is.
func TestStreamAllocates(t *testing.T) {
	d := responses.New()
	out := make([]byte, 0, 64<<10)
	count := func(n int) float64 {
		in := burst(n)
		return testing.AllocsPerRun(5, func() {
			if err := stream(d, in, out); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(200), count(2200); many-few > 40 {
		t.Errorf("2000 further events cost %v allocations", many-few)
	}
}
