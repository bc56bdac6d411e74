package openai_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

// body is a request of about n bytes, shaped as a coding agent's: tools, calls
// and long results full of line ends and quotes.
func body(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-5.2","stream":true,"messages":[{"role":"system","content":"You are a careful engineer."},{"role":"user","content":"Fix the build."}`)
	code := strings.Repeat(`func f(x int) string {\n\treturn fmt.Sprintf(\"%d\", x) // as it was before\n}\n`, 12)
	for i := 0; b.Len() < n-400; i++ {
		fmt.Fprintf(&b, `,{"role":"assistant","content":null,"tool_calls":[{"id":"call_%d","type":"function","function":{"name":"read","arguments":"{\"path\":\"main_%d.go\"}"}}]}`, i, i)
		fmt.Fprintf(&b, `,{"role":"tool","tool_call_id":"call_%d","content":"%s"}`, i, code[:min(len(code), max(0, n-400-b.Len()))/80*80])
	}
	b.WriteString(`],"tools":[{"type":"function","function":{"name":"read","description":"Read a file.","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}],"temperature":0.2}`)
	return b.Bytes()
}

// prose is a conversation of about n bytes in messages of 2 KB.
func prose(n int) []byte {
	b := []byte(`{"model":"gpt-5.2","messages":[{"role":"user","content":"Hello"}`)
	text := strings.Repeat("What was said before is said here once more, at some length. ", 33)
	for i := 0; len(b) < n-len(text); i++ {
		b = fmt.Appendf(b, `,{"role":"%s","content":"%s"}`, []string{"user", "assistant"}[i&1], text)
	}
	return append(b, `]}`...)
}

func BenchmarkRequest(b *testing.B) {
	d := openai.New()
	for name, in := range map[string][]byte{
		"1KB": body(1 << 10), "100KB": body(100 << 10), "1MB": body(1 << 20), "prose/100KB": prose(100 << 10), "prose/1MB": prose(1 << 20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := d.DecodeRequest(&dialect.Incoming{Body: in})
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := d.EncodeRequest(r, &dialect.Target{Model: "gpt-5.2", Source: in}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// answer is a whole answer of about n bytes, as OpenAI spells it.
func answer(n int) []byte {
	b := []byte(`{"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion","created":1741569952,"model":"gpt-5.2","choices":[{"index":0,"message":{"role":"assistant","content":"`)
	for len(b) < n-400 {
		b = append(b, "What was said before is said here once more, at some length.\\n"...)
	}
	return append(b, `","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"service_tier":"default","system_fingerprint":"fp_44709d6fcb"}`...)
}

// bare is an answer as local runtimes spell it.
const bare = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, how may I help?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16}}`

// TestAnswerAllocates one piece of memory where it is read, and one where it is written.
func TestAnswerAllocates(t *testing.T) {
	d := openai.New()
	a := &dialect.Answer{Status: 200, Body: []byte(bare)}
	n := testing.AllocsPerRun(100, func() {
		r, err := d.DecodeResponse(a)
		if err != nil {
			t.Fatal(err)
		}
		d.EncodeResponse(nil, nil, r)
	})
	if n > 3 { // one more where races are looked for
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAnswer(b *testing.B) {
	d := openai.New()
	target := &dialect.Target{Model: "gpt-5.2"}
	for name, in := range map[string][]byte{
		"1KB": answer(1 << 10), "100KB": answer(100 << 10),
		"bare": []byte(bare),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := d.DecodeResponse(&dialect.Answer{Status: 200, Body: in, Target: target})
				if err != nil {
					b.Fatal(err)
				}
				d.EncodeResponse(nil, &dialect.Incoming{}, r)
			}
		})
	}
}

// BenchmarkCopy is what a request costs that is only copied.
func BenchmarkCopy(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10, 1 << 20} {
		in := body(size)
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				_ = append(make([]byte, 0, len(in)), in...)
			}
		})
	}
}

// burst is a stream of n deltas.
func burst(n int) []byte {
	var b bytes.Buffer
	head := `data: {"id":"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT","object":"chat.completion.chunk","created":1741569952,"model":"gpt-5.2","service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[`
	b.WriteString(head + `{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"aBcD"}` + "\n\n")
	for i := range n {
		fmt.Fprintf(&b, head+`{"index":0,"delta":{"content":" word%d"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"%x"}`+"\n\n", i%10, i*7919)
	}
	b.WriteString(head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null,"obfuscation":"x"}` + "\n\n")
	b.WriteString(head + `],"usage":{"prompt_tokens":10,"completion_tokens":100,"total_tokens":110}}` + "\n\ndata: [DONE]\n\n")
	return b.Bytes()
}

// stream decodes and encodes all of in.
func stream(d dialect.Dialect, in []byte, out []byte) ([]byte, error) {
	s := d.DecodeStream(&dialect.Answer{Status: 200, Stream: bytes.NewReader(in)})
	enc := d.EncodeStream(&dialect.Incoming{Req: &scri.ChatRequest{Stream: true}})
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return enc.End(out, nil), nil
		}
		if err != nil {
			return nil, err
		}
		if out = enc.Event(out, e); len(out) > 32<<10 {
			out = out[:0]
		}
	}
}

func BenchmarkStream(b *testing.B) {
	d := openai.New()
	const n = 1000
	in := burst(n)
	out := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := stream(d, in, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
}

// TestStreamAllocates nothing per event, however long the answer is.
func TestStreamAllocates(t *testing.T) {
	d := openai.New()
	out := make([]byte, 0, 64<<10)
	count := func(n int) float64 {
		in := burst(n)
		return testing.AllocsPerRun(5, func() {
			if _, err := stream(d, in, out); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(200), count(2200); many-few > 20 {
		t.Errorf("2000 further events cost %v allocations", many-few)
	}
}
